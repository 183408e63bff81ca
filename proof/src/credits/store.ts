import { type AskOp, type Books, type CreditAnswer, type CreditOp, nameOf, type ReservationRow, sum } from './books.ts'
import type { Bug } from './bugs.ts'
import { KEEP, writeAll } from './lists.ts'
import { mint, settleRows } from './settlement.ts'
import { charge, lastFirst, refundable, sharesInOrder, sharesOfAll, unspend } from './sources.ts'
import { touched, touchedList } from './touch.ts'

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
