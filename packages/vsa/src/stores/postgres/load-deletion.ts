import type { DeletionRows } from '../../core/adapter.ts'
import { isBoundReached } from '../../core/reservations/load-bound.ts'
import { sourcesOf } from '../../core/reservations/names.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'
import { encodedNameOf, foundBudget, leasesByRow, type Locked, numbersByText, rowsOf } from './found.ts'
import { lifeColumns } from './life.ts'
import { integerLiteral, textLiteral } from './literals.ts'
import { budgetsOf, leasesOn, sourceRows } from './load.ts'
import { keepSources, LOCKED, lockedReservations, SOURCES, upToBound } from './reservation-sql.ts'
import { readReservations } from './reservation-rows.ts'
import { BUDGET_COLUMNS, jsonOf, leaseFrom, rowNameFrom, text } from './rows.ts'
import { seen } from './sql.ts'

/** The rows that units of the locked reservations came from, each once. */
const SOURCE_ROWS = `select distinct s.key, s.period from (${SOURCES}) s where s.period is not null`

/**
 * P6: locks reservations of the key, then the rows of all their sources together with those of the key, then counters: in the order of an exchange, and it waits
 * as that does. What was locked is kept in settings of the transaction, because a statement that locks and reads would read what was there before the lock.
 * Behind the locks nothing is leased, reserved or minted from these rows; what was made meanwhile is told as more.
 * @param max of reservations, of rows of the key and of mints, each
 */
export function loadDeletion(schema: string, key: string, max: number, mayForget: boolean): string {
  const name = textLiteral(encodeText(key))
  const most = integerLiteral(max)
  const requests = upToBound(`select r.hash, n.hash as at, cardinality(r.source_keys) as sources from (
select link, hash from ${schema}.reservation where key = ${name} order by hash limit ${most}) n
join ${schema}.reservation r on r.hash = coalesce(n.link, n.hash)`)
  const reservations = `select r.hash, r.source_keys, r.source_periods from ${schema}.reservation r where r.hash in (${requests})
order by r.hash for update`
  const ofKey = `(select key, period from ${schema}.budget where key = ${name} order by period limit ${most})`
  const sources = `(${SOURCE_ROWS}) e`
  const counters = `(select distinct s.key from (${SOURCES}) s where s.period is null) e`
  return `
${keepSources(reservations)}
select set_config('vsa.budgets', coalesce(json_agg(json_build_array(b.key, b.period)), '[]')::text, true) from (
select b.key, b.period from ${schema}.budget b join (${SOURCE_ROWS} union ${ofKey}) e on b.key = e.key and b.period = e.period
order by b.key, b.period for update of b) b;
select count(*) from (select 1 from ${schema}.counter c join ${counters} on c.key = e.key order by c.key for update of c) c;
with recursive at as materialized (select ${schema}.clock_ms() as clock, ${seen(schema)} as seen),
locked as materialized (select e ->> 0 as key, (e ->> 1)::bigint as period from json_array_elements(current_setting('vsa.budgets')::json) e),
epochs as (select (select min(epoch) from ${schema}.lease) as epoch
union all select (select min(l.epoch) from ${schema}.lease l where l.epoch > e.epoch) from epochs e where e.epoch is not null)
select json_build_array((select clock from at), (select seen from at), ${lifeColumns(schema, mayForget)},
(${lockedReservations(schema)}),
(select json_agg(json_build_array(${jsonOf('b', BUDGET_COLUMNS)}, b.leased, b.lessees, 0))
from ${sources} join ${schema}.budget b on b.key = e.key and b.period = e.period),
(${leasesOf(schema, `${schema}.owner o`, sources, 'o.burning')}),
(select json_agg(json_build_array(c.key, c.value)) from ${schema}.counter c join ${counters} on c.key = e.key),
(select json_agg(json_build_array(key, period) order by key, period) from locked),
(${leasesOf(schema, 'epochs o', 'locked e', `e.key = ${name}`)}),
(select json_agg(id) from (select id from ${schema}.mint where key = ${name} limit ${most} + 1) m),
exists (select from ${schema}.reservation n join ${schema}.reservation r on r.hash = coalesce(n.link, n.hash) where n.key = ${name}
and encode(r.hash, 'hex') not in (select json_array_elements_text(${LOCKED}))),
exists (select from ${schema}.budget b where b.key = ${name} and not exists (select from locked e where e.key = b.key and e.period = b.period)))::text answer`
}

/** Each lease is looked up by the epochs of `o` and the rows of `e`: without `offset 0` all leases may be read. */
function leasesOf(schema: string, epochs: string, rows: string, condition: string): string {
  return `select json_agg(json_build_array(l.key, l.period, l.epoch, l.held)) from ${epochs}, ${rows},
lateral (select * from ${schema}.lease l where l.epoch = o.epoch and l.key = e.key and l.period = e.period offset 0) l where ${condition}`
}

/**
 * The answer of a deletion, without the times.
 * @returns undefined when a row that units came from was made again while it was locked
 */
export function deletionFrom(
  answer: readonly unknown[],
  key: string,
  max: number,
): { readonly rows: DeletionRows; readonly locked: Locked } | undefined {
  const [reservations, budgets, ended, counters, lockedBudgets, leases, mints, hasMoreReservations, hasMoreBudgets] =
    answer
  const found = {
    budgets: new Map(rowsOf(budgets).map(foundBudget)),
    ended: leasesByRow(ended),
    counters: numbersByText(counters),
  }
  const names = rowsOf(lockedBudgets).map(rowNameFrom)
  const locks = new Set(names.map(encodedNameOf))
  if ([...found.budgets.keys()].some((name) => !locks.has(name))) return undefined
  const { rows } = readReservations(rowsOf(reservations).map((columns) => [{}, columns] as const))
  const sources = sourcesOf(rows)
  const ids = rowsOf(mints)
  return {
    rows: {
      reservations: rows,
      sources: sources.map((source) => sourceRows(found, source)),
      budgets: names.filter((name) => name.key === key),
      leases: rowsOf(leases).map(leaseFrom),
      mints: ids.slice(0, max).map((id) => ({ key, id: decodeText(text(id)) })),
      hasMoreReservations: hasMoreReservations === true,
      wereMadeSince: rowsOf(reservations).length < max && !isBoundReached(rows),
      hasMoreBudgets: hasMoreBudgets === true,
      hasMoreMints: ids.length > max,
    },
    locked: { ...leasesOn(found, budgetsOf(sources)), stubs: [] },
  }
}
