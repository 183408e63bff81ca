import type { ReservationWrite } from '../written-rows.ts'
import type { ReservationLot, ReservationRow } from '../rows.ts'
import type { SettleIntent } from './intents.ts'

/**
 * One reservation of one transaction, as it becomes. It has a lot for each of its budgets: so a lot is found by its key in one step, and what is replaced is
 * copied once, because a call for all of its lots must not cost as many copies of all of them.
 */
export class BookedReservation {
  /** Settlements of its lots that wait, in the order of their numbers (T1). */
  readonly intents: SettleIntent[] = []
  /** Its end, where that has passed, was counted (R3). */
  isEnded = false
  #row: ReservationRow
  /** Those of `#row`, once one of them was replaced. */
  #lots: ReservationLot[] | null = null
  #places: Map<string, number> | null = null
  #change: ReservationWrite['change'] | null

  constructor(row: ReservationRow, change: 'created' | null = null) {
    this.#row = row
    this.#change = change
  }

  get row(): ReservationRow {
    return this.#row
  }

  /** What is to be written; null for nothing. */
  get write(): ReservationWrite | null {
    return this.#change === null ? null : { change: this.#change, row: this.#row }
  }

  /** Which lot has a budget of the key; undefined for none. */
  placeOf(key: string): number | undefined {
    this.#places ??= placesIn(this.#row)
    return this.#places.get(key)
  }

  /** The keys of a lot never change. */
  replace(at: number, lot: ReservationLot): void {
    if (this.#lots === null) {
      this.#lots = [...this.#row.lots]
      this.#row = { ...this.#row, lots: this.#lots }
    }
    this.#lots[at] = lot
    this.#change ??= 'changed'
  }
}

function placesIn({ lots }: ReservationRow): Map<string, number> {
  const places = new Map<string, number>()
  for (const [at, { sources }] of lots.entries())
    for (const { key, period } of sources) if (period !== null && !places.has(key)) places.set(key, at)
  return places
}
