import type { AppliedBatch } from './applied-batch.ts'
import { UnitSums } from './process-totals.ts'
import { must } from './violation.ts'
import type { Violations } from './violations.ts'

/** L3: each counter is what was added to it. */
export class CounterTotals {
  readonly sums: UnitSums = new UnitSums()
  readonly #violations: Violations

  constructor(violations: Violations) {
    this.#violations = violations
  }

  /** @returns L7: how many counters the batch changed */
  add({ batch, answer, view }: AppliedBatch): number {
    let changed = 0
    for (const [index, entry] of batch.entries.entries()) {
      const answered = answer.entries[index]
      if (entry.kind !== 'counter' || answered?.kind !== 'counter') continue
      if (!answered.overflow) {
        this.sums.add(entry.key, entry.add)
        view.totals?.counted.add(entry.key, entry.add)
        if (entry.add !== 0) changed += 1
      }
      const value = this.sums.of(entry.key)
      this.#violations.attempt(() =>
        must(answered.value === value, 'L3', () => `counter ${entry.key} is ${answered.value}, not ${value}`),
      )
    }
    return changed
  }
}
