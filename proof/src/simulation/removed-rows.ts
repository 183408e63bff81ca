import type { Epochs } from './epochs.ts'
import type { EpochView } from './epoch-view.ts'
import type { RowView } from './row-view.ts'
import { must } from './violation.ts'

/** S10: rows that the store has removed, for good. */
export class RemovedRows {
  readonly #epochs: Epochs
  readonly #names = new Set<string>()

  constructor(epochs: Epochs) {
    this.#epochs = epochs
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /**
   * A row is there no more.
   * @param time store time, ms since 1970
   * @param view the epoch whose batch it was: it may have settled the row before
   */
  remove(name: string, { budget, leases }: RowView, time: number, view: EpochView | undefined): void {
    must(
      budget.keepUntil !== null && budget.keepUntil < time,
      'S10',
      () => `${name} was removed at ${time}, and kept until ${budget.keepUntil}`,
    )
    for (const [epoch, held] of leases) {
      const { end, totals } = this.#epochs.of(epoch) ?? {}
      if (epoch === view?.epoch) continue
      must(end === 'reaped', 'S10', () => `${name} was removed, and epoch ${epoch} leases from it`)
      // Burned in the same transaction.
      if (totals?.held.of(name) === held) {
        totals.held.add(name, -held)
        totals.burned.add(name, held)
      }
    }
    const own = view?.totals?.held.of(name) ?? 0
    must(own === 0, 'S10', () => `${name} was removed, and its last owner leases ${own} from it`)
    this.#names.add(name)
  }
}
