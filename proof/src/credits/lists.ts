import { type Books, nameOf, type ReservationRow } from './books.ts'

/* The rows of one reservation. They are loaded, changed, expired and forgotten together. */

/** Store time for which a row is kept once it is final or expired (R6: 7 days). */
export const KEEP = 3

/** All rows of the list to which (key, id) belongs. Null when there is none. */
export function listOf(books: Books, key: string, id: string): readonly ReservationRow[] | null {
  const row = books.reservations.get(nameOf(key, id))
  if (row === undefined) return null
  return row.list.map((key) => books.reservations.get(nameOf(key, id))).filter((row) => row !== undefined)
}

export function writeAll(
  books: Books,
  rows: readonly ReservationRow[],
  changesOf: (row: ReservationRow, at: number) => Partial<ReservationRow>,
): void {
  rows.forEach((row, at) => books.reservations.set(nameOf(row.key, row.id), { ...row, ...changesOf(row, at) }))
}
