import { WANTED_ROWS_MAX, type DamagedRow, type EntryRows, type ExchangeRows } from '../../core/adapter.ts'
import { deletedKeysFrom } from '../../core/deleted-keys.ts'
import type { Batch, BudgetEntry, Entry } from '../../core/exchange.ts'
import { changesBefore, namedByTakes, reservationsIn, sourcesOf } from '../../core/reservations/names.ts'
import { needsRows } from '../../core/standing.ts'
import type { RedisArgument } from './client.ts'
import { reservationsFrom } from './found-reservations.ts'
import { byName, FoundRows, readable } from './found-rows.ts'
import { fieldOf, idFieldOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import {
  bytesOf,
  bytesOrNone,
  list,
  number,
  pairs,
  rowNameFrom,
  score,
  text,
  tuples,
  unpackBudget,
  unpackOwner,
} from './rows.ts'

/* What the load of an exchange asks for, and what its answer means. */

/** The names of a batch, as the fields of hashes. */
interface Names {
  readonly budgets: readonly string[]
  readonly counters: readonly string[]
  readonly mints: readonly string[]
  readonly reservations: readonly string[]
  /** P2: positions, from 1, of budgets with windows whose row may be made. */
  readonly starts: readonly string[]
}

/** The arguments of `LOAD_EXCHANGE`, behind the time. */
export function exchangeArguments(batch: Batch): readonly RedisArgument[] {
  const { budgets, counters, mints, reservations, starts } = namesIn(batch)
  const lists = [budgets, counters, mints, reservations, starts].flatMap((names) => [String(names.length), ...names])
  const taken = Math.min(reservations.length, namedByTakes(batch))
  return [String(batch.epoch), ...lists, String(WANTED_ROWS_MAX + batch.entries.length), String(taken)]
}

function namesIn(batch: Batch): Names {
  const { entries } = batch
  const budgets = entries.filter((entry) => entry.kind === 'budget').filter((entry) => refused(entry) === undefined)
  return {
    budgets: budgets.map(fieldOf),
    counters: entries.flatMap((entry) => (entry.kind === 'counter' ? entry.key : [])),
    mints: budgets.flatMap(({ key, mint }) => (mint === undefined ? [] : idFieldOf(key, mint.id))),
    reservations: reservationsIn(batch).map(({ key, id }) => idFieldOf(key, id)),
    starts: budgets.flatMap(({ policy }, at) => (policy?.kind === 'window' ? String(at + 1) : [])),
  }
}

/** Such an entry must not fail the whole batch: its row is answered `breach` (S6). */
function refused({ period }: BudgetEntry): DamagedRow | undefined {
  if (Number.isSafeInteger(period)) return undefined
  return { kind: 'damaged', detail: `the period must be a safe integer, got ${period}` }
}

/**
 * @param answer of `LOAD_EXCHANGE`, without the state
 * @param at store time, ms since 1970, and whether acknowledged writes may be forgotten
 * @param loaded gets what a save must find unchanged
 */
export function exchangeFrom(
  answer: readonly unknown[],
  batch: Batch,
  { time, mayForget }: { readonly time: number; readonly mayForget: boolean },
  loaded: Loaded,
): ExchangeRows {
  const [ownerBytes, moreBudgets, moreCounters, budgets, held, ended, counters, ...others] = answer
  const [mints, remembered, earlier, wanted, deleted] = others
  const bytes = bytesOrNone(ownerBytes)
  const owner = bytes === undefined ? undefined : unpackOwner(batch.epoch, bytes)
  if (!needsRows(owner, batch, mayForget)) return { owner, entries: [], wanted: [] }
  const names = namesIn(batch)
  const found = new FoundRows({
    budgets: { fields: [...names.budgets, ...list(moreBudgets).map(text)], values: budgets },
    counters: { fields: [...names.counters, ...list(moreCounters).map(text)], values: counters },
    held,
    ended,
  })
  loaded.owner(batch.epoch, bytes)
  found.keep(loaded, batch.epoch)
  const rest = {
    mints: byName(names.mints, mints),
    earlier: earlierByField(names, earlier),
    deleted: deletedByField(names, deleted, time),
  }
  const named = reservationsIn(batch)
  const read = pairs(remembered).length
  const reservations = reservationsFrom(named.slice(0, read), remembered, found, loaded)
  return {
    owner,
    entries: batch.entries.map((entry) => entryRows(found, rest, entry)),
    reservations: reservations.rows,
    changesMax: changesBefore(batch, named.slice(read)),
    damagedReservations: reservations.damaged,
    sources: sourcesOf(reservations.rows, batch).map((source) => found.source(source)),
    wanted: pairs(wanted)
      .filter(([, until]) => score(until) > time)
      .map(([field]) => rowNameFrom(field)),
  }
}

interface FoundRest {
  readonly mints: ReadonlyMap<string, Buffer | undefined>
  /** P2 */
  readonly earlier: ReadonlyMap<string, PackedEarlier>
  /** P6: rows whose lease was deleted (true), and those that are not there, of keys that were deleted within 7 days. */
  readonly deleted: ReadonlyMap<string, boolean>
}

interface PackedEarlier {
  readonly bytes: Buffer
  readonly period: number
}

/** @param earlier flat list of (position from 1, packed row, period) */
function earlierByField({ budgets }: Names, earlier: unknown): ReadonlyMap<string, PackedEarlier> {
  const found = tuples(earlier, 3).map(([position, row, period]) => {
    const packed = { bytes: bytesOf(row), period: number(period) }
    return [budgets[number(position) - 1] ?? '', packed] as const
  })
  return new Map(found)
}

/** @param deleted flat list of (position from 1, when the key was; empty where the lease was) */
function deletedByField({ budgets }: Names, deleted: unknown, time: number): ReadonlyMap<string, boolean> {
  const found = pairs(deleted)
    .map(([position, when]) => ({ field: budgets[number(position) - 1] ?? '', isLease: text(when) === '', when }))
    .filter(({ isLease, when }) => isLease || score(when) >= deletedKeysFrom(time))
  return new Map(found.map(({ field, isLease }) => [field, isLease]))
}

function entryRows(found: FoundRows, rest: FoundRest, entry: Entry): EntryRows | null {
  if (entry.kind === 'void') return null
  if (entry.kind === 'counter') return readable(() => found.counter(entry.key))
  return refused(entry) ?? readable(() => budgetRows(found, rest, entry))
}

/** The earlier row need not be as it was when this is saved: what is saved now came before what changes it. */
function budgetRows(found: FoundRows, { mints, earlier, deleted }: FoundRest, entry: BudgetEntry): EntryRows {
  const minted = entry.mint === undefined ? undefined : mints.get(idFieldOf(entry.key, entry.mint.id))
  const rows = found.budget(entry, minted === undefined ? undefined : number(minted))
  const isLeaseDeleted = deleted.get(fieldOf(entry))
  if (isLeaseDeleted === true || (isLeaseDeleted === false && entry.known)) return { ...rows, isDeleted: true }
  const before = earlier.get(fieldOf(entry))
  const { key } = entry
  const earlierRow =
    before === undefined ? undefined : readable(() => unpackBudget({ key, period: before.period }, before.bytes).row)
  // A row that cannot be read hands nothing on.
  return earlierRow === undefined || earlierRow.kind === 'damaged' ? rows : { ...rows, earlier: earlierRow }
}
