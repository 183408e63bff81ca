import { notStarted, tooNew } from './errors.ts'
import { nameLiteral, textLiteral } from './literals.ts'
import type { PostgresPool } from './pool.ts'
import { migration, SCHEMA_VERSION, tables } from './tables.ts'
import { answerOf, Transaction } from './transaction.ts'

/** What `ensureSchema` found. */
export interface EnsuredSchema {
  readonly version: number
  /** Whether this call made the tables. */
  readonly isMade: boolean
  /** Whether this call changed tables of an older version. */
  readonly isMigrated: boolean
}

/**
 * Makes the tables where there are none, and changes those of an older version.
 * @param hasStore what was read of the server
 * @param mayCreate false once this handle has used the store: an empty schema in its place would mint all units again
 * @throws StoreError `schema_too_new`, `database_replaced`; also the errors of the connection
 */
export async function ensureSchema(
  pool: PostgresPool,
  schema: string,
  { hasStore, mayCreate }: { readonly hasStore: boolean; readonly mayCreate: boolean },
): Promise<EnsuredSchema> {
  if (!hasStore && !mayCreate) throw notStarted(schema)
  const known = hasStore ? await knownVersion(pool, schema) : 0
  if (known === SCHEMA_VERSION) return { version: known, isMade: false, isMigrated: false }
  const what = await create(pool, schema)
  return { version: await knownVersion(pool, schema), isMade: what === 'made', isMigrated: what === 'migrated' }
}

/** @throws StoreError `schema_too_new`; also the errors of the connection */
export async function knownVersion(pool: PostgresPool, schema: string): Promise<number> {
  const statement = `select schema_version::text answer from ${nameLiteral(schema)}.store`
  const version = (await answerOf(pool, schema, statement)) as number
  if (version > SCHEMA_VERSION) throw tooNew(schema, version, SCHEMA_VERSION)
  return version
}

/**
 * Many processes may start at the same time: the first one makes or changes the tables, and the others find them.
 * @returns `made` or `migrated`, where this call did it
 */
async function create(pool: PostgresPool, schema: string): Promise<unknown> {
  const done = `select to_json(current_setting('${DONE}', true))::text answer`
  const statements = `${lock(schema)} do ${textLiteral(creation(schema))}; ${done}`
  const { transaction, answer } = await Transaction.begin(pool, schema, statements)
  await transaction.commit(() => '')
  return answer
}

/** A setting of the transaction: what it has done. */
const DONE = 'vsa.done'

function lock(schema: string): string {
  return `select pg_advisory_xact_lock(hashtextextended(${textLiteral(`vsa:${schema}`)}, 0));`
}

/**
 * The body of a block that makes what is missing, and changes what is of an older version. It reads the catalog itself: `to_regclass` may answer from
 * what this connection has kept of an earlier look, before it waited for the lock.
 */
function creation(schema: string): string {
  const name = nameLiteral(schema)
  return `
declare
  granted record;
begin
  if exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ${textLiteral(schema)} and c.relname = 'store') then
    if (select schema_version from ${name}.store) < ${SCHEMA_VERSION} then
      ${migration(name)}
      perform set_config('${DONE}', 'migrated', true);
    end if;
    return;
  end if;
  if not exists (select from pg_namespace where nspname = ${textLiteral(schema)}) then create schema ${name}; end if;
  ${tables(name)}
  perform set_config('${DONE}', 'made', true);
end`
}

/**
 * The same statements as a script for `psql`. They make what is missing, change what is of an older version, and nothing else, so they may be run again, also by several at once.
 */
export function schemaScript(schema: string): string {
  const body = creation(schema)
  let tag = '$schema$'
  while (body.includes(tag)) tag = `$${tag.slice(1, -1)}_$`
  return `begin;\n${lock(schema)}\ndo ${tag}${body}\n${tag};\ncommit;`
}
