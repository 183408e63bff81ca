import { exchangeFunction } from './exchange-function.ts'
import { presentIncarnation } from './life.ts'
import { textLiteral } from './literals.ts'

/** The newest schema that this version can read and write. */
export const SCHEMA_VERSION = 3

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
 * - `reservation` has a row for each request under the hash of its first key and its id, and for each other key one that links to it. `sweep_at` is
 *   when it ends or is forgotten, `source_keys` and `source_periods` name the rows that its units came from (a counter has no period).
 * - `intent` is written by transactions of the user (T1). Its hash is that of the reservation, or of the mint. It is not unique: a second insert would wait
 *   for the transaction of the first, or end that of the user.
 * - `mint.hash` is the SHA-256 of key and id, because both together may be too long for an index.
 * - `deleted_key` and `deleted_lease` are what is kept of deletions (P6): see `Deletion`.
 *
 * No index is on a column that an exchange of a budget changes, and pages have room, so that updates stay on their page (HOT).
 * Store time comes from `clock_ms()`, which tests replace.
 */
export function tables(schema: string): string {
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
  reserved bigint not null default 0 check (reserved >= 0),
  pool bigint not null default 0,
  burned bigint not null default 0 check (burned >= 0),
  leased bigint not null default 0 check (leased >= 0),
  lessees int not null default 0 check (lessees >= 0 and (lessees = 0) = (leased = 0)),
  limit_units bigint not null default 0,
  burn_max bigint not null default 0,
  version bigint not null default 0,
  resets bigint not null default 0,
  wanted_until bigint not null default 0,
  ends_at bigint,
  keep_until bigint,
  primary key (key, period),
  constraint books_balance check (${BOOKS})
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

${creditTables(schema)}${deletionTables(schema)}
create function ${schema}.clock_ms() returns bigint language sql volatile as
  'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint';
${exchangeFunction(schema)}`
}

/** L2 */
const BOOKS = 'minted = used + reserved + pool + burned + leased'

/** What version 2 has beyond version 1. */
function creditTables(schema: string): string {
  return `
create table ${schema}.reservation (
  hash bytea primary key,
  link bytea,
  key text collate "C" not null,
  id text collate "C" not null,
  remembered_as text check (remembered_as in ('reservation', 'admission')),
  request text,
  on_expire text check (on_expire in ('return', 'capture')),
  lots text,
  sweep_at bigint,
  source_keys text[],
  source_periods bigint[],
  constraint request_or_link check (num_nulls(remembered_as, request, on_expire, lots, sweep_at, source_keys, source_periods)
    = case when link is null then 0 else 7 end)
) with (fillfactor = 70);
create index reservation_link on ${schema}.reservation (link) where link is not null;
create index reservation_key on ${schema}.reservation (key, hash);
create index reservation_sweep on ${schema}.reservation (sweep_at) where sweep_at is not null;

create table ${schema}.intent (
  number bigint generated always as identity primary key,
  hash bytea not null,
  key text collate "C" not null,
  id text collate "C" not null,
  op text not null check (op in ('settle', 'mint')),
  units bigint not null check (units between 0 and 9007199254740991)
);
create index intent_hash on ${schema}.intent (hash);
`
}

/** What version 3 has beyond version 2. */
function deletionTables(schema: string): string {
  return `
create index mint_key on ${schema}.mint (key);

create table ${schema}.deleted_key (
  key text collate "C" primary key,
  deleted_at bigint not null
);
create index deleted_key_at on ${schema}.deleted_key (deleted_at);

create table ${schema}.deleted_lease (
  epoch bigint not null,
  key text collate "C" not null,
  period bigint not null,
  primary key (epoch, key, period)
);
`
}

/**
 * An older version becomes this one, in place. Who had rights to `budget` gets them to the new tables. A process of an older version that is still running goes on,
 * by the function of its version: it answers `breach` for rows with reserved units that it cannot read (version 1), and does not hear of deletions (1 and 2).
 * Statements of a block of PL/pgSQL, with a record `granted`.
 */
export function migration(schema: string): string {
  return `
if (select schema_version from ${schema}.store) = 1 then
  alter table ${schema}.budget add column reserved bigint not null default 0 check (reserved >= 0),
    add column resets bigint not null default 0,
    drop constraint books_balance, add constraint books_balance check (${BOOKS});
  ${creditTables(schema)}
  ${grants(schema, ['reservation', 'intent'])}
end if;
${deletionTables(schema)}
${exchangeFunction(schema)}
${grants(schema, ['deleted_key', 'deleted_lease'])}
update ${schema}.store set schema_version = ${SCHEMA_VERSION};`
}

/** Who has rights to `budget` gets them to these tables. */
function grants(schema: string, tables: readonly string[]): string {
  const names = tables.map((table) => `${schema}.${table}`).join(', ')
  return `for granted in select case a.grantee when 0 then 'public' else a.grantee::regrole::text end as role, a.privilege_type as privilege
  from pg_class c, aclexplode(c.relacl) a where c.oid = ${textLiteral(`${schema}.budget`)}::regclass and a.grantee <> c.relowner
loop
  execute concat('grant ', granted.privilege, ${textLiteral(` on ${names} to `)}, granted.role);
end loop;`
}
