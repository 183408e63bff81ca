import type { NewIntent } from '../../core/intent-writer.ts'
import type { Intent, SettleIntent } from '../../core/reservations/intents.ts'
import type { ReservationName } from '../../core/reservations/names.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'
import { rowsOf } from './found.ts'
import { hashArray, reservationHash } from './reservation-rows.ts'
import { LOCKED } from './reservation-sql.ts'
import { CLOCK, integer, integerOrNull, jsonOf, list, text } from './rows.ts'

/* T1: what a transaction of the user writes, and how it is read. */

/** A statement with its parameters, all of them texts, also for the server, because some clients send a parameter in the type that the server asks for: for a connection of the user's, inside a transaction of the user's. */
export interface IntentStatement {
  readonly text: string
  readonly values: readonly string[]
}

/** Inserts an intent. It takes no lock that another transaction waits for, and counts once the transaction has been committed. @param schema as in a statement */
export function insertIntent(schema: string, { op, key, id, units }: NewIntent): IntentStatement {
  return {
    text: `insert into ${schema}.intent (hash, key, id, op, units) values (decode($1, 'hex'), $2, $3, $4, $5::text::bigint)`,
    values: [reservationHash(key, id), encodeText(key), encodeText(id), op, String(units)],
  }
}

const COLUMNS = 'number, op, key, id, units'

/**
 * Those of the locked reservations, by the names of all their budgets, and those of the names that the batch gives: as a list in JSON. In a statement that
 * begins behind the time of the transaction.
 */
export function settlementsOf(schema: string, hashes: readonly string[]): string {
  return `select json_agg(${jsonOf('i', COLUMNS)} order by i.number) from ${schema}.intent i where i.op = 'settle'
and i.hash in (select unnest(${hashArray(hashes)}) union ${lockedNames(schema)})`
}

/** The hashes of all names of the locked reservations. */
function lockedNames(schema: string): string {
  const locked = `(select decode(e.hash, 'hex') as hash from json_array_elements_text(${LOCKED}) e(hash)) e`
  return `select e.hash from ${locked} union select n.hash from ${locked} join ${schema}.reservation n on n.link = e.hash`
}

/** Whether something can be done with an intent `i`: a mint waits for a row. Without `offset 0` all budgets would be read into a hash. @param time an expression */
export function isDue(schema: string, time: string): string {
  return `(i.op = 'settle' or exists (select from ${schema}.budget b where b.key = i.key and b.kind <> 's' and b.period <= ${time} offset 0))`
}

/** The reservations that settlements name, at most `max`, for `upToBound`. */
export function settled(schema: string, max: string): string {
  return `select r.hash, min(i.number) as at, cardinality(r.source_keys) as sources from (
select hash, number from ${schema}.intent where op = 'settle' order by number limit ${max}) i
join ${schema}.reservation n on n.hash = i.hash join ${schema}.reservation r on r.hash = coalesce(n.link, n.hash) group by r.hash`
}

/** Keeps the names of the rows that mints go to: the latest one of the key that has begun. Behind the time of the transaction. */
export function keepMinted(schema: string, max: string): string {
  return `
select set_config('vsa.minted', coalesce(json_agg(json_build_array(b.key, b.period)), '[]')::text, true) from (select distinct i.key from (
select i.key from ${schema}.intent i where i.op = 'mint' and ${isDue(schema, CLOCK)} order by i.number limit ${max}) i) i, lateral (
select key, period from ${schema}.budget b where b.key = i.key and b.kind <> 's' and b.period <= ${CLOCK} order by b.period desc limit 1) b;`
}

/** Those names: a query of the columns `key` and `period`. */
export const MINTED = `select e ->> 0 as key, (e ->> 1)::bigint as period from json_array_elements(current_setting('vsa.minted')::json) e`

/**
 * Of a sweep, as a list in JSON: each with the hash of its reservation (null: nothing is remembered), or with the units that were minted before under its
 * id. At most twice `max`, and all that name a locked reservation.
 */
export function sweptIntents(schema: string, max: string): string {
  return `select json_agg(json_build_array(${jsonOf('i', COLUMNS)}, encode(coalesce(n.link, n.hash), 'hex'), m.units) order by i.number) from (
(select * from ${schema}.intent where op = 'settle' order by number limit ${max})
union (select * from ${schema}.intent where op = 'settle' and hash in (${lockedNames(schema)}))
union (select i.* from ${schema}.intent i where i.op = 'mint' and ${isDue(schema, CLOCK)} order by i.number limit ${max})) i
left join ${schema}.reservation n on i.op = 'settle' and n.hash = i.hash left join ${schema}.mint m on i.op = 'mint' and m.hash = i.hash`
}

/** An answer of {@link settlementsOf}. */
export function settlementsFrom(value: unknown): readonly SettleIntent[] {
  return rowsOf(value).map((columns) => ({ op: 'settle', ...intentFrom(columns) }))
}

/**
 * An answer of {@link sweptIntents}.
 * @param isLoaded by the hash of a reservation
 * @param rows periods of the rows that mints go to, by key
 */
export function sweptFrom(
  value: unknown,
  isLoaded: (hash: string) => boolean,
  rows: ReadonlyMap<string, number>,
): readonly Intent[] {
  return rowsOf(value).flatMap((found): readonly Intent[] => {
    const [columns, hash, minted] = list(found)
    const intent = intentFrom(columns)
    if (list(columns)[1] === 'settle') return hash === null || isLoaded(text(hash)) ? [{ op: 'settle', ...intent }] : []
    const period = rows.get(intent.key)
    return period === undefined
      ? []
      : [{ op: 'mint', ...intent, period, mintedBefore: integerOrNull(minted) ?? undefined }]
  })
}

function intentFrom(columns: unknown): ReservationName & { readonly number: number; readonly units: number } {
  const [number, , key, id, units] = list(columns)
  return {
    number: integer(number),
    key: decodeText(text(key)),
    id: decodeText(text(id)),
    units: integer(units),
  }
}
