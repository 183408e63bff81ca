import type { Epochs } from './epochs.ts'
import type { EpochView } from './epoch-view.ts'
import type { Held } from './reservation-moves.ts'
import type { RowView } from './row-view.ts'
import { must } from './violation.ts'

/** S10: rows that the store has removed permanently. */
export class RemovedRows {
  readonly #epochs: Epochs
  readonly #names = new Set<string>()
  /** The clock that the store reads: no row is removed that is not old enough by it, though store time may be ahead. */
  clock: () => number = () => Infinity
  /** No row is removed until then, in store time: it has leapt. */
  keepUntil = 0

  constructor(epochs: Epochs) {
    this.#epochs = epochs
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /**
   * A row was removed.
   * @param time store time, ms since 1970
   * @param moved what reservations moved in it before
   * @param view the epoch whose batch it was: it may have settled the row before
   */
  remove(name: string, { budget, leases }: RowView, time: number, moved: Held, view: EpochView | undefined): void {
    const now = Math.min(time, this.clock())
    must(
      budget.keepUntil !== null && budget.keepUntil < now,
      'S10',
      () => `${name} was removed at ${now}, before the end of its retention at ${budget.keepUntil}`,
    )
    must(
      time > this.keepUntil,
      'S10',
      () => `${name} was removed at ${time}, and store time has leapt: not before ${this.keepUntil}`,
    )
    must(
      budget.reserved + moved.reserved === 0,
      'R2',
      () => `${name} was removed, and ${budget.reserved} units of it were set aside by reservations`,
    )
    for (const [epoch, held] of leases) {
      const { end, totals } = this.#epochs.of(epoch) ?? {}
      if (epoch === view?.epoch) continue
      must(end === 'reaped', 'S10', () => `${name} was removed while epoch ${epoch} had a lease on it`)
      // Burned in the same transaction.
      if (totals?.held.of(name) === held) {
        totals.held.add(name, -held)
        totals.burned.add(name, held)
      }
    }
    const own = view?.totals?.held.of(name) ?? 0
    must(own === 0, 'S10', () => `${name} was removed while its last owner leased ${own} units of it`)
    this.#names.add(name)
  }
}
