import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate } from '../../src/cli/migrate.ts'
import { inspectPostgres } from '../../src/stores/postgres/inspect.ts'
import { schemaScript } from '../../src/stores/postgres/schema.ts'
import { addressOn } from '../cli/store-fixture.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { dropSchemas, newPool, newSchema, poolOn, storeOn, waiterOn } from './postgres-fixture.ts'
import { applied, batch, entry } from './sqlite-fixture.ts'

/** The script of the version that made schema 1. */
const VERSION_1 = readFileSync(fileURLToPath(new URL('postgres-schema-1.sql', import.meta.url)), 'utf8')

const server = await postgresServer()
const url = 'url' in server ? server.url : ''
const admin = newPool(url)

afterAll(async () => {
  if ('url' in server) await dropSchemas(admin)
  await admin.end()
  if ('stop' in server) await server.stop()
})

const ROW = { key: 'seats', period: 0 }

/** A store of version 1: an owner with a lease, a mint and a counter. */
async function oldStore(schema = newSchema()): Promise<string> {
  await admin.query(VERSION_1.replaceAll('SCHEMA', schema))
  await admin.query(`
    insert into ${schema}.owner values (1, 'token', 'label', true, false, 3, '{"granted":[],"notes":{},"written":{"records":0,"leaseRecords":0}}', 1, ${Date.now() + 3_600_000}, 10000);
    insert into ${schema}.budget (key, period, kind, minted, used, pool, burned, leased, lessees, limit_units, burn_max, version)
      values ('seats', 0, 'i', 105, 20, 70, 5, 10, 1, 100, 50, 1);
    insert into ${schema}.lease values ('seats', 0, 1, 10);
    insert into ${schema}.mint values (sha256('5:seatsorder 1'), 'seats', 'order 1', 5);
    insert into ${schema}.counter values ('calls', 7);
    update ${schema}.store set epochs = 1`)
  return schema
}

async function versionOf(schema: string): Promise<unknown> {
  const { rows } = await admin.query<{ version: number }>(`select schema_version as version from ${schema}.store`)
  return rows[0]?.version
}

/** What the schema has, in an order that does not depend on how it came about. */
async function catalogOf(schema: string): Promise<unknown> {
  const { rows } = await admin.query(
    `select table_name, column_name, data_type, is_nullable, column_default, collation_name, is_identity from information_schema.columns where table_schema = $1
    union all select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, null, null, null from pg_constraint where connamespace = $1::regnamespace
    union all select tablename, indexname, indexdef, null, null, null, null from pg_indexes where schemaname = $1
    union all select proname, null, md5(replace(prosrc, $1, 'S')), null, null, null, null from pg_proc where pronamespace = $1::regnamespace and proname <> 'exchange_1'
    order by 1, 2, 3`,
    [schema],
  )
  return JSON.parse(JSON.stringify(rows).replaceAll(schema, 'S')) as unknown
}

describe.skipIf('reason' in server)('a schema of version 1, or none', () => {
  it('L1, L2, L3: the first call changes it in place: rows, leases, mint ids and counters go on', async () => {
    const schema = await oldStore()
    const store = storeOn(admin, { schema, mayForget: false })
    expect(await store.read([ROW])).toMatchObject([{ minted: 105, used: 20, reserved: 0, resets: 0, pool: 70 }])
    expect(await versionOf(schema)).toBe(2)
    const old = { epoch: 1, token: 'token', incarnation: 'one' }
    const sent = batch(old, 4, { entries: [entry({ known: true, spent: 4, hold: 10 })] })
    expect(applied(await store.exchange(sent)).entries).toMatchObject([{ held: 10, used: 24, pool: 66, burned: 5 }])
    const minted = batch(old, 5, { entries: [entry({ hold: 10, mint: { id: 'order 1', units: 5 } })] })
    expect(applied(await store.exchange(minted)).entries).toMatchObject([{ minted: 105, mint: 'repeated' }])
    const remember = { id: 'a', as: 'reservation', ttlMs: 60_000, onExpire: 'return' } as const
    const reserve = batch(old, 6, { entries: [entry({ hold: 10 })], takes: [{ need: [[0, 6]], n: 1, remember }] })
    expect(applied(await store.exchange(reserve)).entries).toMatchObject([{ reserved: 6, used: 24, pool: 60 }])
  })

  it('has then all that a new schema has', async () => {
    const [migrated, made] = [await oldStore(), newSchema()]
    await storeOn(admin, { schema: migrated }).owners()
    await storeOn(admin, { schema: made }).owners()
    expect(await catalogOf(migrated)).toEqual(await catalogOf(made))
  })

  it('is changed once when many processes start at the same time, whatever its name is', async () => {
    const schema = `${newSchema()} we"ird 'schëma' % $$`
    const name = schema.replaceAll('"', '""')
    const script = VERSION_1.replaceAll(`E'"SCHEMA"`, () => `E'"${name.replaceAll("'", "''")}"`)
    await admin.query(script.replaceAll('"SCHEMA"', () => `"${name}"`))
    const runs = await Promise.all(Array.from({ length: 6 }, () => migrate(addressOn(url, schema), false)))
    const reports = runs.map(({ json }) => json as { migrated: boolean; made: boolean; version: number })
    expect(reports.map(({ migrated }) => migrated).filter(Boolean)).toHaveLength(1)
    expect(reports.every(({ made, version }) => !made && version === 2)).toBe(true)
    const stores = Array.from({ length: 6 }, () => storeOn(poolOn(url, { max: 1 }), { schema }))
    expect(await Promise.all(stores.map((store) => store.read([ROW])))).toEqual(stores.map(() => []))
  })

  it('is changed by `vsa migrate`, which says so, and by its script', async () => {
    const schemas = [await oldStore(), await oldStore()] as const
    const { text, json } = await migrate(addressOn(url, schemas[0]), false)
    expect(text).toContain('changed the tables of an older version (version 2)')
    expect(json).toMatchObject({ made: false, migrated: true, version: 2 })
    await admin.query(schemaScript(schemas[1]))
    await admin.query(schemaScript(schemas[1]))
    expect(await versionOf(schemas[1])).toBe(2)
    expect(await catalogOf(schemas[1])).toEqual(await catalogOf(schemas[0]))
  })

  it('L7: a role that had rights to its tables has them to the new ones', async () => {
    const schema = await oldStore()
    const role = `${schema}_role`
    await admin.query(
      `create role ${role} login; grant usage on schema ${schema} to ${role}; grant select, insert, update, delete on all tables in schema ${schema} to ${role}`,
    )
    onTestFinished(async () => void (await admin.query(`drop owned by ${role}; drop role ${role}`)))
    await migrate(addressOn(url, schema), false)
    const other = new URL(url)
    other.username = role
    const store = storeOn(poolOn(other.href), { schema, upkeepEveryMs: 0 })
    const joined = await store.join('test')
    const remember = { id: 'a', as: 'reservation', ttlMs: 0, onExpire: 'return' } as const
    const sent = batch(joined, 1, { entries: [entry()], takes: [{ need: [[0, 6]], n: 1, remember }] })
    expect(applied(await store.exchange(sent)).entries).toMatchObject([{ reserved: 6 }])
    expect(applied(await store.exchange(batch(joined, 2, { entries: [entry()] }))).kind).toBe('applied')
  })

  it('can be inspected before it is changed, and is not changed by that', async () => {
    const schema = await oldStore()
    const inspection = await inspectPostgres(admin, schema)
    const pages = []
    for await (const { rows } of inspection.pages()) pages.push(...rows)
    expect(pages).toMatchObject([{ budget: { minted: 105, reserved: 0, resets: 0 }, leases: [{ held: 10 }] }])
    expect(await versionOf(schema)).toBe(1)
  })

  it('L1: is not made twice by a connection that looked for it before it waited for the one that makes it', async () => {
    const [schema, used] = [newSchema(), poolOn(url, { max: 1 })]
    await storeOn(used, { schema: newSchema() }).owners()
    const maker = await admin.connect()
    await maker.query(`begin; select pg_advisory_xact_lock(hashtextextended('vsa:${schema}', 0))`)
    const opened = storeOn(used, { schema }).owners()
    await waiterOn(admin, schema)
    await maker.query(schemaScript(schema))
    maker.release()
    expect(await opened).toEqual([])
  })
})
