import { createHash } from 'node:crypto'
import {
  WANTED_ROWS_MAX,
  type DamagedRow,
  type EndedLease,
  type EntryRows,
  type ExchangeRows,
  type OpenOwner,
  type UpkeepRows,
} from '../../core/adapter.ts'
import { KEY_BYTES_MAX } from '../../core/key.ts'
import { mintName } from '../../core/batch-mints.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Batch, BudgetEntry, Entry, RowName } from '../../core/exchange.ts'
import type { BudgetRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import { needsRows } from '../../core/standing.ts'
import { encodeText } from '../../core/stored-text.ts'
import {
  budgetFrom,
  integer,
  integerOrNull,
  leaseFrom,
  list,
  nameOf,
  ownerFrom,
  OWNER_WIDTH,
  prunableFrom,
  rowNameFrom,
  STUB,
  text,
} from './rows.ts'
import type { ExchangeNames } from './sql.ts'

/* What a load asks for, and what its answer means. */

/** The sum and the number of the leases on a row, as its columns have them. */
export interface Leased {
  readonly leased: number
  readonly lessees: number
}

/** What a save must know of the rows that were loaded. */
export interface Locked {
  /** By name of the row. */
  readonly leased: ReadonlyMap<string, Leased>
  /** Units by name of the row and epoch. */
  readonly held: ReadonlyMap<string, number>
  /** Rows that hold the lock of one that may be made. */
  readonly stubs: readonly RowName[]
}

/** The name of a lease, in maps. */
export function leaseNameOf(row: RowName, epoch: number): string {
  return `${epoch}:${nameOf(row)}`
}

export function mintHash(key: string, id: string): string {
  return createHash('sha256').update(mintName(key, id)).digest('hex')
}

/** The rows that an exchange names, without those that this store cannot have. */
export function namesIn({ epoch, entries }: Batch): ExchangeNames {
  const possible = entries.filter((entry) => refused(entry) === undefined)
  const budgets = possible.filter((entry) => entry.kind === 'budget')
  return {
    epoch,
    budgets,
    makeable: budgets.filter(({ known, policy }) => !known && policy !== undefined),
    counters: possible.flatMap((entry) => (entry.kind === 'counter' ? entry.key : [])),
    mints: budgets.flatMap(({ key, mint }) => (mint === undefined ? [] : mintHash(key, mint.id))),
    wantedMax: WANTED_ROWS_MAX + entries.length,
  }
}

/** Such an entry must not fail the whole batch: its row is answered `breach` (S6). */
export function refused(entry: Entry): DamagedRow | undefined {
  if (entry.kind === 'void') return undefined
  if (Buffer.byteLength(encodeText(entry.key)) > KEY_BYTES_MAX)
    return { kind: 'damaged', detail: `a key of more than ${KEY_BYTES_MAX} bytes of UTF-8 does not fit into Postgres` }
  if (entry.kind === 'counter' || Number.isSafeInteger(entry.period)) return undefined
  return { kind: 'damaged', detail: `the period must be a safe integer, got ${entry.period}` }
}

interface FoundBudget extends Leased {
  /** Not read yet, so that one damaged row does not hide the others. */
  readonly row: unknown
  readonly isStub: boolean
  readonly held: number
}

interface Found {
  readonly budgets: ReadonlyMap<string, FoundBudget>
  readonly ended: ReadonlyMap<string, readonly LeaseRow[]>
  readonly mints: ReadonlyMap<string, number>
  readonly counters: ReadonlyMap<string, number>
}

/**
 * @param at store time, ms since 1970, and whether acknowledged writes may be forgotten
 * @returns undefined when a row that may be made was removed while it was locked: nothing holds its lock
 */
export function exchangeFrom(
  answer: readonly unknown[],
  batch: Batch,
  { time, mayForget }: { readonly time: number; readonly mayForget: boolean },
): { readonly rows: ExchangeRows; readonly locked: Locked } | undefined {
  const [owner, budgets, ended, mints, counters, wanted] = answer
  const row = owner === null ? undefined : ownerFrom(owner)
  if (!needsRows(row, batch, mayForget)) return { rows: { owner: row, entries: [], wanted: [] }, locked: NOTHING }
  const found: Found = {
    budgets: new Map(rowsOf(budgets).map(foundBudget)),
    ended: byRow(rowsOf(ended).map(leaseFrom)),
    mints: numbersByText(mints),
    counters: numbersByText(counters),
  }
  if (namesIn(batch).makeable.some((name) => !found.budgets.has(encodedNameOf(name)))) return undefined
  return {
    rows: {
      owner: row,
      entries: batch.entries.map((entry) => entryRows(found, entry)),
      wanted: rowsOf(wanted)
        .filter((name) => integer(list(name)[2]) > time)
        .map(rowNameFrom),
    },
    locked: lockedIn(found, batch),
  }
}

function entryRows(found: Found, entry: Entry): EntryRows | null {
  if (entry.kind === 'void') return null
  const damaged = refused(entry)
  if (damaged !== undefined) return damaged
  try {
    return entry.kind === 'budget'
      ? budgetRows(found, entry)
      : { kind: 'counter', value: found.counters.get(encodeText(entry.key)) ?? 0 }
  } catch (error) {
    // A value that this store cannot have written (S6): the answer names the row, and other rows are not affected.
    if (error instanceof InvariantError) return { kind: 'damaged', detail: error.message }
    throw error
  }
}

function budgetRows(found: Found, entry: BudgetEntry): EntryRows {
  const { key, mint } = entry
  const budget = found.budgets.get(encodedNameOf(entry))
  const ended = found.ended.get(nameOf(entry)) ?? []
  const mintedBefore = mint === undefined ? undefined : found.mints.get(mintHash(key, mint.id))
  if (budget === undefined || budget.isStub)
    return { kind: 'budget', row: undefined, held: 0, others: 0, othersHeld: 0, ended: [], mintedBefore }
  const { row, held, leased, lessees } = budget
  const endedHeld = ended.reduce((sum, lease) => sum + lease.held, 0)
  return {
    kind: 'budget',
    row: budgetFrom(row),
    held,
    others: lessees - ended.length - (held > 0 ? 1 : 0),
    othersHeld: leased - endedHeld - held,
    ended,
    mintedBefore,
  }
}

function lockedIn(found: Found, { epoch, entries }: Batch): Locked {
  const names = entries.filter((entry) => entry.kind === 'budget')
  const held = new Map<string, number>()
  const leased = new Map<string, Leased>()
  const stubs: RowName[] = []
  for (const name of names) {
    const budget = found.budgets.get(encodedNameOf(name))
    if (budget === undefined) continue
    if (budget.isStub) stubs.push(name)
    leased.set(nameOf(name), budget)
    held.set(leaseNameOf(name, epoch), budget.held)
    for (const lease of found.ended.get(nameOf(name)) ?? []) held.set(leaseNameOf(name, lease.epoch), lease.held)
  }
  return { leased, held, stubs }
}

/** The answer of an upkeep, without the times. */
export function upkeepFrom(answer: readonly unknown[]): { readonly rows: UpkeepRows; readonly locked: Locked } {
  const [late, burning, ended, prunable, nextPrunableAt, forgettable, leap] = answer
  const [from, at, until] = list(leap)
  const leases = rowsOf(ended).map(endedFrom)
  const perEpoch = countsOf(leases.map(({ lease }) => lease.epoch))
  return {
    rows: {
      open: rowsOf(late).map(openOwner),
      // An epoch with a lease that was left out burns on.
      burning: rowsOf(burning)
        .map(list)
        .filter(([epoch, count]) => (perEpoch.get(integer(epoch)) ?? 0) >= integer(count))
        .map(([epoch]) => integer(epoch)),
      ended: leases,
      prunable: rowsOf(prunable).map(prunableFrom),
      nextSweepAt: null,
      nextPrunableAt: integerOrNull(nextPrunableAt),
      forgettable: rowsOf(forgettable).map(integer),
      leap: { from: integer(from), at: integer(at), until: integer(until) },
    },
    locked: {
      leased: new Map(
        rowsOf(ended).flatMap((value) => {
          const budget = list(value)[1]
          return budget === null ? [] : [[nameOf(rowNameFrom(list(budget)[0])), foundBudget(budget)[1]]]
        }),
      ),
      held: new Map(leases.map(({ lease }) => [leaseNameOf(lease, lease.epoch), lease.held])),
      stubs: [],
    },
  }
}

const NOTHING: Locked = { leased: new Map(), held: new Map(), stubs: [] }

function openOwner(value: unknown): OpenOwner {
  const owner: OwnerRow = ownerFrom(value)
  return { owner, isGone: false, hasLeases: list(value)[OWNER_WIDTH] === true }
}

function endedFrom(value: unknown): EndedLease {
  const [lease, budget] = list(value)
  return { lease: leaseFrom(lease), row: budget === null ? undefined : readable(list(budget)[0]) }
}

/** Null for a row that cannot be read, so that the other leases still burn. */
function readable(value: unknown): BudgetRow | null {
  try {
    return budgetFrom(value)
  } catch (error) {
    if (error instanceof InvariantError) return null
    throw error
  }
}

/** A budget row with its columns `leased` and `lessees`, and this epoch's lease; under its name as it is stored. */
function foundBudget(value: unknown): readonly [name: string, budget: FoundBudget] {
  const [row, leased, lessees, held] = list(value)
  const [key, period, kind] = list(row)
  const budget = { row, isStub: kind === STUB, leased: integer(leased), lessees: integer(lessees), held: integer(held) }
  return [`${integer(period)}:${text(key)}`, budget]
}

function encodedNameOf({ key, period }: RowName): string {
  return `${period}:${encodeText(key)}`
}

function byRow(leases: readonly LeaseRow[]): ReadonlyMap<string, readonly LeaseRow[]> {
  const rows = new Map<string, LeaseRow[]>()
  for (const lease of leases) {
    const onRow = rows.get(nameOf(lease))
    if (onRow === undefined) rows.set(nameOf(lease), [lease])
    else onRow.push(lease)
  }
  return rows
}

function countsOf(epochs: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const epoch of epochs) counts.set(epoch, (counts.get(epoch) ?? 0) + 1)
  return counts
}

function numbersByText(value: unknown): ReadonlyMap<string, number> {
  return new Map(
    rowsOf(value).map((pair) => {
      const [name, number] = list(pair)
      return [text(name), integer(number)]
    }),
  )
}

/** `json_agg` of no rows is null. */
function rowsOf(value: unknown): readonly unknown[] {
  return value === null ? [] : list(value)
}
