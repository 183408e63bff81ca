import { createHash } from 'node:crypto'
import {
  WANTED_ROWS_MAX,
  type DamagedRow,
  type EntryRows,
  type ExchangeRows,
  type LoadedBudget,
  type SourceRows,
} from '../../core/adapter.ts'
import { mintName } from '../../core/batch-mints.ts'
import { deletedKeysFrom } from '../../core/deleted-keys.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Batch, BudgetEntry, Entry, RowName } from '../../core/exchange.ts'
import { KEY_BYTES_MAX } from '../../core/key.ts'
import {
  changesBefore,
  namedByTakes,
  type ReservationName,
  reservationsIn,
  sourcesOf,
} from '../../core/reservations/names.ts'
import type { LeaseRow } from '../../core/rows.ts'
import { needsRows } from '../../core/standing.ts'
import { encodeText } from '../../core/stored-text.ts'
import {
  encodedNameOf,
  foundBudget,
  isAfter,
  leaseNameOf,
  leasesByRow,
  NO_LOCKS,
  numbersByText,
  readable,
  rowsOf,
  type FoundBudget,
  type Leased,
  type Locked,
  type Unread,
} from './found.ts'
import { settlementsFrom } from './intents.ts'
import { readReservations, reservationHash } from './reservation-rows.ts'
import { budgetFrom, integer, integerOrNull, list, nameOf, ownerFrom, rowNameFrom, text } from './rows.ts'
import type { ExchangeNames } from './sql.ts'

/* What the load of an exchange asks for, and what its answer means. */

export function mintHash(key: string, id: string): string {
  return createHash('sha256').update(mintName(key, id)).digest('hex')
}

/** The rows that an exchange names, without those that this store cannot have. */
export function namesIn(batch: Batch): ExchangeNames {
  const { epoch, entries } = batch
  const possible = entries.filter((entry) => refused(entry) === undefined)
  const budgets = possible.filter((entry) => entry.kind === 'budget')
  return {
    epoch,
    budgets,
    makeable: budgets.filter(({ known, policy }) => !known && policy !== undefined),
    counters: possible.flatMap((entry) => (entry.kind === 'counter' ? entry.key : [])),
    mints: budgets.flatMap(({ key, mint }) => (mint === undefined ? [] : mintHash(key, mint.id))),
    reservations: reservationsIn(batch).map(({ key, id }) => reservationHash(key, id)),
    taken: namedByTakes(batch),
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

interface Found {
  readonly budgets: ReadonlyMap<string, FoundBudget>
  readonly ended: ReadonlyMap<string, Unread<readonly LeaseRow[]>>
  readonly mints: ReadonlyMap<string, Unread<number>>
  readonly counters: ReadonlyMap<string, Unread<number>>
  readonly deletions: FoundDeletions
}

/** P6 */
interface FoundDeletions {
  /** Names of rows, as they are stored, whose lease of this epoch was deleted. */
  readonly leases: ReadonlySet<string>
  /** As they are stored: those that were deleted within 7 days. */
  readonly keys: ReadonlySet<string>
}

const NO_DELETIONS: FoundDeletions = { leases: new Set(), keys: new Set() }

/**
 * @param at store time, ms since 1970, and whether acknowledged writes may be forgotten
 * @returns undefined when the locks are not those that are needed: a row was removed and may be made, or was made again, while it was locked, or a reservation was made
 */
export function exchangeFrom(
  answer: readonly unknown[],
  batch: Batch,
  { time, mayForget }: { readonly time: number; readonly mayForget: boolean },
): { readonly rows: ExchangeRows; readonly locked: Locked } | undefined {
  const [owner, budgets, ended, mints, counters, wanted, remembered, intents, locks, deletions] = answer
  const row = owner === null ? undefined : ownerFrom(owner)
  if (!needsRows(row, batch, mayForget)) return { rows: { owner: row, entries: [], wanted: [] }, locked: NO_LOCKS }
  const found: Found = {
    budgets: new Map(rowsOf(budgets).map(foundBudget)),
    ended: leasesByRow(ended),
    mints: numbersByText(mints),
    counters: numbersByText(counters),
    deletions: deletionsFrom(deletions, time),
  }
  if (found.budgets.size > integer(locks)) return undefined
  if (namesIn(batch).makeable.some((name) => !found.budgets.has(encodedNameOf(name)))) return undefined
  const { named, left } = namedReservations(rowsOf(remembered), batch)
  const taken = namedByTakes(batch)
  const changesMax = changesBefore(batch, left)
  if (left.some(({ at }) => at < taken) || (left.length > 0 && changesMax === 0)) return undefined
  const { rows: reservations, damaged } = readReservations(named)
  const sources = sourcesOf(reservations, batch)
  return {
    rows: {
      owner: row,
      entries: batch.entries.map((entry) => entryRows(found, entry)),
      ...(named.length > 0 && { reservations, damagedReservations: damaged }),
      changesMax,
      ...(intents !== null && { intents: settlementsFrom(intents) }),
      ...(sources.length > 0 && { sources: sources.map((source) => sourceRows(found, source)) }),
      wanted: rowsOf(wanted)
        .filter((name) => isAfter(list(name)[2], time))
        .map(rowNameFrom),
    },
    locked: lockedIn(found, batch, budgetsOf(sources)),
  }
}

function deletionsFrom(value: unknown, time: number): FoundDeletions {
  if (value === null) return NO_DELETIONS
  const [leases, keys] = list(value)
  const kept = rowsOf(keys)
    .map(list)
    .filter(([, deletedAt]) => isAfter(deletedAt, deletedKeysFrom(time) - 1))
  return {
    leases: new Set(rowsOf(leases).map((name) => encodedNameOf(rowNameFrom(name)))),
    keys: new Set(kept.map(([key]) => text(key))),
  }
}

interface NamedColumns {
  readonly named: readonly (readonly [name: ReservationName, columns: unknown])[]
  /** Those that were not locked: behind the bound, or made meanwhile. `at`: in the order of `reservationsIn`. */
  readonly left: readonly (ReservationName & { readonly at: number })[]
}

/**
 * Columns of reservations, each under the names that the batch gives.
 * @param found an answer of `reservationsOf`
 */
function namedReservations([names = null, rows = null]: readonly unknown[], batch: Batch): NamedColumns {
  const columnsOf = new Map(rowsOf(rows).map((columns) => [list(columns)[0], columns]))
  const requestOf = new Map(rowsOf(names).map((pair) => [list(pair)[0], list(pair)[1]]))
  const named: [ReservationName, unknown][] = []
  const left: (ReservationName & { at: number })[] = []
  if (requestOf.size === 0) return { named, left }
  for (const [at, name] of reservationsIn(batch).entries()) {
    const request = requestOf.get(reservationHash(name.key, name.id))
    const columns = columnsOf.get(request)
    if (columns !== undefined) named.push([name, columns])
    else if (request !== undefined) left.push({ ...name, at })
  }
  return { named, left }
}

function entryRows(found: Found, entry: Entry): EntryRows | null {
  if (entry.kind === 'void') return null
  const refusal = refused(entry)
  if (refusal !== undefined) return refusal
  if (entry.kind === 'counter') return readRows(found, { key: entry.key, period: null })
  const rows = readRows(found, entry)
  return rows.kind === 'budget' && isDeleted(found, entry, rows) ? { ...rows, isDeleted: true } : rows
}

/** P6 */
function isDeleted({ deletions }: Found, entry: BudgetEntry, { row }: LoadedBudget): boolean {
  if (deletions.leases.has(encodedNameOf(entry))) return true
  return row === undefined && entry.known && deletions.keys.has(encodeText(entry.key))
}

/** A row that units of a reservation came from. */
export function sourceRows(
  found: Omit<Found, 'mints' | 'deletions'>,
  source: Pick<SourceRows, 'key' | 'period'>,
): SourceRows {
  return { ...source, rows: readRows({ ...found, mints: NO_MINTS }, source) }
}

const NO_MINTS: ReadonlyMap<string, Unread<number>> = new Map()

type Wanted = Pick<SourceRows, 'key' | 'period'> & Pick<BudgetEntry, 'mint' | 'policy'>

function readRows(found: Omit<Found, 'deletions'>, { period, ...wanted }: Wanted): EntryRows {
  try {
    return period === null
      ? { kind: 'counter', value: found.counters.get(encodeText(wanted.key))?.() ?? 0 }
      : budgetRows(found, { ...wanted, period })
  } catch (error) {
    // A value that this store cannot have written (S6): the answer names the row, and other rows are not affected.
    if (error instanceof InvariantError) return { kind: 'damaged', detail: error.message }
    throw error
  }
}

function budgetRows(
  found: Omit<Found, 'deletions'>,
  entry: RowName & Pick<BudgetEntry, 'mint' | 'policy'>,
): LoadedBudget {
  const { key, mint, policy } = entry
  const budget = found.budgets.get(encodedNameOf(entry))
  const mintedBefore = mint === undefined ? undefined : found.mints.get(mintHash(key, mint.id))?.()
  if (budget === undefined || budget.isStub) {
    const earlier = policy?.kind === 'window' ? earlierFrom(budget?.earlier ?? null) : undefined
    return { kind: 'budget', row: undefined, held: 0, others: 0, othersHeld: 0, ended: [], mintedBefore, earlier }
  }
  const { held, leased, lessees } = budget.sums()
  const ended = found.ended.get(nameOf(entry))?.() ?? []
  const endedHeld = ended.reduce((sum, lease) => sum + lease.held, 0)
  return {
    kind: 'budget',
    row: budgetFrom(budget.row),
    held,
    others: lessees - ended.length - (held > 0 ? 1 : 0),
    othersHeld: leased - endedHeld - held,
    ended,
    mintedBefore,
  }
}

/** P2: columns `limit_units, burn_max, version, period, ends_at`. */
function earlierFrom(value: unknown): LoadedBudget['earlier'] {
  if (value === null) return undefined
  const [limit, burnMax, version, period, endsAt] = list(value)
  return {
    limit: integer(limit),
    burnMax: integer(burnMax),
    version: integer(version),
    period: integer(period),
    endsAt: integerOrNull(endsAt),
  }
}

function lockedIn(found: Found, { epoch, entries }: Batch, sources: readonly RowName[]): Locked {
  const names = [...entries.filter((entry) => entry.kind === 'budget'), ...sources]
  const { leased, held } = leasesOn(found, names)
  const stubs: RowName[] = []
  for (const name of names) {
    const budget = found.budgets.get(encodedNameOf(name))
    if (budget === undefined) continue
    if (budget.isStub) stubs.push({ key: name.key, period: name.period })
    held.set(leaseNameOf(name, epoch), readable(budget.sums)?.held ?? 0)
  }
  return { leased, held, stubs }
}

/** The leases on rows as a save must know them, without those of the epoch that calls. A row whose sums or leases cannot be read is not saved. */
export function leasesOn(
  { budgets, ended }: Pick<Found, 'budgets' | 'ended'>,
  names: readonly RowName[],
): { readonly leased: Map<string, Leased>; readonly held: Map<string, number> } {
  const held = new Map<string, number>()
  const leased = new Map<string, Leased>()
  for (const name of names) {
    const sums = readable(() => budgets.get(encodedNameOf(name))?.sums())
    if (sums === undefined || sums === null) continue
    leased.set(nameOf(name), sums)
    for (const lease of readable(() => ended.get(nameOf(name))?.()) ?? [])
      held.set(leaseNameOf(name, lease.epoch), lease.held)
  }
  return { leased, held }
}

export function budgetsOf(sources: readonly Pick<SourceRows, 'key' | 'period'>[]): readonly RowName[] {
  return sources.flatMap(({ key, period }) => (period === null ? [] : { key, period }))
}
