import { type Books, type CreditAnswer, nameOf, type ReservationRow, sum } from './books.ts'
import type { Bug } from './bugs.ts'
import { KEEP, writeAll } from './lists.ts'
import { charge, consume, lastFirst, release, sharesInOrder } from './sources.ts'

/* What an owner and an intent may both ask for. */

/** R4 over a list: once, open or expired. Less comes back from the last source (V3), more is taken in order (V1). */
export function settleRows(
  books: Books,
  rows: readonly ReservationRow[],
  actual: number,
  bug: Bug | null,
): CreditAnswer {
  const isFinal = rows.some(({ state }) => state === 'final')
  const charges = rows.map(({ charged }) => charged)
  const uncovered = rows[0]?.uncovered ?? 0
  if (isFinal && bug !== 'final one settled again')
    return { kind: 'settled', shares: charges, uncovered, repeated: true }
  const charged = sum(charges)
  const back = lastFirst(charges, Math.max(0, charged - actual), bug)
  const keys = rows.map(({ key }) => key)
  const more = Math.max(0, actual - charged)
  const got = sharesInOrder(books, keys, more, 'waterfall in part') ?? []
  const shares = charges.map((units, at) => units - (back[at] ?? 0) + (got[at] ?? 0))
  rows.forEach(({ key }, at) => {
    const kept = (charges[at] ?? 0) - (back[at] ?? 0)
    release(books, key, back[at] ?? 0)
    consume(books, key, kept)
    charge(books, key, got[at] ?? 0, 'used')
  })
  const over = more - sum(got)
  writeAll(books, rows, (row, at) => ({
    ...{ state: 'final', charged: shares[at] ?? 0, uncovered: over, keepUntil: books.time + KEEP },
    resets: books.rows.get(row.key)?.resets ?? 0,
  }))
  return { kind: 'settled', shares, uncovered: over, repeated: false }
}

/** L3: once per id for ever, directly or by an intent. A budget that has no row yet cannot take it. */
export function mint(
  books: Books,
  op: { readonly key: string; readonly id: string; readonly units: number },
  bug: Bug | null,
): CreditAnswer {
  const known = books.mints.get(nameOf(op.key, op.id))
  if (known !== undefined && bug !== 'mint without its id')
    return known === op.units ? { kind: 'done', units: known } : { kind: 'id_conflict' }
  const row = books.rows.get(op.key)
  if (row === undefined) return { kind: 'no row' }
  row.minted += op.units
  row.pool += op.units
  books.mints.set(nameOf(op.key, op.id), op.units)
  return { kind: 'done', units: op.units }
}
