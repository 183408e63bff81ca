import { must } from '../simulation/violation.ts'
import type { Bounds } from './bounds.ts'
import type { Books, Owner, World } from './world.ts'

/** What must hold in every state. @throws Violation */
export function checkLaws(bounds: Bounds, world: World): void {
  for (const [row, { key, atRisk, burnMax }] of bounds.rows.entries()) {
    const count = world.counts[row]
    const books = world.books.rows[row] ?? null
    if (count === undefined) continue
    const { admitted, minted } = count
    must(admitted <= minted, 'L1', () => `${admitted} units of ${key} are admitted, and ${minted} were minted`)
    must(
      count.mintsTold <= 1,
      'L3',
      () => `${count.mintsTold} callers were answered that their mint created the units of ${key}`,
    )
    must(
      count.mintsTold === 0 || count.mint !== null,
      'L3',
      () => `a caller was answered that ${key} was minted, and the store has no such mint`,
    )
    const held = heldOn(world.books, row)
    if (books === null) {
      must(held.length === 0, 'L2', () => `${held.join(' + ')} units of ${key} are leased, and its row does not exist`)
      continue
    }
    const { used, pool, burned } = books
    const sum = held.reduce((total, units) => total + units, 0)
    must(
      books.minted === used + pool + burned + sum && used >= 0 && burned >= 0,
      'L2',
      () => `minted ${books.minted} of ${key} is not used ${used} + pool ${pool} + burned ${burned} + held ${sum}`,
    )
    must(books.minted === minted, 'L1', () => `${key} has minted ${books.minted}, and ${minted} units were minted`)
    must(used <= admitted, 'L3', () => `${used} units of ${key} are used, and ${admitted} were admitted`)
    must(
      admitted <= used + burned + sum,
      'L1',
      () => `${admitted} units of ${key} are admitted, and only ${used} used, ${burned} burned and ${sum} leased`,
    )
    must(
      held.every((units) => units <= atRisk),
      'L4',
      () => `a lease on ${key} holds ${Math.max(...held)} units, and ${atRisk} are at risk`,
    )
    const burnedMax = burnMax + atRisk * world.owners.length
    must(burned <= burnedMax, 'L4', () => `${burned} units of ${key} have burned, ${burnedMax} at most`)
  }
}

function heldOn(books: Books, row: number): readonly number[] {
  return books.epochs.map(({ held }) => held[row] ?? 0).filter((units) => units > 0)
}

/** Nothing is in flight, no request waits, and nothing is held or owed. */
export function isDrained({ owners, network, books }: World): boolean {
  if (network.length > 0 || !owners.every(isIdle)) return false
  return books.epochs.every(({ held }) => held.every((units) => units === 0))
}

function isIdle({ session, closing, requests, leases }: Owner): boolean {
  if (closing || session.batch !== null || requests.length > 0) return false
  return leases.every(
    ({ held, left, refund, mint, unsent, owed }) => held + left + refund + unsent + owed === 0 && mint === null,
  )
}

/** No unit is left to admit: every minted unit is used or burned. */
export function isSpent({ books }: World): boolean {
  return books.rows.every((row) => row !== null && row.used + row.burned === row.minted)
}

/** L3, in a drained state: admitted units equal used units, except for burned ones. @throws Violation */
export function checkDrained(bounds: Bounds, world: World): void {
  for (const [row, { key }] of bounds.rows.entries()) {
    const books = world.books.rows[row] ?? null
    const admitted = world.counts[row]?.admitted ?? 0
    if (books === null) continue
    const { used, burned } = books
    must(
      admitted <= used + burned && (burned > 0 || used === admitted),
      'L3',
      () => `in a drained state, ${admitted} units of ${key} were admitted, ${used} are used and ${burned} burned`,
    )
  }
}
