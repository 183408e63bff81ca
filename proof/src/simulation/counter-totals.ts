import type { AppliedBatch } from './applied-batch.ts'
import type { ReservationSums } from './reservation-moves.ts'
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

  /** The end of a reservation moves counters, too. */
  move(moves: ReservationSums): void {
    for (const key of moves.counters) this.sums.add(key, moves.counter(key))
  }

  /**
   * Reservations have an overage of their own.
   * @param moves what they moved, also where no entry names the counter
   * @returns L7: how many counters changed
   */
  add({ batch, answer, view, taken }: AppliedBatch, moves: ReservationSums): number {
    let changed = 0
    const before = new Map<string, number>()
    const add = (key: string, units: number): void => {
      before.set(key, before.get(key) ?? this.sums.of(key))
      this.sums.add(key, units)
    }
    for (const key of moves.counters) add(key, moves.counter(key))
    for (const [index, entry] of batch.entries.entries()) {
      const answered = answer.entries[index]
      if (entry.kind !== 'counter' || answered?.kind !== 'counter') continue
      const added = (answered.overflow ? 0 : entry.add) + (taken.get(index)?.units ?? 0)
      add(entry.key, added)
      view.totals?.counted.add(entry.key, added)
      const value = this.sums.of(entry.key)
      this.#violations.attempt(() =>
        must(answered.value === value, 'L3', () => `counter ${entry.key} is ${answered.value}, not ${value}`),
      )
    }
    for (const [key, value] of before) if (this.sums.of(key) !== value) changed += 1
    return changed
  }
}
