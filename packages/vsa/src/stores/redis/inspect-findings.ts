import { reservationFindings } from './inspect-reservations.ts'
import { keyOf, type KeyName } from './keys.ts'
import { list, number, pairs, rowNameFrom, text } from './rows.ts'
import { scan } from './scan.ts'
import { LEASE_PAGE, LEASED_EPOCHS } from './scripts/inspect.ts'
import type { Session } from './session.ts'

/** What the store has counted, and what is there. */
export interface Counts {
  /** Of the store's keys, besides those of leases. */
  readonly keys: number
  /** Null where the row of the store, or a part of it, is missing. */
  readonly schema: string | null
  /** The highest epoch that was given. */
  readonly epochs: string | null
  readonly parts: readonly Part[]
  /** Members of the index that have a score, and so break its order. */
  readonly misplaced: number
}

interface Part {
  readonly key: KeyName
  readonly written: string | null
  readonly found: number
}

/** The most findings of one check. */
const FINDINGS_MAX = 100
/** Epochs of one script (R5). */
const PAGE_EPOCHS = 1_000
/** Leases of one script (R5). */
const PAGE_LEASES = 250

/** What is wrong with a store beside its rows: elements that are missing or too many (R6), and leases without a row or an owner, reservations that are not found or not swept. */
export async function findings(session: Session, counts: Counts): Promise<readonly string[]> {
  const found = [...countFindings(session.prefix, counts)]
  for (const more of [leaseFindings(session, Number(counts.epochs ?? 0)), reservationFindings(session)])
    for await (const finding of more) {
      if (found.length >= FINDINGS_MAX) return found
      found.push(finding)
    }
  return found
}

function* countFindings(prefix: string, { schema, parts, misplaced }: Counts): Generator<string> {
  if (schema === null) {
    yield `the key ${keyOf(prefix, 's')} is missing or has no schema, and other keys of the store are there`
    return
  }
  for (const { key, written, found } of parts)
    if (written !== String(found))
      yield `the key ${keyOf(prefix, key)} has ${found} elements, and ${written ?? 'no number'} were written`
  if (misplaced > 0) yield `the key ${keyOf(prefix, 'i')} has ${misplaced} members out of order`
}

/** @param epochs the highest that was given */
async function* leaseFindings(session: Session, epochs: number): AsyncGenerator<string> {
  for (let from = 1; from <= epochs; from += PAGE_EPOCHS) {
    const values = [String(from), String(Math.min(epochs, from + PAGE_EPOCHS - 1))]
    for (const epoch of list(await session.run({ script: LEASED_EPOCHS, values, phase: 'load' })).map(text))
      yield* epochFindings(session, epoch)
  }
}

async function* epochFindings(session: Session, epoch: string): AsyncGenerator<string> {
  let isLost = false
  for await (const [owner, live, leases] of scan(session, LEASE_PAGE, PAGE_LEASES, [epoch])) {
    const hasOwner = number(owner) === 1
    const onPage = pairs(leases)
    // An owner that ended meanwhile has none any more.
    isLost ||= onPage.length > 0 && hasOwner && number(live) === 0
    for (const [field, row] of onPage) {
      const missing = [...(number(row) === 1 ? [] : ['a row']), ...(hasOwner ? [] : ['an owner'])].join(' and ')
      if (missing !== '') yield `the lease of epoch ${epoch} on ${rowText(field)} is without ${missing}`
    }
  }
  if (isLost) yield `the leases of epoch ${epoch} are in no list: upkeep will not burn them`
}

function rowText(field: unknown): string {
  const { key, period } = rowNameFrom(field)
  return `${JSON.stringify(key)}, period ${period},`
}
