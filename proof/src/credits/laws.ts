import { type Books, nameOf, type ReservationRow, sum } from './books.ts'
import { type Fault, usedOf } from './record.ts'
import type { CreditBounds, CreditState, Grant } from './world.ts'

/** The first law that a state breaks. */
export function brokenLaw(state: CreditState, bounds: CreditBounds): Fault | null {
  return brokenRow(state, bounds) ?? brokenList(state.books) ?? brokenCounter(state) ?? brokenIntent(state)
}

function brokenRow({ books, grants, plain, mints }: CreditState, bounds: CreditBounds): Fault | null {
  for (const [key, row] of books.rows) {
    const { minted, used, reserved, pool, burned, held } = row
    const all = used + reserved + pool + burned + sum(held)
    if (minted !== all) return ["L2'", `${key}: minted ${minted}, and there are ${all}`]
    if (used < 0 || reserved < 0 || pool < Math.min(0, bounds.pools[key] ?? 0))
      return ["L2'", `${key}: used ${used}, reserved ${reserved}, pool ${pool}`]
    const charged = sum([...books.reservations.values()].filter((one) => one.key === key).map(chargedOf))
    if (charged !== reserved) return ['R2', `${key}: reserved ${reserved}, and ${charged} are charged`]
    const minting = Object.entries(mints).filter(([name]) => name.startsWith(`${key} `))
    const expected = firstMinted(bounds, key) + sum(minting.map(([, units]) => units))
    if (minted !== expected) return ['L3', `${key}: minted ${minted}, where ${expected} were paid for`]
    const admitted = (plain[key] ?? 0) + sum(grants.map((grant) => usedAt(grant, key, books.time)))
    const lowered = Math.max(0, -(bounds.pools[key] ?? 0))
    if (admitted > minted + lowered) return ['L1', `${key}: callers use ${admitted} of ${minted}`]
  }
  return null
}

/** A negative pool is of units that the other owner holds. */
export function firstMinted({ pools, lease }: CreditBounds, key: string): number {
  return (pools[key] ?? 0) + (lease?.key === key ? lease.units : 0)
}

function chargedOf({ state, charged }: ReservationRow): number {
  return state === 'final' ? 0 : charged
}

function usedAt(grant: Grant, key: string, time: number): number {
  const at = grant.list.indexOf(key)
  return at < 0 ? 0 : usedOf(grant, at, time)
}

/** The rows of a request are there together, and those of a list are alike. */
function brokenList(books: Books): Fault | null {
  for (const row of books.reservations.values()) {
    for (const key of row.keys) {
      const other = books.reservations.get(nameOf(key, row.id))
      if (other === undefined) return ['R6', `${row.id}: ${row.key} knows it, and ${key} does not`]
      if (!row.list.includes(key)) continue
      if (other.state !== row.state || other.keepUntil !== row.keepUntil)
        return ['R3', `${row.id}: ${row.state} at ${row.key}, ${other.state} at ${key}`]
    }
  }
  return null
}

/** V3: a counter has what reservations are charged there. */
function brokenCounter({ books, grants, plain }: CreditState): Fault | null {
  for (const [key, value] of books.counters) {
    const booked = (plain[key] ?? 0) + sum(grants.map((grant) => bookedAt(books, grants, grant, key)))
    if (value !== booked) return ['V3', `${key}: ${value} are counted, and ${booked} went over`]
  }
  return null
}

function bookedAt(books: Books, grants: readonly Grant[], grant: Grant, key: string): number {
  const { id, kind, list, settled, refund, shares, onExpire } = grant
  const at = list.indexOf(key)
  if (at < 0) return 0
  // The id may be used again once it is forgotten: only the last grant can be open.
  const last = grants.findLast((one) => one.id === id && one.list.includes(key))
  const isOpen = grant === last && books.reservations.get(nameOf(key, id))?.state === 'open'
  if (kind === 'reserve' && settled === null) return isOpen || onExpire === 'capture' ? (shares[at] ?? 0) : 0
  return ((settled?.shares ?? shares)[at] ?? 0) - (refund?.back[at] ?? 0)
}

/** T1: of a committed transaction once, of another never. */
function brokenIntent({ books, transactions }: CreditState): Fault | null {
  const numbers = books.applied.map(({ intent }) => intent.number)
  if (new Set(numbers).size !== numbers.length) return ['T1', 'an intent is applied twice']
  if (books.applied.some(({ answer }) => answer.kind === 'no row')) return ['T1', 'a committed mint is dropped']
  for (const { state, intent, owed } of transactions) {
    const { number } = intent
    if (state === 'none') continue
    const applied = books.applied.find((one) => one.intent.number === number)
    const isThere = books.intents.some((one) => one.number === number)
    if (state !== 'committed' && applied !== undefined) return ['T1', `intent ${number} is applied, and it is ${state}`]
    if (state === 'committed' && applied === undefined && !isThere) return ['T1', `intent ${number} is lost`]
    if (applied?.answer.kind !== 'settled' || applied.answer.repeated) continue
    const got = sum(applied.answer.shares)
    if (got < owed) return ['T1', `intent ${number} committed in time for ${owed}, and ${got} are settled`]
  }
  return null
}
