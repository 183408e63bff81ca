/** The statements of the loads. Each message ends with one that has a single column `answer`, the JSON text of a list. */
import type { UpkeepBounds } from '../../core/adapter.ts'
import type { RowName } from '../../core/exchange.ts'
import { encodeText } from '../../core/stored-text.ts'
import { UNITS_MAX } from '../../core/units.ts'
import { isDue, settlementsOf } from './intents.ts'
import { lifeColumns } from './life.ts'
import { integerArray, integerLiteral, textArray, textLiteral } from './literals.ts'
import { hashArray } from './reservation-rows.ts'
import { lockReservations, reservationsOf, SOURCES } from './reservation-sql.ts'
import { BUDGET_COLUMNS, CLOCK, jsonOf, OWNER_COLUMNS, STUB } from './rows.ts'

/** What an exchange loads and locks. */
export interface ExchangeNames {
  readonly epoch: number
  readonly budgets: readonly RowName[]
  /** Of the budgets, those that the exchange may make. */
  readonly makeable: readonly RowName[]
  /** Keys. */
  readonly counters: readonly string[]
  /** Hashes, in hexadecimal. */
  readonly mints: readonly string[]
  /** Hashes of names, in hexadecimal, those of takes first. */
  readonly reservations: readonly string[]
  /** How many of them takes name. */
  readonly taken: number
  readonly wantedMax: number
}

/** The latest store time that was kept. */
export function seen(schema: string): string {
  return `(select greatest(s.time_seen, coalesce((select max(seen_at) from ${schema}.owner where is_open), 0)) from ${schema}.store s)`
}

/** Names as a table `e` with the columns `key` and `period`. */
export function namesOf(rows: readonly RowName[]): string {
  const keys = textArray(rows.map(({ key }) => encodeText(key)))
  return `unnest(${keys}, ${integerArray(rows.map(({ period }) => period))}) e(key, period)`
}

export function loadJoin(schema: string, isWatched: boolean): string {
  return `
select 1 from ${schema}.store for update;
select json_build_array(${schema}.clock_ms(), ${seen(schema)}, ${lifeColumns(schema, isWatched)}, (select epochs from ${schema}.store))::text answer`
}

/**
 * Locks in one order for all: the owner, then reservations, then the rows as they are sorted, then the counters; only a save may lock the row of `store`, behind them.
 * So exchanges wait for one another and never in a circle. The last statement begins when all locks are held: it sees what they guard, and its time
 * is later than every commit that it sees (S1, S10).
 */
export function loadExchange(schema: string, names: ExchangeNames, isWatched: boolean): string {
  const epoch = integerLiteral(names.epoch)
  const owner = `select 1 from ${schema}.owner where epoch = ${epoch} for update;`
  const answer = [
    '(select clock from at)',
    '(select seen from at)',
    lifeColumns(schema, isWatched),
    `(select ${jsonOf('o', OWNER_COLUMNS)} from ${schema}.owner o where epoch = ${epoch})`,
    ...exchangeRows(schema, epoch, names),
  ]
  return `
${owner}
${names.reservations.length === 0 ? '' : lockReservations(schema, names.reservations, names.taken)}
${lockBudgets(schema, names)}
${lockCounters(schema, names)}
with at as materialized (select ${names.reservations.length === 0 ? `${schema}.clock_ms()` : CLOCK} as clock, ${seen(schema)} as seen)
select json_build_array(${answer.join(',\n')})::text answer`
}

/** The budgets that an exchange locks and reads, as a table `e`: those of its entries, and those that its reservations were made from. */
function budgetNames({ budgets, reservations }: ExchangeNames): string {
  if (reservations.length === 0) return namesOf(budgets)
  return `(select e.key, e.period from ${namesOf(budgets)} union select s.key, s.period from (${SOURCES}) s where s.period is not null) e`
}

/** The keys of counters, in the same way. */
function counterKeys({ counters, reservations }: ExchangeNames): string {
  const keys = textArray(counters.map(encodeText))
  if (reservations.length === 0) return `unnest(${keys}) e(key)`
  return `(select e.key from unnest(${keys}) e(key) union select s.key from (${SOURCES}) s where s.period is null) e`
}

/**
 * Counters that units came from are locked in the same statement, where no entry names one; and the last lock of all keeps the time, so that the last statement
 * begins behind it (T1). So reservations cost one statement more.
 */
function lockBudgets(schema: string, names: ExchangeNames): string {
  const { budgets, counters, makeable, reservations } = names
  const make = `
insert into ${schema}.budget (key, period) select e.key, e.period from ${namesOf(makeable)} order by e.key collate "C", e.period
on conflict do nothing;`
  const lock = `
select set_config('vsa.budgets', (select count(*) from (select 1 from ${schema}.budget b join ${budgetNames(names)} on b.key = e.key and b.period = e.period
order by b.key, b.period for update of b) locked)::text, true)${reservations.length > 0 && counters.length === 0 ? `, ${counterLock(schema, names)}` : ''};`
  return `${makeable.length === 0 ? '' : make}${budgets.length + reservations.length === 0 ? '' : lock}`
}

function lockCounters(schema: string, names: ExchangeNames): string {
  if (names.counters.length === 0) return ''
  const keys = textArray(names.counters.map(encodeText))
  return `
insert into ${schema}.counter (key, value) select key, 0 from unnest(${keys}) e(key) order by key collate "C" on conflict do nothing;
select ${counterLock(schema, names)};`
}

function counterLock(schema: string, names: ExchangeNames): string {
  const time = names.reservations.length === 0 ? '' : `, set_config('vsa.clock', ${schema}.clock_ms()::text, true)`
  return `(select count(*) from (select 1 from ${schema}.counter c join ${counterKeys(names)} on c.key = e.key
order by c.key for update of c) locked)${time}`
}

/** Budgets, leases of ended epochs on them, mints, counters, wanted rows, reservations, how many budgets are locked, and deletions. What is not asked for costs nothing. */
function exchangeRows(schema: string, epoch: string, names: ExchangeNames): readonly string[] {
  const { budgets, counters, makeable, mints, reservations, wantedMax } = names
  const rows = budgetNames(names)
  const ifAny = (asked: readonly unknown[], query: string): string => (asked.length === 0 ? 'null' : `(${query})`)
  return [
    ifAny(
      [...budgets, ...reservations],
      `select json_agg(json_build_array(${jsonOf('b', BUDGET_COLUMNS)}, b.leased, b.lessees, coalesce(l.held, 0)${makeable.length === 0 ? '' : earlier(schema)}))
from ${rows} join ${schema}.budget b on b.key = e.key and b.period = e.period
left join ${schema}.lease l on l.epoch = ${epoch} and l.key = b.key and l.period = b.period`,
    ),
    ifAny([...budgets, ...reservations], endedOn(schema, rows, epoch)),
    ifAny(
      mints,
      `select json_agg(json_build_array(encode(hash, 'hex'), units))
from ${schema}.mint where hash = any(${hashArray(mints)})`,
    ),
    ifAny(
      [...counters, ...reservations],
      `select json_agg(json_build_array(c.key, c.value)) from ${schema}.counter c join ${counterKeys(names)} on c.key = e.key`,
    ),
    `(select json_agg(json_build_array(w.key, w.period, w.wanted_until)) from (
select b.key, b.period, b.wanted_until from ${schema}.budget b
join ${schema}.lease l on l.epoch = ${epoch} and l.key = b.key and l.period = b.period
where b.wanted_until > 0 and b.wanted_until > (select greatest(seen, clock) from at) limit ${wantedMax}) w)`,
    ...(reservations.length === 0
      ? ['null', 'null']
      : [`(${reservationsOf(schema, reservations)})`, `(${settlementsOf(schema, reservations)})`]),
    budgets.length + reservations.length === 0 ? '0' : `current_setting('vsa.budgets')::int`,
    ifAny(budgets, deletionsOf(schema, budgets, epoch)),
  ]
}

/**
 * P6: of rows with these keys, those on which this epoch had a lease that was deleted, and when which of the keys were deleted. Read behind the locks, because a
 * deletion may have held them. Each of one table, so that it is planned quickly; one look while no key was ever deleted.
 */
function deletionsOf(schema: string, rows: readonly RowName[], epoch: string): string {
  const keys = textArray(rows.map(({ key }) => encodeText(key)))
  return `select case when exists (select from ${schema}.deleted_key) then json_build_array(
(select json_agg(json_build_array(key, period)) from ${schema}.deleted_lease where epoch = ${epoch} and key = any(${keys})),
(select json_agg(json_build_array(key, deleted_at)) from ${schema}.deleted_key where key = any(${keys}))) end`
}

/** P2: of a row `b` that may be made, the terms of the row before it. */
function earlier(schema: string): string {
  return `, case when b.kind = '${STUB}' then (select json_build_array(p.limit_units, p.burn_max, p.version, p.period, p.ends_at) from ${schema}.budget p
where p.key = b.key and p.period < b.period and p.kind = 'w' order by p.period desc limit 1) end`
}

/** Leases of ended epochs on the rows of a table `e`, as a list in JSON. */
export function endedOn(schema: string, rows: string, epoch: string): string {
  return `select json_agg(json_build_array(l.key, l.period, l.epoch, l.held))
from ${schema}.owner o join ${schema}.lease l on l.epoch = o.epoch join ${rows} on l.key = e.key and l.period = e.period
where o.burning and o.epoch <> ${epoch}`
}

/**
 * One upkeep at a time. It waits for no row behind that of `store`: rows that an exchange has locked are left for the next upkeep, and so are
 * owners that are exchanging, which have not expired. What was locked is kept in settings of this transaction, because a statement that locks and
 * reads would read what was there before the lock.
 * @param lateMs how far store time may be past the latest that was kept, while the clock is behind it
 */
export function loadUpkeep(
  schema: string,
  { leasesMax, rowsMax, ownersKeptMs }: UpkeepBounds,
  lateMs: number,
  isWatched: boolean,
): string {
  const [leases, rows] = [integerLiteral(leasesMax), integerLiteral(rowsMax)]
  return `
select 1 from ${schema}.store for update;
select set_config('vsa.clock', ${schema}.clock_ms()::text, true), set_config('vsa.seen', ${seen(schema)}::text, true);
select set_config('vsa.late', coalesce((select array_agg(epoch)::text from (select epoch from ${schema}.owner
where is_open and expires_at < greatest(${CLOCK}, ${SEEN} + case when ${CLOCK} < ${SEEN} then ${integerLiteral(lateMs)} else 0 end)
order by epoch for update skip locked) o), '{}'), true);
select set_config('vsa.burning', coalesce((select array_agg(epoch)::text from (select epoch from ${schema}.owner
where burning order by epoch for update skip locked) o), '{}'), true);
select set_config('vsa.ended', coalesce((select json_agg(json_build_array(key, period))::text from (
select b.key, b.period from ${schema}.budget b where (b.key, b.period) in (
select key, period from ${schema}.lease where epoch = any(${BURNING}) limit ${leases})
order by b.key, b.period for update skip locked) b), '[]'), true);
with locked as materialized (
select e ->> 0 as key, (e ->> 1)::bigint as period from json_array_elements(current_setting('vsa.ended')::json) e),
prunable as materialized (
select key, period, ends_at from ${schema}.budget where keep_until is not null and keep_until < ${CLOCK} and lessees = 0 and reserved = 0 and coalesce(ends_at, 0) between -${UNITS_MAX} and keep_until
order by keep_until limit ${rows} for update skip locked),
forgettable as materialized (
select epoch from ${schema}.owner where not is_open and not burning and seen_at < ${CLOCK} - ${integerLiteral(ownersKeptMs)}
and not exists (select 1 from ${schema}.lease l where l.epoch = owner.epoch) order by epoch limit ${rows} for update skip locked)
select json_build_array(${CLOCK}, ${SEEN}, ${lifeColumns(schema, isWatched)},
(select json_agg(${jsonOf('o', OWNER_COLUMNS, `, exists (select 1 from ${schema}.lease l where l.epoch = o.epoch)`)} order by o.epoch)
from ${schema}.owner o where o.epoch = any(current_setting('vsa.late')::bigint[])),
(select json_agg(json_build_array(o.epoch,
(select count(*) from (select 1 from ${schema}.lease l where l.epoch = o.epoch limit ${leases} + 1) l)) order by o.epoch)
from unnest(${BURNING}) o(epoch)),
(select json_agg(l.json) from (
select json_build_array(json_build_array(l.key, l.period, l.epoch, l.held),
case when b.key is null then null else json_build_array(${jsonOf('b', BUDGET_COLUMNS)}, b.leased, b.lessees, 0) end) as json
from ${schema}.lease l left join ${schema}.budget b on b.key = l.key and b.period = l.period
where l.epoch = any(${BURNING}) and (b.key is null or exists (select 1 from locked e where e.key = b.key and e.period = b.period)) limit ${leases}) l),
(select json_agg(json_build_array(key, period, ends_at)) from prunable),
(select min(keep_until) from ${schema}.budget where keep_until is not null and keep_until >= ${CLOCK}),
(select json_agg(epoch) from forgettable),
(select json_build_array(leapt_from, leapt_at, leapt_until) from ${schema}.store),
case when exists (select from ${schema}.intent i where ${isDue(schema, CLOCK)}) then 0 else (select min(sweep_at) from ${schema}.reservation) end)::text answer`
}

/** Epochs that ended and are locked: an exchange of one, sent late, may hold the lock of its owner. */
const BURNING = `current_setting('vsa.burning')::bigint[]`
const SEEN = `current_setting('vsa.seen')::bigint`

/** The rows that exist, in the order of the names. */
export function readBudgets(schema: string, rows: readonly RowName[]): string {
  const keys = textArray(rows.map(({ key }) => encodeText(key)))
  const periods = integerArray(rows.map(({ period }) => period))
  return `
select coalesce(json_agg(${jsonOf('b', BUDGET_COLUMNS)} order by e.position), '[]')::text answer
from unnest(${keys}, ${periods}) with ordinality e(key, period, position)
join ${schema}.budget b on b.key = e.key and b.period = e.period`
}

/** A page of rows, each with all leases on it: one statement, so that all are of one moment. */
export function listBudgets(schema: string, key: string | undefined, after: RowName, limit: number): string {
  const ofKey = key === undefined ? '' : `key = ${textLiteral(encodeText(key))} and `
  const behind = `(key, period) > (${textLiteral(encodeText(after.key))} collate "C", ${integerLiteral(after.period)})`
  return `
with page as materialized (
select * from ${schema}.budget where ${ofKey}${behind} order by key, period limit ${integerLiteral(limit)})
select json_build_array(
(select json_agg(${jsonOf('b', BUDGET_COLUMNS)} order by b.key, b.period) from page b),
(select json_agg(json_build_array(l.key, l.period, l.epoch, l.held) order by l.epoch)
from page b join ${schema}.lease l on l.key = b.key and l.period = b.period))::text answer`
}

export function owners(schema: string): string {
  return `select coalesce(json_agg(${jsonOf('o', OWNER_COLUMNS)} order by o.epoch), '[]')::text answer from ${schema}.owner o`
}
