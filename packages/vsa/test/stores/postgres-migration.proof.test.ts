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

type OldVersion = 1 | 2
const OLD: readonly OldVersion[] = [1, 2]

/** The script of the version that made this schema. */
function scriptOf(version: OldVersion): string {
  return readFileSync(fileURLToPath(new URL(`postgres-schema-${version}.sql`, import.meta.url)), 'utf8')
}

const server = await postgresServer()
const url = 'url' in server ? server.url : ''
const admin = newPool(url)

afterAll(async () => {
  if ('url' in server) await dropSchemas(admin)
  await admin.end()
  if ('stop' in server) await server.stop()
})

const ROW = { key: 'seats', period: 0 }

/** A store of an older version: an owner with a lease, a mint, a counter, and in version 2 a reservation. */
async function oldStore(version: OldVersion): Promise<string> {
  const schema = newSchema()
  await admin.query(scriptOf(version).replaceAll('SCHEMA', schema))
  await admin.query(`
    insert into ${schema}.owner values (1, 'token', 'label', true, false, 3, '{"granted":[],"notes":{},"written":{"records":0,"leaseRecords":0}}', 1, ${Date.now() + 3_600_000}, 10000);
    insert into ${schema}.budget (key, period, kind, minted, used, pool, burned, leased, lessees, limit_units, burn_max, version)
      values ('seats', 0, 'i', 105, 20, 70, 5, 10, 1, 100, 50, 1);
    insert into ${schema}.lease values ('seats', 0, 1, 10);
    insert into ${schema}.mint values (sha256('5:seatsorder 1'), 'seats', 'order 1', 5);
    insert into ${schema}.counter values ('calls', 7);
    update ${schema}.store set epochs = 1`)
  if (version === 2)
    await admin.query(`
      update ${schema}.budget set pool = 64, reserved = 6;
      insert into ${schema}.reservation (hash, key, id, remembered_as, request, on_expire, lots, sweep_at, source_keys, source_periods) values (sha256('5:seatsr'), 'seats', 'r',
        'reservation', '["reservation","all",[["b","seats",6]]]', 'return', '[{"units":6,"uncovered":0,"state":"open","expiresAt":9000000000000,"keepUntil":null,"sources":[{"key":"seats","period":0,"charged":6,"refunded":null,"resets":0}]}]',
        9000000000000, '{seats}', '{0}')`)
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
    union all select proname, null, md5(replace(prosrc, $1, 'S')), null, null, null, null from pg_proc where pronamespace = $1::regnamespace and proname not in ('exchange_1', 'exchange_2')
    order by 1, 2, 3`,
    [schema],
  )
  return JSON.parse(JSON.stringify(rows).replaceAll(schema, 'S')) as unknown
}

describe.skipIf('reason' in server).each(OLD)('a schema of version %i', (version) => {
  it('L1, L2, L3: the first call changes it in place: rows, leases, mint ids, counters and reservations go on', async () => {
    const schema = await oldStore(version)
    const store = storeOn(admin, { schema, mayForget: false })
    const reserved = version === 1 ? 0 : 6
    expect(await store.read([ROW])).toMatchObject([{ minted: 105, used: 20, reserved, resets: 0, pool: 70 - reserved }])
    expect(await versionOf(schema)).toBe(3)
    const old = { epoch: 1, token: 'token', incarnation: 'one' }
    const sent = batch(old, 4, { entries: [entry({ known: true, spent: 4, hold: 10 })] })
    expect(applied(await store.exchange(sent)).entries).toMatchObject([
      { held: 10, used: 24, pool: 66 - reserved, burned: 5 },
    ])
    const minted = batch(old, 5, { entries: [entry({ hold: 10, mint: { id: 'order 1', units: 5 } })] })
    expect(applied(await store.exchange(minted)).entries).toMatchObject([{ minted: 105, mint: 'repeated' }])
    const remember = { id: 'r', as: 'reservation', ttlMs: 60_000, onExpire: 'return' } as const
    const reserve = batch(old, 6, { entries: [entry({ hold: 10 })], takes: [{ need: [[0, 6]], n: 1, remember }] })
    const answer = applied(await store.exchange(reserve))
    expect(answer.entries).toMatchObject([{ reserved: 6, used: 24, pool: 60 }])
    expect(answer.credits?.takes[0]).toMatchObject({ repeated: version === 2 })
  })

  it('P6: keys of it can be deleted then: rows, leases, mints and reservations of before go, and their owner hears', async () => {
    const schema = await oldStore(version)
    const store = storeOn(admin, { schema, mayForget: false })
    expect(await store.delete?.('seats')).toBe(true)
    expect(await store.list({ limit: 9 })).toEqual({ rows: [] })
    const old = { epoch: 1, token: 'token', incarnation: 'one' }
    const heard = await store.exchange(batch(old, 4, { entries: [entry({ known: true, spent: 4, hold: 10 })] }))
    expect(applied(heard).entries).toEqual([{ kind: 'deleted' }])
    const minted = batch(old, 5, {
      entries: [entry({ mint: { id: 'order 1', units: 5 } })],
      changes: [{ op: 'settle', key: 'seats', id: 'r', units: 1 }],
    })
    const { entries, credits } = applied(await store.exchange(minted))
    expect([entries, credits?.changes]).toMatchObject([
      [{ minted: 105, used: 0, mint: 'minted' }],
      [{ kind: 'unknown' }],
    ])
  })

  it('has then all that a new schema has', async () => {
    const [migrated, made] = [await oldStore(version), newSchema()]
    await storeOn(admin, { schema: migrated }).owners()
    await storeOn(admin, { schema: made }).owners()
    expect(await catalogOf(migrated)).toEqual(await catalogOf(made))
  })

  it('is changed once when many processes start at the same time, whatever its name is', async () => {
    const schema = `${newSchema()} we"ird 'schëma' % $$`
    const name = `"${schema.replaceAll('"', '""')}"`
    const named = (script: string): string =>
      script.replaceAll('"SCHEMA"', () => name).replaceAll('SCHEMA', () => schema)
    const script = scriptOf(version).replaceAll(
      /E'([^'\n]*)'/g,
      (_, literal: string) => `E'${named(literal).replaceAll("'", "''")}'`,
    )
    await admin.query(named(script))
    const runs = await Promise.all(Array.from({ length: 6 }, () => migrate(addressOn(url, schema), false)))
    const reports = runs.map(({ json }) => json as { migrated: boolean; made: boolean; version: number })
    expect(reports.map(({ migrated }) => migrated).filter(Boolean)).toHaveLength(1)
    expect(reports.every(({ made, version: now }) => !made && now === 3)).toBe(true)
    const stores = Array.from({ length: 6 }, () => storeOn(poolOn(url, { max: 1 }), { schema }))
    expect(await Promise.all(stores.map((store) => store.read([ROW])))).toEqual(stores.map(() => []))
  })

  it('is changed by `vsa migrate`, which says so, and by its script', async () => {
    const schemas = [await oldStore(version), await oldStore(version)] as const
    const { text, json } = await migrate(addressOn(url, schemas[0]), false)
    expect(text).toContain('changed the tables of an older version (version 3)')
    expect(json).toMatchObject({ made: false, migrated: true, version: 3 })
    await admin.query(schemaScript(schemas[1]))
    await admin.query(schemaScript(schemas[1]))
    expect(await versionOf(schemas[1])).toBe(3)
    expect(await catalogOf(schemas[1])).toEqual(await catalogOf(schemas[0]))
  })

  it('L7: a role that had rights to its tables has them to the new ones', async () => {
    const schema = await oldStore(version)
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
    const sent = batch(joined, 1, { entries: [entry({ hold: 1 })], takes: [{ need: [[0, 6]], n: 1, remember }] })
    expect(applied(await store.exchange(sent)).entries).toMatchObject([{ reserved: version === 1 ? 6 : 12 }])
    expect(applied(await store.exchange(batch(joined, 2, { entries: [entry({ hold: 1 })] }))).kind).toBe('applied')
    expect(await store.delete?.('seats')).toBe(true)
    const heard = await store.exchange(batch(joined, 3, { entries: [entry({ known: true })] }))
    expect(applied(heard).entries).toEqual([{ kind: 'deleted' }])
  })

  it('can be inspected before it is changed, and is not changed by that', async () => {
    const schema = await oldStore(version)
    const inspection = await inspectPostgres(admin, schema)
    const pages = []
    for await (const { rows } of inspection.pages()) pages.push(...rows)
    const reserved = version === 1 ? 0 : 6
    expect(pages).toMatchObject([{ budget: { minted: 105, reserved, resets: 0 }, leases: [{ held: 10 }] }])
    expect(await versionOf(schema)).toBe(version)
  })

  it('L1: an owner of that version that is still running goes on by the function of its version', async () => {
    const schema = await oldStore(version)
    const functions = async (): Promise<unknown> => {
      const { rows } = await admin.query(
        `select proname as name from pg_proc where pronamespace = '${schema}'::regnamespace and proname like 'exchange%' order by 1`,
      )
      return rows
    }
    await storeOn(admin, { schema }).owners()
    expect(await functions()).toEqual([{ name: `exchange_${version}` }, { name: 'exchange_3' }])
  })
})

describe.skipIf('reason' in server)('a schema that is not there', () => {
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
