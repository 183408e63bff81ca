import { CHANGED_SOURCES_MAX, LOADED_SOURCES_MAX } from '../../core/reservations/load-bound.ts'
import { hashArray, reservationColumns } from './reservation-rows.ts'

/*
 * Locks of reservations: they come behind that of the owner, and before those of budgets and counters. What was locked is kept in settings of the transaction,
 * because the rows that units came from are known only then.
 */

/** What changes of so few names load is bounded by that. */
const BOUNDED_FROM = 5

/**
 * Locks the reservations that these hashes name. Where one of them is made meanwhile, the answer has it, and not among those that were locked.
 * @param taken how many of the first ones takes name: of the others, those up to the bound are locked
 */
export function lockReservations(schema: string, hashes: readonly string[], taken: number): string {
  const requests =
    hashes.length - taken < BOUNDED_FROM
      ? `select coalesce(n.link, n.hash) from ${schema}.reservation n where n.hash = any(${hashArray(hashes)})`
      : changedUpToBound(schema, hashes, taken)
  return keepSources(
    `select r.hash, r.source_keys, r.source_periods from ${schema}.reservation r where r.hash in (${requests}) order by r.hash for update`,
  )
}

function changedUpToBound(schema: string, hashes: readonly string[], taken: number): string {
  const of = `over (order by at)`
  return `select hash from (select hash, at, coalesce(sum(sources) filter (where at > ${taken}) ${of}, 0) - sources as before from (
select r.hash, min(e.at) as at, cardinality(r.source_keys) as sources from unnest(${hashArray(hashes)}) with ordinality e(hash, at)
join ${schema}.reservation n on n.hash = e.hash join ${schema}.reservation r on r.hash = coalesce(n.link, n.hash) group by r.hash) f) f
where at <= ${taken} or before < ${CHANGED_SOURCES_MAX}`
}

/** @param locked a query of the columns `hash, source_keys, source_periods` of what it locks */
export function keepSources(locked: string): string {
  return `
select set_config('vsa.reservations', coalesce(json_agg(distinct encode(r.hash, 'hex')) filter (where r.hash is not null), '[]')::text, true),
set_config('vsa.sources', coalesce(json_agg(json_build_array(s.key, s.period)) filter (where s.key is not null), '[]')::text, true)
from (${locked}) r left join lateral unnest(r.source_keys, r.source_periods) s(key, period) on true;`
}

/**
 * The first ones, up to the one that reaches the bound of a load.
 * @param found a query of the columns `hash`, `at`, which they are in the order of, and `sources`, how many each has
 */
export function upToBound(found: string): string {
  return `select hash from (select hash, sum(sources) over (order by at, hash) - sources as before from (${found}) f) f where before < ${LOADED_SOURCES_MAX}`
}

/** The rows that units of the locked reservations came from: a query of the columns `key` and `period`, which is null for a counter. */
export const SOURCES = `select e ->> 0 as key, (e ->> 1)::bigint as period from json_array_elements(current_setting('vsa.sources')::json) e`

/** The hashes of the locked reservations, as JSON. */
export const LOCKED = `current_setting('vsa.reservations')::json`

/** Each of these hashes that names a request, with the hash of that; and the rows that were locked, each once because a row has all its budgets: two lists in JSON. */
export function reservationsOf(schema: string, hashes: readonly string[]): string {
  return `select json_build_array(
(select json_agg(json_build_array(encode(n.hash, 'hex'), encode(coalesce(n.link, n.hash), 'hex')))
from ${schema}.reservation n join ${schema}.reservation r on r.hash = coalesce(n.link, n.hash) where n.hash = any(${hashArray(hashes)})),
(select json_agg(${reservationColumns('r')}) from json_array_elements_text(${LOCKED}) e(hash) join ${schema}.reservation r on r.hash = decode(e.hash, 'hex')))`
}

/** The rows of the locked requests, as a list in JSON. */
export function lockedReservations(schema: string): string {
  return `select json_agg(${reservationColumns('r')} order by r.sweep_at) from json_array_elements_text(${LOCKED}) e(hash)
join ${schema}.reservation r on r.hash = decode(e.hash, 'hex')`
}
