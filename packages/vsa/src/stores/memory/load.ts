import {
  WANTED_ROWS_MAX,
  type DeletionRows,
  type EntryRows,
  type ExchangeRows,
  type SourceRows,
  type StoreTime,
  type SweepRows,
  type UpkeepBounds,
  type UpkeepRows,
} from '../../core/adapter.ts'
import type { Batch, BudgetEntry, Entry, RowName } from '../../core/exchange.ts'
import { pruneTimeOf } from '../../core/leap.ts'
import { CHANGED_SOURCES_MAX, LoadBound, upToBound } from '../../core/reservations/load-bound.ts'
import {
  changesBefore,
  namedByTakes,
  type ReservationName,
  reservationsIn,
  sourcesOf,
} from '../../core/reservations/names.ts'
import type { LeaseRow, OwnerRow, ReservationRow } from '../../core/rows.ts'
import { needsRows } from '../../core/standing.ts'
import type { MemoryRows } from './rows.ts'

/**
 * The rows that the batch needs.
 * @param time store time, ms since 1970
 * @param mayForget the store may forget what it acknowledged
 */
export function loadExchange(rows: MemoryRows, batch: Batch, time: number, mayForget = false): ExchangeRows {
  const owner = ownerFor(rows, batch)
  if (!needsRows(owner, batch, mayForget)) return { owner, entries: [], wanted: [] }
  const entries = batch.entries.map((entry) => loadEntry(rows, entry, batch.epoch, time))
  const { reservations, changesMax } = loadReservations(rows, batch)
  return {
    owner,
    entries,
    reservations,
    changesMax,
    sources: loadSources(rows, sourcesOf(reservations, batch), batch.epoch),
    wanted: rows.wantedBy(batch.epoch, time, WANTED_ROWS_MAX + entries.length),
  }
}

function loadReservations(rows: MemoryRows, batch: Batch): Required<Pick<ExchangeRows, 'reservations' | 'changesMax'>> {
  const found = new Set<ReservationRow>()
  const left: ReservationName[] = []
  const bound = new LoadBound(CHANGED_SOURCES_MAX)
  const taken = namedByTakes(batch)
  for (const [at, name] of reservationsIn(batch).entries()) {
    const row = rows.reservation(name.key, name.id)
    if (row === undefined || found.has(row)) continue
    if (at >= taken && bound.isReached) left.push(name)
    else {
      if (at >= taken) bound.add(row)
      found.add(row)
    }
  }
  return { reservations: [...found], changesMax: changesBefore(batch, left) }
}

/** @param at the latest time of those to be swept */
export function loadSweep(rows: MemoryRows, max: number, at: number): SweepRows {
  const due = upToBound(rows.sweepable(at, max))
  return { due, sources: loadSources(rows, sourcesOf(due), NO_EPOCH) }
}

/** P6 */
export function loadDeletion(rows: MemoryRows, key: string, max: number): DeletionRows {
  const reservations = rows.reservationsOf(key, max + 1)
  const budgets = rows.budgetsOf(key).map(({ period }) => ({ key, period }))
  const mints = rows.mintsOf(key, max + 1)
  const loaded = upToBound(reservations.slice(0, max))
  return {
    reservations: loaded,
    sources: loadSources(rows, sourcesOf(loaded), NO_EPOCH),
    budgets: budgets.slice(0, max),
    leases: budgets.slice(0, max).flatMap((row) => [...rows.leasesOn(row)]),
    mints: mints.slice(0, max),
    hasMoreReservations: reservations.length > loaded.length,
    hasMoreBudgets: budgets.length > max,
    hasMoreMints: mints.length > max,
  }
}

/** Stands for no epoch: the first one is 1. */
const NO_EPOCH = 0

function loadSources(
  rows: MemoryRows,
  names: readonly Pick<SourceRows, 'key' | 'period'>[],
  epoch: number,
): readonly SourceRows[] {
  return names.map(({ key, period }) => ({
    key,
    period,
    rows:
      period === null ? { kind: 'counter', value: rows.counter(key) ?? 0 } : loadBudget(rows, { key, period }, epoch),
  }))
}

/** The rows that upkeep needs. The memory store cannot detect dead processes, so owners are reaped only when they expire. */
export function loadUpkeep(
  rows: MemoryRows,
  { leasesMax, rowsMax, ownersKeptMs }: UpkeepBounds,
  at: StoreTime,
): UpkeepRows {
  const pruneTime = pruneTimeOf(at)
  const owners = rows.owners()
  const open = owners
    .filter(({ state }) => state === 'open')
    .map((owner) => ({ owner, isGone: false, hasLeases: rows.hasLeases(owner.epoch) }))
  const closed = owners.filter(({ state }) => state === 'closed')
  const burning = closed.map(({ epoch }) => epoch).filter((epoch) => rows.hasLeases(epoch))
  const ended = rows.leasesOf(burning, leasesMax).map((lease) => ({ lease, row: rows.budget(lease) }))
  const forgettable = closed.filter(({ epoch, seenAt }) => seenAt < pruneTime - ownersKeptMs && !rows.hasLeases(epoch))
  return {
    open,
    burning,
    ended,
    ...rows.prunable(pruneTime, rowsMax),
    forgettable: forgettable.slice(0, rowsMax).map(({ epoch }) => epoch),
    nextSweepAt: rows.nextSweepAt,
    leap: rows.leap,
  }
}

/** An answer that repeats the outcome exposes it: it gets a copy, so that its reader cannot change what is kept. */
function ownerFor(rows: MemoryRows, { epoch, seq }: Batch): OwnerRow | undefined {
  const owner = rows.owner(epoch)
  if (owner === undefined || (owner.state === 'open' && seq > owner.seq)) return owner
  return { ...owner, outcome: structuredClone(owner.outcome) }
}

function loadEntry(rows: MemoryRows, entry: Entry, epoch: number, time: number): EntryRows | null {
  switch (entry.kind) {
    case 'void':
      return null
    case 'counter':
      return { kind: 'counter', value: rows.counter(entry.key) ?? 0 }
    case 'budget':
      return loadBudget(rows, entry, epoch, entry.known ? time : undefined)
  }
}

/** @param knownAt store time, where the entry claims to know the row */
function loadBudget(
  rows: MemoryRows,
  entry: RowName & Pick<BudgetEntry, 'mint' | 'policy'>,
  epoch: number,
  knownAt?: number,
): EntryRows {
  const ended: LeaseRow[] = []
  let held = 0
  let others = 0
  let othersHeld = 0
  for (const lease of rows.leasesOn(entry)) {
    if (lease.epoch === epoch) {
      held = lease.held
    } else if (rows.owner(lease.epoch)?.state === 'open') {
      others += 1
      othersHeld += lease.held
    } else {
      ended.push(lease)
    }
  }
  const mintedBefore = entry.mint === undefined ? undefined : rows.mintedUnits(entry.key, entry.mint.id)
  const row = rows.budget(entry)
  const earlier = row === undefined && entry.policy?.kind === 'window' ? rows.earlierThan(entry) : undefined
  const isDeletedKey = row === undefined && knownAt !== undefined && rows.isDeletedKey(entry.key, knownAt)
  const isDeleted = isDeletedKey || rows.isDeletedLease(epoch, entry)
  return { kind: 'budget', row, held, others, othersHeld, ended, mintedBefore, earlier, isDeleted }
}
