import type { LeasedRow } from '../rows/leased-row.ts'

type RowPlace = Pick<LeasedRow, 'isKnown' | 'window'>

/** S4: the row was removed from the store. A row may go once its period is over, which an owner that slept learns from the same answer. */
export function isLost(row: RowPlace, time: number): boolean {
  return row.isKnown && row.window.end > time
}

/** S4, O11: the owner's time was ahead of the store's, and is not any more since this answer. */
export function wasEarly(row: RowPlace, time: number): boolean {
  return !row.isKnown && row.window.start > time
}
