import { hashArray, reservationColumns } from './reservation-rows.ts'

/*
 * Locks of reservations: they come behind that of the owner, and before those of budgets and counters. What was locked is kept in settings of the transaction,
 * because the rows that units came from are known only then.
 */

/** Locks the reservations that these hashes name. Where one of them is made meanwhile, the answer has it, and not among those that were locked. */
export function lockReservations(schema: string, hashes: readonly string[]): string {
  const requests = `select coalesce(n.link, n.hash) from ${schema}.reservation n where n.hash = any(${hashArray(hashes)})`
  return keepSources(
    `select r.hash, r.source_keys, r.source_periods from ${schema}.reservation r where r.hash in (${requests}) order by r.hash for update`,
  )
}

/** @param locked a query of the columns `hash, source_keys, source_periods` of what it locks */
export function keepSources(locked: string): string {
  return `
select set_config('vsa.reservations', coalesce(json_agg(distinct encode(r.hash, 'hex')) filter (where r.hash is not null), '[]')::text, true),
set_config('vsa.sources', coalesce(json_agg(json_build_array(s.key, s.period)) filter (where s.key is not null), '[]')::text, true)
from (${locked}) r left join lateral unnest(r.source_keys, r.source_periods) s(key, period) on true;`
}

/** The rows that units of the locked reservations came from: a query of the columns `key` and `period`, which is null for a counter. */
export const SOURCES = `select e ->> 0 as key, (e ->> 1)::bigint as period from json_array_elements(current_setting('vsa.sources')::json) e`

/** The hashes of the locked reservations, as JSON. */
export const LOCKED = `current_setting('vsa.reservations')::json`

/** Each of these hashes that names a request, with the hash of that, and the rows of those, each once because a row has all its budgets: two lists in JSON. */
export function reservationsOf(schema: string, hashes: readonly string[]): string {
  const named = `${schema}.reservation n where n.hash = any(${hashArray(hashes)})`
  return `select json_build_array(
(select json_agg(json_build_array(encode(n.hash, 'hex'), encode(coalesce(n.link, n.hash), 'hex'))) from ${named}),
(select json_agg(${reservationColumns('r')}) from ${schema}.reservation r where r.hash in (select coalesce(n.link, n.hash) from ${named})))`
}

/** The rows of the locked requests, as a list in JSON. */
export function lockedReservations(schema: string): string {
  return `select json_agg(${reservationColumns('r')} order by r.sweep_at) from json_array_elements_text(${LOCKED}) e(hash)
join ${schema}.reservation r on r.hash = decode(e.hash, 'hex')`
}
