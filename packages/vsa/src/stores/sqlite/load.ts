import {
  WANTED_ROWS_MAX,
  type EndedLease,
  type ExchangeRows,
  type JoinRows,
  type OpenOwner,
  type StoreTime,
  type UpkeepBounds,
  type UpkeepRows,
} from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Batch } from '../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../core/rows.ts'
import { pruneTimeOf } from '../../core/leap.ts'
import { reservationsIn } from '../../core/reservations/names.ts'
import { needsRows } from '../../core/standing.ts'
import type { Row } from './client/driver.ts'
import type { StatementCache } from './client/statement-cache.ts'
import { encodeText } from '../../core/stored-text.ts'
import { loadEntry, type Source } from './load-entries.ts'
import { loadReservations } from './load-reservations.ts'
import type { Opening } from './row-cache.ts'
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

/** @param epoch the owner that calls; 0 for none */
export function loadOpening({ statements, cache }: Source, epoch: number): Opening {
  const cached = cache.opening(epoch)
  if (cached !== undefined) return cached
  const row = statements.statement(sql.OPENING).get([epoch])
  const opening = {
    timeSeen: integer(row?.[0]),
    wantedUntil: integer(row?.[1]),
    isBurning: integer(row?.[2]) === 1,
    hasDeletions: integer(row?.[3]) === 1,
    owner: row === undefined || row[4] === null ? undefined : ownerFrom(row, 4),
  }
  cache.keepOpening(opening)
  return opening
}

export function loadJoin(statements: StatementCache, process: string | null): JoinRows {
  return { lastEpoch: firstInteger(statements.statement(sql.LAST_EPOCH).get([])), process }
}

/** @param time store time, ms since 1970 */
export function loadExchange(source: Source, opening: Opening, batch: Batch, time: number): ExchangeRows {
  const { owner, wantedUntil } = opening
  if (!needsRows(owner, batch)) return { owner, entries: [], wanted: [] }
  const { statements } = source
  const entries = batch.entries.map((entry) => loadEntry(source, entry, { epoch: batch.epoch, time }, opening))
  const wantedMax = WANTED_ROWS_MAX + entries.length
  const wanted = wantedUntil <= time ? [] : statements.statement(sql.WANTED).all([batch.epoch, time, wantedMax])
  const names = reservationsIn(batch)
  const reserved = names.length === 0 ? {} : loadReservations(source, batch, names, opening)
  return { owner, entries, ...reserved, wanted: wanted.map(rowNameFrom) }
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
  const [from, leaptAt, until, nextPrunableAt, nextSweepAt] = statements.statement(sql.LEAP).get([pruneTime]) ?? []
  return {
    open,
    burning,
    ended: burning.length === 0 ? [] : loadEnded(statements, leasesMax),
    prunable,
    nextSweepAt: integerOrNull(nextSweepAt),
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
    .map((columns) => {
      if (columns[3] === null) return { lease: leaseFrom([...columns.slice(0, 3), 0]), row: null }
      const lease = leaseFrom(columns)
      return { lease, row: readable(() => budget.get([encodeText(lease.key), lease.period])) }
    })
}

/** Null for a row that cannot be read: the other leases still burn. */
function readable(read: () => Row | undefined): BudgetRow | undefined | null {
  try {
    const row = read()
    return row === undefined ? undefined : budgetFrom(row)
  } catch (error) {
    if (error instanceof InvariantError) return null
    throw error
  }
}
