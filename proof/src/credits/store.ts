import { type AskOp, type Books, type CreditAnswer, type CreditOp, nameOf, type ReservationRow, sum } from './books.ts'
import type { Bug } from './bugs.ts'
import { KEEP, writeAll } from './lists.ts'
import { mint, settleRows } from './settlement.ts'
import { charge, lastFirst, refundable, sharesInOrder, sharesOfAll, unspend } from './sources.ts'
import { touched, touchedList } from './touch.ts'

/*
 * Credits: the rules before the code (contract, section 9a, as mended by this model). In each: what 9a says or leaves open, the shortest
 * way to its failure, and the rule that holds. Each protection has a name in bugs.ts.
 *
 * I1 An admission with an id
 *  1. 9a keeps `charged` 0. Then a repeat has no split, and I2 has nothing to give back: admit 2, admit 2 again (4 steps). `charged` is what
 *     was taken from the source, `state` is final, and R2 sums open and expired rows alone.
 *  2. R1 compares `asked`. It does not tell lists, orders, `all` from `first`, or an admission from a reservation: reserve 2, admit 2 is
 *     answered true, and expiry returns what was admitted (2 steps to the wrong answer). Each row keeps the request: operation, form, keys
 *     in order, units. Another request is an id_conflict. `ttlMs` and `onExpire` of a repeat are ignored.
 *  3. Each source of the list gets a row, also one that gave 0. With rows of drawn sources alone, a repeat meets some that know the id and
 *     some that do not (4 steps). A list that shares no key with the first one is another reservation: an id is of its keys.
 *  4. Admitted, all given back, asked again: 9a says true, for nothing (7 steps). A repeat of an admission of which nothing is charged any
 *     more is denied, with the reason `refunded`. After a partial refund it is true.
 *  5. O10 gives a late grant back. With an id that is wrong, as R8 says of a reserve: the repeat was answered true elsewhere (7 steps).
 *  6. A refusal leaves nothing, so it is no outcome for ever. A refused caller may still be charged by an earlier attempt that the store
 *     did not answer: A sends and crashes, the repeat is refused, units are minted, the old batch arrives (10 steps). A caller that gives up asks
 *     for a refund with the id after its epoch has ended, or reserves: the ttl ends that.
 *
 * I2 A refund with an id
 *  7. One refund for an id, of the whole list. Its rows remember what came back; every other refund is a repeat, whatever it asks for.
 *  8. Of a final list alone. Open or expired: an error, and nothing is remembered, because a settlement may follow (2 steps).
 *  9. From each source at most what it was charged and what its budget has in `used`. A budget that was removed gives 0, remembered.
 * 10. P5 says nothing of ids: admit 2, reset, take 2, refund 2, take 2 uses 4 of 2 (5 steps). A budget counts its resets, a row keeps the
 *     count of the moment when its units became used, and after another reset it gives back 0.
 * 11. The refund keeps the rows for another 7 days. Else a repeat of it is answered `reservation_unknown` too early, and the id is granted a
 *     second time within 7 days of its refund (7 steps).
 *
 * R3, R6 over a list
 * 12. The rows of a waterfall change together: one settlement, extension, expiry and refund for the list, named by any of its keys. So
 *     each row keeps the list. A bound on housekeeping counts whole lists (3 steps).
 * 13. The rows of a request are forgotten together, once all of them may be. R6 forgets each by itself: reserveAll of two, settle one, 7 days
 *     later a repeat is an id_conflict although the other is open (6 steps).
 *
 * V1, V3 A waterfall
 * 14. A source gives max(0, pool): a lowered limit leaves less than 0 (1 step). What leases hold, those of the caller too, is not there.
 * 15. A repeat is answered from the rows. Neither the split (4 steps) nor the overage (4 steps) is computed again.
 * 16. Settlement and refund take from the last source first. A settlement above what is charged, and an extension, draw in order like V1;
 *     with an overage source nothing is uncovered.
 * 17. A counter has no `reserved`: what a reservation took is in its value from the beginning, and leaves it at expiry or settlement.
 *
 * T1 Intents
 * 18. Intents of a reservation come before its expiry, wherever that happens: in upkeep, and when a repeat, settlement, extension or
 *     refund touches it. 9a has `maintain` alone apply them: a committed settlement finds its units taken (7 steps).
 * 19. They are read behind the time of the transaction, by a statement of its own (READ COMMITTED). With a snapshot from before it, one that
 *     committed in time comes behind the expiry (8 steps). One that commits later is R4's late settlement.
 * 20. (key, id) is not unique in `intent`: a second insert would wait for the first transaction, or end the user's. The primary key is a
 *     number. They apply in its order, and rows are deleted by number, in the transaction that applies them.
 * 21. The first settlement that is applied wins, direct or not; the other is a repeat. An intent for an unknown id is deleted with an event.
 *     Applied twice it moves nothing, until the id is forgotten and used again: so it is deleted at once (4 steps).
 * 22. A mint for a budget without a row: 9a loses it (3 steps), an intent carries no policy. It waits until an entry makes the row. It uses
 *     the mint ids (L3). Other units under a known id: deleted with an event.
 *
 * A batch that arrives again after another owner has asked with the same id moves nothing. After 7 days the id may be granted again.
 * Not in this model: periods (a row keeps its own, R7), buckets (B5 bounds what comes back), V2 (a split from memory), deletion (P6 takes the
 * reservations and intents of its key along).
 */

/** One operation of a batch, in the store's transaction. `bug` names a protection that is left out. */
export function applyOp(books: Books, op: CreditOp, epoch: number, bug: Bug | null): CreditAnswer {
  switch (op.kind) {
    case 'admit':
    case 'reserve':
      return ask(books, op, bug)
    case 'take':
      return take(books, op.keys, op.units, bug)
    case 'settle':
      return settle(books, op, bug)
    case 'extend':
      return extend(books, op, bug)
    case 'refund':
      return refund(books, op, epoch, bug)
    case 'mint':
      return mint(books, op, bug)
    case 'give back':
      return giveBack(books, op.key, op.units)
    case 'flush':
      return flush(books, op.key, op.spent, epoch)
  }
}

/** R1, I1, V1: once per id. The same request again is answered from its rows. */
function ask(books: Books, op: AskOp, bug: Bug | null): CreditAnswer {
  const looked = bug === 'id looked up on the first source' ? op.keys.slice(0, 1) : op.keys
  const known = looked.map((key) => touched(books, key, op.id, bug))
  const rows = known.filter((row) => row !== undefined)
  if (rows.length > 0 && bug !== 'no id check') {
    if (rows.length < known.length || rows.some((row) => !isRequest(row, op, bug))) return { kind: 'id_conflict' }
    return repeatOf(books, op, rows, bug)
  }
  const shares =
    op.form === 'all' ? sharesOfAll(books, op.keys, op.units) : sharesInOrder(books, op.keys, op.units[0] ?? 0, bug)
  if (shares === null) {
    if (bug === 'refusal leaves a row')
      remember(
        books,
        op,
        op.keys.map(() => 0),
        bug,
      )
    return { kind: 'refused' }
  }
  op.keys.forEach((key, at) => charge(books, key, shares[at] ?? 0, op.kind === 'admit' ? 'used' : 'reserved'))
  remember(books, op, shares, bug)
  return { kind: 'granted', shares, state: op.kind === 'admit' ? 'final' : 'open', repeated: false }
}

function isRequest(row: ReservationRow, op: AskOp, bug: Bug | null): boolean {
  const wanted = requestOf(op)
  if (row.request === wanted) return true
  const withoutKind = (request: string): string => request.slice(request.indexOf(' '))
  const withoutForm = (request: string): string => request.replace(/ (?:all|first) .*/u, '')
  if (bug === 'admission answered by a reservation') return withoutKind(row.request) === withoutKind(wanted)
  return bug === 'list not compared' && withoutForm(row.request) === withoutForm(wanted) && row.units === sum(op.units)
}

/** I1: what was admitted and has all been given back is not admitted again. */
function repeatOf(books: Books, op: AskOp, rows: readonly ReservationRow[], bug: Bug | null): CreditAnswer {
  const isRefunded = rows.some(({ refunded }) => refunded !== null)
  const kept = sum(rows.map(({ charged, refunded }) => charged - (refunded ?? 0)))
  if (op.kind === 'admit' && isRefunded && kept === 0 && bug !== 'refunded admission repeated')
    return { kind: 'given back before' }
  const last = op.keys.at(-1)
  const overage = last === undefined ? undefined : books.counters.get(last)
  if (bug === 'overage booked at a repeat' && last !== undefined && overage !== undefined)
    books.counters.set(last, overage + (rows.at(-1)?.charged ?? 0))
  const present = bug === 'split of the present' ? sharesInOrder(books, op.keys, op.units[0] ?? 0, null) : null
  const shares = present ?? rows.map(({ charged }) => charged)
  return { kind: 'granted', shares, state: rows[0]?.state ?? 'final', repeated: true }
}

/** I1: a row for each source, also for those that gave nothing, so that a repeat finds all of them. */
function remember(books: Books, op: AskOp, shares: readonly number[], bug: Bug | null): void {
  const isFinal = op.kind === 'admit'
  op.keys.forEach((key, at) => {
    const charged = shares[at] ?? 0
    if (bug === 'rows of drawn sources alone' && charged === 0) return
    books.reservations.set(nameOf(key, op.id), {
      ...{ key, id: op.id, request: requestOf(op), keys: op.keys, list: op.form === 'first' ? op.keys : [key] },
      ...{ units: op.form === 'first' ? (op.units[0] ?? 0) : charged, uncovered: 0, refunded: null },
      charged: isFinal && bug === 'admission charged 0' ? 0 : charged,
      ...{ state: isFinal ? 'final' : 'open', onExpire: op.onExpire, resets: books.rows.get(key)?.resets ?? 0 },
      ...{ expiresAt: books.time + op.ttl, keepUntil: isFinal ? books.time + KEEP : Infinity },
    })
  })
}

function requestOf({ kind, form, keys, units }: AskOp): string {
  return `${kind} ${form} ${keys.join()} ${units.join()}`
}

function take(books: Books, keys: readonly string[], units: number, bug: Bug | null): CreditAnswer {
  const shares = sharesInOrder(books, keys, units, bug)
  if (shares === null) return { kind: 'refused' }
  keys.forEach((key, at) => charge(books, key, shares[at] ?? 0, 'used'))
  return { kind: 'granted', shares, state: 'final', repeated: false }
}

function settle(books: Books, op: Extract<CreditOp, { kind: 'settle' }>, bug: Bug | null): CreditAnswer {
  const rows = touchedList(books, op.key, op.id, bug)
  return rows === null ? { kind: 'unknown' } : settleRows(books, rows, op.units, bug)
}

/** R5 over a list: to a total, all or nothing, only while open. */
function extend(books: Books, op: Extract<CreditOp, { kind: 'extend' }>, bug: Bug | null): CreditAnswer {
  const rows = touchedList(books, op.key, op.id, bug)
  const [first] = rows ?? []
  if (rows === null || first === undefined) return { kind: 'unknown' }
  if (first.state !== 'open') return { kind: 'not open' }
  const more = sharesInOrder(books, first.list, Math.max(0, op.units - first.units), bug)
  if (more === null) return { kind: 'refused' }
  const units = Math.max(first.units, op.units)
  const expiresAt = Math.max(first.expiresAt, books.time + op.ttl)
  rows.forEach(({ key }, at) => charge(books, key, more[at] ?? 0, 'reserved'))
  writeAll(books, rows, ({ charged }, at) => ({ charged: charged + (more[at] ?? 0), units, expiresAt }))
  return { kind: 'done', units }
}

/** I2: once per id, of a final list, the last source first. Its rows remember it, for as long as after a settlement. */
function refund(books: Books, op: Extract<CreditOp, { kind: 'refund' }>, epoch: number, bug: Bug | null): CreditAnswer {
  const rows = touchedList(books, op.key, op.id, bug)
  if (rows === null) return { kind: 'unknown' }
  if (rows.some(({ state }) => state !== 'final') && bug !== 'refund of an open one') return { kind: 'not final' }
  const isKnown = rows.some(({ refunded }) => refunded !== null)
  const known = rows.map(({ refunded }) => refunded ?? 0)
  const isMine =
    bug !== 'refund remembered by owner' || books.epochs[epoch]?.outcome.some(({ kind }) => kind === 'refunded')
  if (isKnown && isMine === true) return { kind: 'refunded', back: known, repeated: true }
  const back = lastFirst(
    rows.map((row) => refundable(books, row, bug)),
    op.units,
    bug,
  )
  rows.forEach(({ key }, at) => {
    const budget = books.rows.get(key)
    const counter = books.counters.get(key)
    if (budget !== undefined) unspend(budget, back[at] ?? 0)
    else if (counter !== undefined) books.counters.set(key, counter - (back[at] ?? 0))
  })
  if (bug === 'refund not remembered') return { kind: 'refunded', back, repeated: false }
  const keepUntil = bug === 'refund kept no longer' ? {} : { keepUntil: books.time + KEEP }
  writeAll(books, rows, (_, at) => ({ refunded: back[at] ?? 0, ...keepUntil }))
  return { kind: 'refunded', back, repeated: false }
}

function giveBack(books: Books, key: string, units: number): CreditAnswer {
  const row = books.rows.get(key)
  return row === undefined ? { kind: 'no row' } : { kind: 'done', units: unspend(row, units) }
}

function flush(books: Books, key: string, spent: number, epoch: number): CreditAnswer {
  const row = books.rows.get(key)
  if (row === undefined) return { kind: 'no row' }
  const held = row.held[epoch] ?? 0
  row.held = row.held.with(epoch, 0)
  row.used += spent
  row.pool += held - spent
  return { kind: 'done', units: spent }
}
