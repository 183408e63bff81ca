import type { SourceRows, SweepRows } from '../../core/adapter.ts'
import { sourceNameOf, sourcesOf } from '../../core/reservations/names.ts'
import { encodeText } from '../../core/stored-text.ts'
import { encodedNameOf, foundBudget, leasesByRow, type Locked, numbersByText, rowsOf } from './found.ts'
import { keepMinted, MINTED, settled, sweptFrom, sweptIntents } from './intents.ts'
import { lifeColumns } from './life.ts'
import { integerLiteral } from './literals.ts'
import { budgetsOf, leasesOn, sourceRows } from './load.ts'
import { keepSources, lockedReservations, SOURCES, upToBound } from './reservation-sql.ts'
import { readReservations, reservationHash } from './reservation-rows.ts'
import { BUDGET_COLUMNS, CLOCK, jsonOf, rowNameFrom } from './rows.ts'
import { endedOn, seen } from './sql.ts'

/** Stands for no epoch: the first one is 1. */
const NO_EPOCH = '0'

/**
 * Locks reservations that are to be swept, or that an intent settles, what their units came from, and the rows that mints go to. It waits for no row: a
 * reservation is left for the next sweep while another transaction has locked it or one of its rows. Two sweeps at the same time have different ones.
 */
export function loadSweep(schema: string, max: number, isWatched: boolean): string {
  const most = integerLiteral(max)
  const due = `select r.hash, r.source_keys, r.source_periods from ${schema}.reservation r where r.hash in (
(${upToBound(`select hash, sweep_at as at, cardinality(source_keys) as sources from ${schema}.reservation where sweep_at <= ${CLOCK} order by sweep_at limit ${most}`)})
union (${upToBound(settled(schema, most))}))
for update skip locked`
  const budgets = `(select s.key, s.period from (${SOURCES}) s where s.period is not null union ${MINTED}) e`
  const counters = `(select distinct s.key from (${SOURCES}) s where s.period is null) e`
  return `
select set_config('vsa.clock', ${schema}.clock_ms()::text, true);
${keepSources(due)}
${keepMinted(schema, most)}
select set_config('vsa.budgets', coalesce(json_agg(json_build_array(b.key, b.period)), '[]')::text, true) from (
select b.key, b.period from ${schema}.budget b join ${budgets} on b.key = e.key and b.period = e.period
order by b.key, b.period for update of b skip locked) b;
select set_config('vsa.counters', coalesce(json_agg(c.key), '[]')::text, true) from (
select c.key from ${schema}.counter c join ${counters} on c.key = e.key order by c.key for update of c skip locked) c;
select json_build_array(${CLOCK}, ${seen(schema)}, ${lifeColumns(schema, isWatched)},
(${lockedReservations(schema)}),
(select json_agg(json_build_array(${jsonOf('b', BUDGET_COLUMNS)}, b.leased, b.lessees, 0))
from ${budgets} join ${schema}.budget b on b.key = e.key and b.period = e.period),
(${endedOn(schema, budgets, NO_EPOCH)}),
(select json_agg(json_build_array(c.key, c.value)) from ${schema}.counter c join ${counters} on c.key = e.key),
current_setting('vsa.budgets')::json, current_setting('vsa.counters')::json,
(${sweptIntents(schema, most)}), current_setting('vsa.minted')::json)::text answer`
}

/** The answer of a sweep, without the times. */
export function sweepFrom(answer: readonly unknown[]): { readonly rows: SweepRows; readonly locked: Locked } {
  const [reservations, budgets, ended, counters, lockedBudgets, lockedCounters, intents, minted] = answer
  const found = {
    budgets: new Map(rowsOf(budgets).map(foundBudget)),
    ended: leasesByRow(ended),
    counters: numbersByText(counters),
  }
  const budgetLocks = new Set(rowsOf(lockedBudgets).map((name) => encodedNameOf(rowNameFrom(name))))
  const counterLocks = new Set(rowsOf(lockedCounters))
  const isLocked = ({ key, period }: Pick<SourceRows, 'key' | 'period'>): boolean => {
    if (period === null) return counterLocks.has(encodeText(key)) || !found.counters.has(encodeText(key))
    const name = encodedNameOf({ key, period })
    return budgetLocks.has(name) || !found.budgets.has(name)
  }
  const { rows } = readReservations(rowsOf(reservations).map((columns) => [{}, columns] as const))
  const due = rows.filter((row) => sourcesOf([row]).every(isLocked))
  const hashes = new Set(due.map(({ key, id }) => reservationHash(key, id)))
  const mintedRows = rowsOf(minted)
    .map(rowNameFrom)
    .filter((name) => budgetLocks.has(encodedNameOf(name)))
  const periods = new Map(mintedRows.map(({ key, period }) => [key, period]))
  const sources = named([...sourcesOf(due), ...mintedRows])
  return {
    rows: {
      due,
      intents: sweptFrom(intents, (hash) => hashes.has(hash), periods),
      sources: sources.map((source) => sourceRows(found, source)),
    },
    locked: { ...leasesOn(found, budgetsOf(sources)), stubs: [] },
  }
}

/** Each once. */
function named(sources: readonly Pick<SourceRows, 'key' | 'period'>[]): readonly Pick<SourceRows, 'key' | 'period'>[] {
  return [...new Map(sources.map((source) => [sourceNameOf(source), source])).values()]
}
