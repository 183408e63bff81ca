import { type Books, type CreditBatch, type ExchangeAnswer, type Intent, nameOf, type ReservationRow } from './books.ts'
import type { Bug } from './bugs.ts'
import { listOf } from './lists.ts'
import { consume } from './sources.ts'
import { applyOp } from './store.ts'
import { applyIntents, expireIfDue } from './touch.ts'

/** S2 for the batches of one epoch. */
export function exchange(books: Books, batch: CreditBatch, bug: Bug | null): ExchangeAnswer {
  const epoch = books.epochs[batch.epoch]
  if (epoch === undefined) throw new Error(`there is no epoch ${batch.epoch}`)
  if (!epoch.isOpen) return { kind: 'fenced', seq: epoch.seq, outcome: epoch.outcome }
  if (batch.seq === epoch.seq) return { kind: 'applied', outcome: epoch.outcome, isReplay: true }
  if (batch.seq !== epoch.seq + 1) return { kind: 'stale' }
  const outcome = batch.ops.map((op) => applyOp(books, op, batch.epoch, bug))
  books.epochs = books.epochs.with(batch.epoch, { isOpen: true, seq: batch.seq, outcome })
  return { kind: 'applied', outcome, isReplay: false }
}

/** One transaction. `visible` are the intents that it can see: read after its time, or what committed in between is overlooked. */
export function maintain(books: Books, visible: readonly Intent[], bug: Bug | null): void {
  if (bug === 'intent deleted before it is applied') {
    books.intents = []
    return
  }
  const isDue = [...books.reservations.values()].some(
    ({ state, expiresAt }) => state === 'open' && expiresAt <= books.time,
  )
  if (bug !== 'expiry before an intent' || !isDue) applyIntents(books, visible, bug)
  expireAll(books, bug)
  forget(books, bug)
}

function expireAll(books: Books, bug: Bug | null): void {
  for (const { key, id, list } of books.reservations.values())
    if (list[0] === key) expireIfDue(books, listOf(books, key, id) ?? [], bug)
}

/** R6: a request is forgotten whole, once all of its rows may be. What was captured is spent from then on. */
function forget(books: Books, bug: Bug | null): void {
  const due = [...books.reservations.values()].filter((row) => isForgettable(books, row, bug))
  for (const { key, id, state, charged } of bug === 'forgotten by row' ? due.slice(0, 1) : due) {
    if (state === 'expired') consume(books, key, charged)
    books.reservations.delete(nameOf(key, id))
  }
}

function isForgettable(books: Books, row: ReservationRow, bug: Bug | null): boolean {
  if (bug === 'forgotten early' && row.state === 'final') return true
  const keys = bug === 'forgotten by list' ? row.list : row.keys
  const rows = keys.map((key) => books.reservations.get(nameOf(key, row.id)))
  return rows.every((one) => one === undefined || (one.state !== 'open' && one.keepUntil <= books.time))
}

/** S8: an epoch ends, and its leases are burned. */
export function reap(books: Books, epoch: number): void {
  books.epochs = books.epochs.map((one, at) => (at === epoch ? { ...one, isOpen: false } : one))
  for (const row of books.rows.values()) {
    row.burned += row.held[epoch] ?? 0
    row.held = row.held.with(epoch, 0)
  }
}

/** P5: what was used is available again. What was final then cannot be refunded any more. */
export function reset(books: Books, key: string): void {
  const row = books.rows.get(key)
  if (row === undefined) return
  row.pool += row.used + row.burned
  row.used = 0
  row.burned = 0
  row.resets += 1
}
