import type { DeletionRows, StoreTime } from './adapter.ts'
import type { Deletion, Writes } from './written-rows.ts'
import { CounterDraft } from './counter-draft.ts'
import { StoreError } from './errors.ts'
import { pruneTimeOf } from './leap.ts'
import { damageOf, ReservationBooks } from './reservations/books.ts'
import { isOpen } from './reservations/names.ts'
import { consume, release, SourceDrafts } from './reservations/sources.ts'
import { RowDraft } from './row-draft.ts'
import type { ReservationRow } from './rows.ts'
import { writesOf } from './writes.ts'

/** Stands for no epoch: the first one is 1. */
const NO_EPOCH = 0

/**
 * P6: removes what there is of one key. Reservations end first: other budgets get back what an open one had set aside of them, and what an expired one
 * kept of them is used. The rows go in the same transaction as the last reservations, so that no reservation ever lacks its row, and the ids of mints with
 * the last rows, so that none of them counts again while a row is there (L3). Pure, and bounded by what was loaded. A reservation that does not balance
 * stays.
 * @returns `isDone` false where there is more to remove
 * @throws StoreError `store_damaged` where none of the reservations can be removed, and there are more
 */
export function deletionOf(
  key: string,
  rows: DeletionRows,
  at: StoreTime,
): { readonly writes: Writes; readonly isDone: boolean } {
  const { reservations, budgets, leases, mints, hasMoreReservations, hasMoreBudgets, hasMoreMints } = rows
  const drafts = new SourceDrafts([], rows.sources)
  const books = new ReservationBooks(reservations, drafts, pruneTimeOf(at), { isFrozen: false })
  const removedReservations = reservations.filter((row) => hasEnded(books, row))
  if (hasMoreReservations && rows.wereMadeSince !== true && removedReservations.length === 0) throw stuck(key)
  const removed = new Set(hasMoreReservations ? [] : budgets.map(({ period }) => period))
  const changed = drafts.own
    .filter((draft) => draft instanceof RowDraft)
    .filter((draft) => draft.key !== key || !removed.has(draft.period))
  for (const draft of changed) draft.assertBalanced()
  const deletion: Deletion = hasMoreReservations
    ? { key, budgets: [], leases: [], mints: [] }
    : { key, budgets, leases, mints: hasMoreBudgets ? [] : mints }
  const writes = writesOf(at.time, {
    removedReservations,
    deletion,
    budgets: changed.flatMap((draft) => draft.write() ?? []),
    leases: changed.flatMap((draft) => draft.leaseWrites(NO_EPOCH)),
    counters: drafts.own.flatMap((draft) =>
      draft instanceof CounterDraft && draft.isChanged ? { key: draft.key, value: draft.value } : [],
    ),
  })
  return { writes, isDone: !hasMoreReservations && !hasMoreBudgets && !hasMoreMints }
}

function stuck(key: string): StoreError {
  const message = `more reservations of ${JSON.stringify(key)} cannot be read, or do not balance, than one deletion looks at; nothing was deleted. Run "vsa verify" on the store`
  return new StoreError('store_damaged', message, { applied: 'no', transient: false })
}

/** Of a row that is not there, or cannot be read, nothing is given back. */
function hasEnded(books: ReservationBooks, row: ReservationRow): boolean {
  try {
    for (const { lot, sources } of books.ended(row)) {
      if (lot.state === 'final') continue
      const end = isOpen(lot) ? release : consume
      lot.sources.forEach(({ charged }, index) => end(sources[index], charged))
    }
    return true
  } catch (error) {
    damageOf(error)
    return false
  }
}
