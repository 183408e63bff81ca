import {
  WANTED_ROWS_MAX,
  type EndedLease,
  type EntryRows,
  type ExchangeRows,
  type JoinRows,
  type LoadedBudget,
  type OpenOwner,
  type StoreTime,
  type UpkeepBounds,
  type UpkeepRows,
} from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Batch, BudgetEntry, Entry } from '../../core/exchange.ts'
import type { BudgetRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import { pruneTimeOf } from '../../core/leap.ts'
import { needsRows } from '../../core/standing.ts'
import type { Row } from './client/driver.ts'
import type { StatementCache } from './client/statement-cache.ts'
import { encodeText } from '../../core/stored-text.ts'
import type { Opening, RowCache } from './row-cache.ts'
import {
  budgetFrom,
  firstInteger,
  integer,
  integerOrNull,
  leaseFrom,
  ownerFrom,
  OWNER_WIDTH,
  prunableFrom,
  rowNameFrom,
} from './rows.ts'
import * as sql from './sql.ts'

/* The rows that each transition needs, read inside a write transaction of the caller. */

/** Where the rows of an exchange come from. */
export interface Source {
  readonly statements: StatementCache
  readonly cache: RowCache
}

/** @param epoch the owner that calls; 0 for none */
export function loadOpening({ statements, cache }: Source, epoch: number): Opening {
  const cached = cache.opening(epoch)
  if (cached !== undefined) return cached
  const row = statements.statement(sql.OPENING).get([epoch])
  const opening = {
    timeSeen: integer(row?.[0]),
    wantedUntil: integer(row?.[1]),
    isBurning: integer(row?.[2]) === 1,
    owner: row === undefined || row[3] === null ? undefined : ownerFrom(row, 3),
  }
  cache.keepOpening(opening)
  return opening
}

export function loadJoin(statements: StatementCache, process: string | null): JoinRows {
  return { lastEpoch: firstInteger(statements.statement(sql.LAST_EPOCH).get([])), process }
}

/** @param time store time, ms since 1970 */
export function loadExchange(source: Source, opening: Opening, batch: Batch, time: number): ExchangeRows {
  const { owner, wantedUntil, isBurning } = opening
  if (!needsRows(owner, batch)) return { owner, entries: [], wanted: [] }
  const { statements } = source
  const entries = batch.entries.map((entry) => loadEntry(source, entry, batch.epoch, isBurning))
  const wantedMax = WANTED_ROWS_MAX + entries.length
  const wanted = wantedUntil <= time ? [] : statements.statement(sql.WANTED).all([batch.epoch, time, wantedMax])
  return { owner, entries, wanted: wanted.map(rowNameFrom) }
}

/** @param isGone whether the process of an owner is known to be dead */
export function loadUpkeep(
  statements: StatementCache,
  { leasesMax, rowsMax, ownersKeptMs }: UpkeepBounds,
  at: StoreTime,
  isGone: (owner: OwnerRow) => boolean,
): UpkeepRows {
  const pruneTime = pruneTimeOf(at)
  const open = statements
    .statement(sql.OPEN_OWNERS)
    .all([])
    .map((row) => openOwner(row, isGone))
  const burning = statements
    .statement(sql.BURNING_EPOCHS)
    .all([])
    .map((row) => firstInteger(row))
  const prunable = statements.statement(sql.PRUNABLE_BUDGETS).all([pruneTime, rowsMax]).map(prunableFrom)
  const forgettable = statements.statement(sql.FORGETTABLE_OWNERS).all([pruneTime - ownersKeptMs, rowsMax])
  const [from, leaptAt, until, nextPrunableAt] = statements.statement(sql.LEAP).get([pruneTime]) ?? []
  return {
    open,
    burning,
    ended: burning.length === 0 ? [] : loadEnded(statements, leasesMax),
    prunable,
    nextSweepAt: null,
    nextPrunableAt: integerOrNull(nextPrunableAt),
    leap: { from: integer(from), at: integer(leaptAt), until: integer(until) },
    forgettable: forgettable.map((row) => firstInteger(row)),
  }
}

function openOwner(row: Row, isGone: (owner: OwnerRow) => boolean): OpenOwner {
  const owner = ownerFrom(row)
  return { owner, isGone: isGone(owner), hasLeases: integer(row[OWNER_WIDTH]) === 1 }
}

function loadEnded(statements: StatementCache, max: number): readonly EndedLease[] {
  const budget = statements.statement(sql.READ_BUDGET)
  return statements
    .statement(sql.ENDED_LEASES)
    .all([max])
    .map(leaseFrom)
    .map((lease) => ({ lease, row: readable(() => budget.get([encodeText(lease.key), lease.period])) }))
}

/** Null for a row that cannot be read, so that the other leases still burn. */
function readable(read: () => Row | undefined): BudgetRow | undefined | null {
  try {
    const row = read()
    return row === undefined ? undefined : budgetFrom(row)
  } catch (error) {
    if (error instanceof InvariantError) return null
    throw error
  }
}

function loadEntry(source: Source, entry: Entry, epoch: number, isBurning: boolean): EntryRows | null {
  if (entry.kind === 'void') return null
  try {
    return entry.kind === 'budget'
      ? loadBudget(source, entry, epoch, isBurning)
      : { kind: 'counter', value: loadCounter(source, entry.key) }
  } catch (error) {
    // A value that this store cannot have written (S6): the answer names the row, and other rows are not affected.
    if (error instanceof InvariantError) return { kind: 'damaged', detail: error.message }
    throw error
  }
}

function loadCounter({ statements, cache }: Source, key: string): number {
  const cached = cache.counter(key)
  if (cached !== undefined) return cached
  const value = integer(statements.statement(sql.COUNTER).get([encodeText(key)])?.[0] ?? 0)
  cache.keepCounter(key, value)
  return value
}

function loadBudget(
  source: Source,
  { key, period, mint }: BudgetEntry,
  epoch: number,
  isBurning: boolean,
): LoadedBudget {
  const mintedBefore = mint === undefined ? undefined : loadMint(source.statements, encodeText(key), mint.id)
  if (isBurning) return { kind: 'budget', ...readBudget(source.statements, key, period, epoch, true), mintedBefore }
  let budget = source.cache.budget(key, period, epoch)
  if (budget === undefined) {
    const { row, held, others, othersHeld } = readBudget(source.statements, key, period, epoch, false)
    budget = { row, held, others, othersHeld }
    source.cache.keepBudget(key, period, epoch, budget)
  }
  const { row, held, others, othersHeld } = budget
  return { kind: 'budget', row, held, others, othersHeld, ended: NONE, mintedBefore }
}

function readBudget(
  statements: StatementCache,
  key: string,
  period: number,
  epoch: number,
  isBurning: boolean,
): Omit<LoadedBudget, 'kind' | 'mintedBefore'> {
  const text = encodeText(key)
  const row = statements.statement(sql.BUDGET).get([epoch, epoch, epoch, text, period])
  if (row === undefined) return NO_BUDGET
  const others = integer(row[14])
  const ended = isBurning && others > 0 ? loadEndedOn(statements, text, period) : NONE
  return {
    row: budgetFrom(row),
    held: integer(row[13]),
    others: others - ended.length,
    othersHeld: ended.reduce((sum, lease) => sum - lease.held, integer(row[15])),
    ended,
  }
}

const NONE: readonly LeaseRow[] = []
const NO_BUDGET = { row: undefined, held: 0, others: 0, othersHeld: 0, ended: NONE }

function loadEndedOn(statements: StatementCache, key: string, period: number): readonly LeaseRow[] {
  return statements.statement(sql.ENDED_LEASES_ON).all([key, period]).map(leaseFrom)
}

function loadMint(statements: StatementCache, key: string, id: string): number | undefined {
  const row = statements.statement(sql.MINT).get([key, encodeText(id)])
  return row === undefined ? undefined : firstInteger(row)
}
