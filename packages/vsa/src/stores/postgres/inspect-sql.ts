/* The statements of an inspection. Each is short, and none waits for a row: a long one would keep old versions of every row of the database. */
import { encodeText } from '../../core/stored-text.ts'
import { integerLiteral, textLiteral } from './literals.ts'
import { reservationColumns } from './reservation-rows.ts'
import { BUDGET_COLUMNS, jsonOf, OWNER_COLUMNS } from './rows.ts'

/** A schema that is inspected, also one of an older version. */
export interface InspectedSchema {
  /** As it stands in a statement. */
  readonly name: string
  readonly version: number
}

/** The place of a row, as it is stored: also of one that cannot be read. */
export interface RawName {
  readonly key: string
  /** A bigint, in decimal. */
  readonly period: string
}

/** The place of a lease, as it is stored. */
export interface RawLease extends RawName {
  /** A bigint, in decimal. */
  readonly epoch: string
}

/** A statement waits this long for a table that is being altered. */
const LOCK_TIMEOUT_MS = 5_000

/**
 * Before each statement, in the same message: both are one transaction, which ends with the message. Indexes alone are used: a page that
 * reads a whole table, because statistics are old, would take as long as the table is large.
 */
const READ_ONLY = `select set_config('transaction_read_only', 'on', true), set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true),
set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
set_config('jit', 'off', true);`

/** Whether the schema has a store. */
export function hasStore(name: string): string {
  return `${READ_ONLY} select (to_regclass(${textLiteral(`${name}.store`)}) is not null)::text answer`
}

/** Whether anything was ever written to the store. */
export function isUsed(name: string): string {
  return `${READ_ONLY} select (epochs > 0 or exists (select 1 from ${name}.budget) or exists (select 1 from ${name}.counter))::text answer
from ${name}.store`
}

/**
 * A page of rows, each with all leases on it, all of one moment. Leases are found by epoch and by the first and last row of the page: the index of `lease`
 * begins with the epoch, and only a few epochs have leases.
 */
export function budgetPage(
  { name, version }: InspectedSchema,
  key: string | undefined,
  after: RawName | undefined,
  limit: number,
): string {
  const conditions = [
    ...(key === undefined ? [] : [`key = ${textLiteral(encodeText(key))}`]),
    ...(after === undefined
      ? []
      : [`(key, period) > (${textLiteral(after.key)} collate "C", ${bigintLiteral(after.period)})`]),
  ]
  return `${READ_ONLY}
with recursive page as materialized (
select *${version === 1 ? ', 0::bigint as reserved, 0::bigint as resets' : ''} from ${name}.budget ${whereAll(conditions)}
order by key, period limit ${integerLiteral(limit)}),
first as materialized (select key, period from page order by key, period limit 1),
last as materialized (select key, period from page order by key desc, period desc limit 1),
epochs as (select (select min(epoch) from ${name}.lease) as epoch
union all select (select min(l.epoch) from ${name}.lease l where l.epoch > e.epoch) from epochs e where e.epoch is not null)
select json_build_array(
(select json_agg(json_build_array(${jsonOf('b', BUDGET_COLUMNS)}, b.leased, b.lessees, b.period::text) order by b.key, b.period) from page b),
(select json_agg(json_build_array(l.key, l.period::text, l.epoch, l.held) order by l.epoch)
from first, last, epochs e, lateral (select * from ${name}.lease l where l.epoch = e.epoch
and (l.key, l.period) >= (first.key, first.period) and (l.key, l.period) <= (last.key, last.period) offset 0) l))::text answer`
}

export function ownerPage(name: string, after: string | undefined, limit: number): string {
  const conditions = after === undefined ? [] : [`epoch > ${bigintLiteral(after)}`]
  return `${READ_ONLY} select coalesce(json_agg(json_build_array(${jsonOf('o', OWNER_COLUMNS)}, o.epoch::text) order by o.epoch), '[]')::text answer
from (select * from ${name}.owner ${whereAll(conditions)} order by epoch limit ${integerLiteral(limit)}) o`
}

export function counterPage(name: string, after: string | undefined, limit: number): string {
  const conditions = after === undefined ? [] : [`key > ${textLiteral(after)} collate "C"`]
  return `${READ_ONLY} select coalesce(json_agg(json_build_array(c.key, c.value) order by c.key), '[]')::text answer
from (select * from ${name}.counter ${whereAll(conditions)} order by key limit ${integerLiteral(limit)}) c`
}

/** A page of reservations, or of those that one key names, each after the hash by which the next page goes on. */
export function reservationPage(
  name: string,
  key: string | undefined,
  after: string | undefined,
  limit: number,
): string {
  const conditions = [
    key === undefined ? 'link is null' : `key = ${textLiteral(encodeText(key))}`,
    ...(after === undefined ? [] : [`hash > ${textLiteral(`\\x${after}`)}::bytea`]),
  ]
  return `${READ_ONLY}
with page as materialized (
select hash, link from ${name}.reservation ${whereAll(conditions)} order by ${key === undefined ? '' : 'key, '}hash limit ${integerLiteral(limit)})
select coalesce(json_agg(json_build_array(encode(p.hash, 'hex'), ${reservationColumns('r')}) order by p.hash), '[]')::text answer
from page p join ${name}.reservation r on r.hash = coalesce(p.link, p.hash)`
}

/** The last lease of a page, and those of the page whose row or whose owner is not there. */
export function leasePage(name: string, after: RawLease | undefined, limit: number): string {
  const conditions =
    after === undefined
      ? []
      : [
          `(epoch, key, period) > (${bigintLiteral(after.epoch)}, ${textLiteral(after.key)} collate "C", ${bigintLiteral(after.period)})`,
        ]
  return `${READ_ONLY}
with page as materialized (
select * from ${name}.lease ${whereAll(conditions)} order by epoch, key, period limit ${integerLiteral(limit)})
select json_build_array(
(select json_build_array(key, period::text, epoch::text) from page order by epoch desc, key desc, period desc limit 1),
(select json_agg(json_build_array(l.key, l.period::text, l.epoch::text, b.key is not null, o.epoch is not null) order by l.epoch, l.key, l.period)
from page l left join ${name}.budget b on b.key = l.key and b.period = l.period left join ${name}.owner o on o.epoch = l.epoch
where b.key is null or o.epoch is null))::text answer`
}

function whereAll(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
}

/** @param decimal as the server has written it */
function bigintLiteral(decimal: string): string {
  return `${textLiteral(decimal)}::bigint`
}
