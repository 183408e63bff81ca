import { type Books, type CreditAnswer, type Intent, nameOf, type ReservationRow } from './books.ts'
import type { Bug } from './bugs.ts'
import { KEEP, listOf, writeAll } from './lists.ts'
import { mint, settleRows } from './settlement.ts'
import { release } from './sources.ts'

/* What happens before anything else touches a reservation: its committed intents (T1), then its end (R3). */

export function touched(books: Books, key: string, id: string, bug: Bug | null): ReservationRow | undefined {
  touchedList(books, key, id, bug)
  return books.reservations.get(nameOf(key, id))
}

export function touchedList(books: Books, key: string, id: string, bug: Bug | null): readonly ReservationRow[] | null {
  const rows = listOf(books, key, id)
  if (rows === null) return null
  const keys = rows[0]?.list ?? []
  const due = books.intents.filter((intent) => intent.op === 'settle' && intent.id === id && keys.includes(intent.key))
  if (bug !== 'expiry before an intent') applyIntents(books, due, bug)
  expireIfDue(books, listOf(books, key, id) ?? [], bug)
  return listOf(books, key, id)
}

/** T1: in the order of their numbers, each once. What is applied or dropped is deleted in the same transaction. */
export function applyIntents(books: Books, due: readonly Intent[], bug: Bug | null): void {
  for (const intent of due) {
    const answer = applyIntent(books, intent, bug)
    // A budget whose row is not made yet: the intent waits for it.
    if (answer.kind === 'no row' && bug !== 'mint intent dropped') continue
    books.applied = [...books.applied, { intent, answer }]
    if (bug !== 'intent not deleted') books.intents = books.intents.filter(({ number }) => number !== intent.number)
  }
}

function applyIntent(books: Books, intent: Intent, bug: Bug | null): CreditAnswer {
  const { key, id, op, units } = intent
  if (op === 'mint') return mint(books, intent, bug)
  const rows = listOf(books, key, id)
  if (rows === null) return { kind: 'unknown' }
  return settleRows(books, rows, units, bug === 'intent applied to a final one' ? 'final one settled again' : bug)
}

/** R3: a provisional settlement of the whole list. */
export function expireIfDue(books: Books, rows: readonly ReservationRow[], bug: Bug | null): void {
  const [first] = rows
  if (first === undefined || first.expiresAt > books.time) return
  if (first.state !== 'open' && !(bug === 'expiry of a final one' && first.state === 'final')) return
  const due = bug === 'expired by row' ? [first] : rows
  for (const { key, charged, onExpire, state } of due)
    if (onExpire === 'return' && state === 'open') release(books, key, charged)
  writeAll(books, due, ({ charged, onExpire }) => ({
    state: 'expired',
    charged: onExpire === 'return' ? 0 : charged,
    keepUntil: books.time + KEEP,
  }))
}
