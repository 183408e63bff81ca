import type { StoreTime, SweepRows, Writes } from '../adapter.ts'
import { CounterDraft } from '../counter-draft.ts'
import { pruneTimeOf } from '../leap.ts'
import { BooksError } from '../row-draft.ts'
import type { ReservationRow } from '../rows.ts'
import { writesOf } from '../writes.ts'
import { ReservationBooks } from './books.ts'
import { isOpen, sweepAtOf } from './names.ts'
import { consume, SourceDrafts } from './sources.ts'

/** Stands for no epoch: the first one is 1. */
const NO_EPOCH = 0

/**
 * R3, R6: ends reservations whose time has passed, and forgets those that were settled, expired or given back long ago. Pure, and bounded by what was
 * loaded. A reservation whose row cannot be read stays, and the others go on.
 * @returns null when there is nothing to do
 */
export function sweep({ due, sources }: SweepRows, at: StoreTime): Writes | null {
  const time = pruneTimeOf(at)
  const books = new ReservationBooks(due, new SourceDrafts([], sources), time)
  const removed = due.filter((row) => sweepOne(books, row, time))
  const reservations = books.writes
  if (reservations.length === 0 && removed.length === 0) return null
  const drafts = books.sources.own
  const budgets = drafts.flatMap((draft) => (draft instanceof CounterDraft ? [] : draft))
  for (const draft of budgets) draft.assertBalanced()
  return writesOf(at.time, {
    reservations,
    removedReservations: removed,
    budgets: budgets.flatMap((draft) => draft.write() ?? []),
    leases: budgets.flatMap((draft) => draft.leaseWrites(NO_EPOCH)),
    counters: drafts.flatMap((draft) =>
      draft instanceof CounterDraft && draft.isChanged ? { key: draft.key, value: draft.value } : [],
    ),
  })
}

/** @returns whether it is forgotten */
function sweepOne(books: ReservationBooks, row: ReservationRow, time: number): boolean {
  try {
    if (row.lots.some(isOpen)) {
      books.expire(row)
      return false
    }
    if (sweepAtOf(row) > time) return false
    // What was captured is used from now on.
    for (const { lot, sources } of books.opened(row))
      if (lot.state === 'expired') lot.sources.forEach(({ charged }, index) => consume(sources[index], charged))
    return true
  } catch (error) {
    if (error instanceof BooksError) return false
    throw error
  }
}
