import type { Books, CreditRow, ReservationRow } from './books.ts'
import type { Bug } from './bugs.ts'

/* V1, V3: how units leave the sources of a list, and how they come back. A source is a budget, or a counter that never refuses. */

/** Each source gives what it has, in order, until `units` are covered. Null when all of them together have too few. */
export function sharesInOrder(
  books: Books,
  keys: readonly string[],
  units: number,
  bug: Bug | null,
): readonly number[] | null {
  let left = units
  const shares = keys.map((key) => {
    const has = books.counters.has(key) ? left : (books.rows.get(key)?.pool ?? 0)
    const share = Math.min(left, bug === 'negative pool drawn' ? has : Math.max(0, has))
    left -= share
    return share
  })
  return left > 0 && bug !== 'waterfall in part' ? null : shares
}

/** From each source its own units, all or nothing. */
export function sharesOfAll(books: Books, keys: readonly string[], units: readonly number[]): readonly number[] | null {
  const isCovered = keys.every(
    (key, at) => books.counters.has(key) || (books.rows.get(key)?.pool ?? 0) >= (units[at] ?? 0),
  )
  return isCovered ? units : null
}

/** From the pool to `column`; a counter counts it at once. */
export function charge(books: Books, key: string, units: number, column: 'used' | 'reserved'): void {
  const row = books.rows.get(key)
  if (row === undefined) addToCounter(books, key, units)
  else {
    row.pool -= units
    row[column] += units
  }
}

/** To the pool from `reserved`. */
export function release(books: Books, key: string, units: number): void {
  const row = books.rows.get(key)
  if (row === undefined) addToCounter(books, key, -units)
  else {
    row.reserved -= units
    row.pool += units
  }
}

/** What is left of a reservation is spent from now on. */
export function consume(books: Books, key: string, units: number): void {
  const row = books.rows.get(key)
  if (row === undefined) return
  row.reserved -= units
  row.used += units
}

/** To the pool from `used`, as far as it is there (I2, O4). */
export function unspend(row: CreditRow, units: number): number {
  const back = Math.min(units, row.used)
  row.used -= back
  row.pool += back
  return back
}

/** V3: `units` are taken off `parts`, the last one first. The answer is in the order of `parts`. */
export function lastFirst(parts: readonly number[], units: number, bug: Bug | null): readonly number[] {
  let left = units
  const taken = parts.map(() => 0)
  const order = [...parts.keys()]
  if (bug !== 'returned in order') order.reverse()
  for (const at of order) {
    const some = Math.min(left, parts[at] ?? 0)
    taken[at] = some
    left -= some
  }
  return taken
}

/** I2: what of a final row can still be given back. A budget that was removed, or reset since, gives nothing. */
export function refundable(books: Books, row: ReservationRow, bug: Bug | null): number {
  if (books.counters.has(row.key)) return row.charged
  const budget = books.rows.get(row.key)
  if (budget === undefined) return 0
  if (budget.resets !== row.resets && bug !== 'refund behind a reset') return 0
  return Math.min(bug === 'refund above the charge' ? Infinity : row.charged, budget.used)
}

function addToCounter(books: Books, key: string, units: number): void {
  const value = books.counters.get(key)
  if (value !== undefined) books.counters.set(key, value + units)
}
