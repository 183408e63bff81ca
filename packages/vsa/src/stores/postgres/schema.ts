import { exchangeFunction } from './exchange-function.ts'
import { presentIncarnation } from './life.ts'
import { notStarted, tooNew, unsafe } from './errors.ts'
import { nameLiteral, textLiteral } from './literals.ts'
import type { PostgresPool } from './pool.ts'
import { answerOf, Transaction } from './transaction.ts'

/** The newest schema that this version can read and write. */
const SCHEMA_VERSION = 1

/**
 * The fields are those of `core/rows.ts`. Beyond them:
 * - `store.time_seen` holds the highest store time that is in no open owner's `seen_at`, so an exchange need not write it.
 * - `store.leapt_from`, `leapt_at` and `leapt_until` hold the last leap of store time (S8, S10).
 * - `store.pruned_until` holds the store time from which no removed row can be made again.
 * - `store.kept_incarnation` and `frozen_until` are those of `Writes.life` (F3), and are used where acknowledged writes may be forgotten.
 * - `owner.burning` is true from an epoch's end until none of its leases are left.
 * - `budget.leased` and `budget.lessees` are the sum and the number of the leases on the row, so that those of others need not be read, and L2 is
 *   a check of one row.
 * - `budget.kind` is 's' for a stub, which holds the lock of a row that an exchange may make. None is ever committed.
 * - `mint.hash` is the SHA-256 of key and id, because both together may be too long for an index.
 *
 * No index is on a column that an exchange changes, and pages have room, so that updates stay on their page (HOT).
 * Store time comes from `clock_ms()`, which tests replace.
 */
function tables(schema: string): string {
  return `
create table ${schema}.store (
  one boolean primary key default true check (one),
  schema_version int not null,
  incarnation uuid not null,
  kept_incarnation text not null,
  frozen_until bigint not null default 0,
  epochs bigint not null default 0,
  time_seen bigint not null default 0,
  leapt_from bigint not null default 0,
  leapt_at bigint not null default 0,
  leapt_until bigint not null default 0,
  pruned_until bigint not null default 0
) with (fillfactor = 10);
insert into ${schema}.store (schema_version, incarnation, kept_incarnation)
select ${SCHEMA_VERSION}, id, ${presentIncarnation('id')} from gen_random_uuid() id;

create table ${schema}.owner (
  epoch bigint primary key,
  token text not null,
  label text not null,
  is_open boolean not null,
  burning boolean not null,
  seq bigint not null,
  outcome text not null,
  seen_at bigint not null,
  expires_at bigint not null,
  lease_ttl_ms bigint not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 100);
alter table ${schema}.owner alter column outcome set storage main;
create index owner_open on ${schema}.owner (epoch) where is_open;
create index owner_burning on ${schema}.owner (epoch) where burning;

create table ${schema}.budget (
  key text collate "C" not null,
  period bigint not null,
  kind "char" not null default 's' check (kind in ('i', 'w', 's')),
  minted bigint not null default 0 check (minted >= 0),
  used bigint not null default 0 check (used >= 0),
  pool bigint not null default 0,
  burned bigint not null default 0 check (burned >= 0),
  leased bigint not null default 0 check (leased >= 0),
  lessees int not null default 0 check (lessees >= 0 and (lessees = 0) = (leased = 0)),
  limit_units bigint not null default 0,
  burn_max bigint not null default 0,
  version bigint not null default 0,
  wanted_until bigint not null default 0,
  ends_at bigint,
  keep_until bigint,
  primary key (key, period),
  constraint books_balance check (minted = used + pool + burned + leased)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index budget_wanted on ${schema}.budget (wanted_until) where wanted_until > 0;
create index budget_kept on ${schema}.budget (keep_until) where keep_until is not null;

create table ${schema}.lease (
  key text collate "C" not null,
  period bigint not null,
  epoch bigint not null,
  held bigint not null check (held > 0),
  primary key (epoch, key, period)
) with (fillfactor = 70);

create table ${schema}.mint (
  hash bytea primary key,
  key text collate "C" not null,
  id text not null,
  units bigint not null
);

create table ${schema}.counter (
  key text collate "C" primary key,
  value bigint not null check (value between -9007199254740991 and 9007199254740991)
) with (fillfactor = 70);

create function ${schema}.clock_ms() returns bigint language sql volatile as
  'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint';
${exchangeFunction(schema)}`
}

interface Server {
  readonly fsync: string
  readonly isStandby: boolean
  readonly hasStore: boolean
}

/** What `ensureSchema` found. */
export interface EnsuredSchema {
  readonly version: number
  /** Whether this call made the tables. */
  readonly isMade: boolean
}

/**
 * Makes the tables where there are none. Refuses a server that does not keep what it has acknowledged, and one that cannot be written.
 * @param mayCreate false once this handle has used the store: an empty schema in its place would mint all units again
 * @throws StoreError `store_unsafe`, `schema_too_new`, `database_replaced`; also the errors of the connection
 */
export async function ensureSchema(pool: PostgresPool, schema: string, mayCreate: boolean): Promise<EnsuredSchema> {
  const { fsync, isStandby, hasStore } = (await answerOf(pool, schema, serverState(schema))) as Server
  if (isStandby) throw unsafe(schema, 'the server is a standby, which cannot be written: connect to the primary')
  if (fsync !== 'on')
    throw unsafe(schema, 'the server runs with fsync=off: a crash would lose admissions. Set fsync=on and restart it')
  if (!hasStore && !mayCreate) throw notStarted(schema)
  const isMade = hasStore ? false : await create(pool, schema)
  return { version: await knownVersion(pool, schema), isMade }
}

/** @throws StoreError `schema_too_new`; also the errors of the connection */
export async function knownVersion(pool: PostgresPool, schema: string): Promise<number> {
  const statement = `select schema_version::text answer from ${nameLiteral(schema)}.store`
  const version = (await answerOf(pool, schema, statement)) as number
  if (version > SCHEMA_VERSION) throw tooNew(schema, version, SCHEMA_VERSION)
  return version
}

function serverState(schema: string): string {
  return `select json_build_object('fsync', current_setting('fsync'), 'isStandby', pg_is_in_recovery(),
    'hasStore', to_regclass(${textLiteral(`${nameLiteral(schema)}.store`)}) is not null)::text answer`
}

/** Many processes may start at the same time: the first one makes the tables, and the others find them. @returns whether this call made them */
async function create(pool: PostgresPool, schema: string): Promise<boolean> {
  const isMade = `select coalesce(current_setting('${MADE}', true), '')::text = 'true' as made`
  const statements = `${lock(schema)} do ${textLiteral(creation(schema))}; select made::text answer from (${isMade}) m`
  const { transaction, answer } = await Transaction.begin(pool, schema, statements)
  await transaction.commit(() => '')
  return answer === true
}

/** A setting of the transaction that has made the tables. */
const MADE = 'vsa.made'

function lock(schema: string): string {
  return `select pg_advisory_xact_lock(hashtextextended(${textLiteral(`vsa:${schema}`)}, 0));`
}

/** The body of a block that makes what is missing. */
function creation(schema: string): string {
  const name = nameLiteral(schema)
  return `
begin
  if to_regclass(${textLiteral(`${name}.store`)}) is not null then return; end if;
  if to_regnamespace(${textLiteral(name)}) is null then create schema ${name}; end if;
  ${tables(name)}
  perform set_config('${MADE}', 'true', true);
end`
}

/**
 * The same statements as a script for `psql`. They make what is missing and change nothing else, so they may be run again, also by several at once.
 */
export function schemaScript(schema: string): string {
  const body = creation(schema)
  let tag = '$schema$'
  while (body.includes(tag)) tag = `$${tag.slice(1, -1)}_$`
  return `begin;\n${lock(schema)}\ndo ${tag}${body}\n${tag};\ncommit;`
}
