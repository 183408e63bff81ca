import type { ReservationRow, Writes } from '../../../packages/vsa/dist/index.js'

/** R1 to R6: the reservations of a store, as its transactions have saved them. */
export class SavedReservations {
  readonly #rows = new Map<string, ReservationRow>()

  get rows(): readonly ReservationRow[] {
    return [...this.#rows.values()]
  }

  saved({ reservations, removedReservations }: Pick<Writes, 'reservations' | 'removedReservations'>): void {
    for (const { row } of reservations) this.#rows.set(primaryOf(row), row)
    for (const row of removedReservations) this.#rows.delete(primaryOf(row))
  }
}

/** One text for a reservation: its id, and the key of its first budget. */
export function primaryOf({ key, id }: Pick<ReservationRow, 'key' | 'id'>): string {
  return JSON.stringify([key, id])
}

/** Whether a reservation ended, or was forgotten. */
export function areOther(before: ReadonlyMap<string, ReservationRow>, rows: readonly ReservationRow[]): boolean {
  return rows.length !== before.size || rows.some((row) => before.get(primaryOf(row)) !== row)
}
