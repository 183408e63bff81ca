import type { ReservationRow } from '../rows.ts'
import { sourcesOf } from './names.ts'

/**
 * The reservation whose sources make so many is the last one that a sweep, or one transaction of a deletion, loads: each source is a row to load and to
 * write, and one reservation may have 1,000.
 */
export const LOADED_SOURCES_MAX = 500

/** The same of what the changes of one exchange name: those behind are sent again. Changes of as many reservations of one or two budgets as it may carry fit. */
export const CHANGED_SOURCES_MAX = 2_000

/** Counts what such a transaction has loaded. */
export class LoadBound {
  readonly #max: number
  #sources = 0

  constructor(max: number = LOADED_SOURCES_MAX) {
    this.#max = max
  }

  get isReached(): boolean {
    return this.#sources >= this.#max
  }

  add(row: ReservationRow): void {
    this.#sources += sourcesOf([row]).length
  }
}

/** Whether all of these were loaded because the bound was reached: there may be more. */
export function isBoundReached(rows: readonly ReservationRow[]): boolean {
  const bound = new LoadBound()
  for (const row of rows) bound.add(row)
  return bound.isReached
}

/** Those up to the bound, in order. */
export function upToBound(rows: readonly ReservationRow[]): readonly ReservationRow[] {
  const bound = new LoadBound()
  return rows.filter((row) => {
    if (bound.isReached) return false
    bound.add(row)
    return true
  })
}
