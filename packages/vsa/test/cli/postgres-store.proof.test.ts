import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { netEffect } from '../../src/cli/demo/net-effect.ts'
import { demo } from '../../src/cli/demo/demo.ts'
import { inspect } from '../../src/cli/inspect.ts'
import { usage } from '../../src/cli/usage.ts'
import { why } from '../../src/cli/why.ts'
import { migrate } from '../../src/cli/migrate.ts'
import { PLAIN } from '../../src/cli/paint.ts'
import { placeOf } from '../../src/cli/stores/place-of.ts'
import { verify } from '../../src/cli/verify.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { budgetPage } from '../../src/stores/postgres/inspect-sql.ts'
import { SCHEMA_VERSION } from '../../src/stores/postgres/tables.ts'
import { dropSchemas, newPool, newSchema } from '../stores/postgres-fixture.ts'
import { proxyTo } from '../stores/tcp-proxy.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { vsa } from './run-cli.ts'
import { addressOn, fill } from './store-fixture.ts'

const OPTIONS = { rowsMax: 50, timeZone: 'UTC' }

const server = await postgresServer()
const url = 'url' in server ? server.url : 'postgres://postgres@127.0.0.1:1/postgres'
const admin = newPool(url)

afterAll(async () => {
  if ('url' in server) await dropSchemas(admin)
  await admin.end()
  if ('stop' in server) await server.stop()
})

const addressOf = (schema: string, more?: string): string => addressOn(url, schema, more)

interface PostgresStore {
  readonly schema: string
  readonly address: string
}

/** Emptied by each test that takes it: to make a schema takes longer than most tests. Its rows need not balance. */
const reused = newSchema()
const TABLES = ['owner', 'budget', 'lease', 'counter']

beforeAll(async () => {
  if (!('url' in server)) return
  await migrate(addressOf(reused), false)
  await admin.query(
    `alter table ${reused}.budget drop constraint books_balance; alter table ${reused}.counter drop constraint counter_value_check`,
  )
})

/** A store with the rows of `fill`. Its owner is alive. */
async function aStore(): Promise<PostgresStore> {
  const found = { schema: reused, address: addressOf(reused) }
  const emptied = TABLES.map((table) => `delete from S.${table};`).join(' ')
  await tamper(found, `${emptied} update S.store set epochs = 0, schema_version = ${SCHEMA_VERSION}`)
  const store = postgres(admin, { schema: reused })
  await fill(store)
  onTestFinished(() => store.close())
  return found
}

/** The address for a role that has these rights to the tables, and no others. */
async function asRole(schema: string, rights: string): Promise<string> {
  const role = `${schema}_role`
  await admin.query(
    `create role ${role}; grant usage on schema ${schema} to ${role}; grant ${rights} on all tables in schema ${schema} to ${role}`,
  )
  onTestFinished(async () => void (await admin.query(`drop owned by ${role}; drop role ${role}`)))
  return addressOf(schema, `&options=${encodeURIComponent(`-c role=${role}`)}`)
}

/** Changes rows without the store; `S` stands for the schema. */
async function tamper({ schema }: PostgresStore, sql: string): Promise<void> {
  await admin.query(sql.replaceAll('S.', `${schema}.`))
}

describe.skipIf('reason' in server)('verify on Postgres', () => {
  test('L2: every row of a store in use balances, and the password is not printed', async () => {
    const { schema, address } = await aStore()
    const { code, stdout, stderr } = await vsa('verify', address, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const found: unknown = JSON.parse(stdout)
    expect(found).toMatchObject({ ok: true, rows: 2, minted: 1_000, used: 14, pool: 946, burned: 0, leased: 40 })
    expect(found).toMatchObject({ faulty: [], unreadable: [], damage: [], stoppedBy: null })
    expect(found).toMatchObject({ store: expect.stringMatching(`^postgres://[^:]+@.*schema=${schema}$`) as string })
    expect(stdout).not.toContain(new URL(address).password)
    expect((await verify(address)).text).toContain('Every lease is on a row, and has an owner.')
  })

  test.each([
    ["update S.budget set used = used + 1 where key = 'concert-43'", ['1 units more than were minted']],
    [
      "update S.budget set leased = 19, pool = pool + 1 where key = 'concert-43'",
      ['1 units more than were minted', 'leased on the row is 19, and its leases hold 20'],
    ],
    ["update S.budget set lessees = 2 where key = 'concert-43'", ['lessees on the row is 2, and it has 1 leases']],
    [
      "delete from S.lease where key = 'concert-43'",
      [
        '20 of the minted units are nowhere',
        'leased on the row is 20, and its leases hold 0',
        'lessees on the row is 1, and it has 0 leases',
      ],
    ],
  ])('L2: verify finds %s on Postgres and names the row', async (sql, faults) => {
    const store = await aStore()
    await tamper(store, sql)
    const { ok, json, text } = await verify(store.address)
    expect(ok).toBe(false)
    expect(json).toMatchObject({ ok: false, rows: 2, faulty: [{ key: 'concert-43', period: 0, faults }], damage: [] })
    expect(text).toMatch(/1 row does not add up/)
  })

  test('L2: a row of Postgres that cannot be read is named, and the others are checked', async () => {
    const store = await aStore()
    await tamper(store, "update S.budget set limit_units = 9223372036854775000 where key = 'concert-42'")
    await tamper(store, "insert into S.budget (key, period, kind) values ('concert-42', 4611686018427387904, 'i')")
    await tamper(store, "update S.budget set lessees = 2 where key = 'concert-43'")
    const { json } = await verify(store.address)
    const number = expect.stringContaining('9223372036854775') as string
    expect(json).toMatchObject({
      rows: 1,
      faulty: [{ key: 'concert-43' }],
      unreadable: [
        { key: 'concert-42', period: 0, detail: number },
        { key: 'concert-42', detail: expect.stringContaining('4611686018427388') as string },
      ],
    })
    const { ok, json: shown } = await inspect(store.address, undefined, OPTIONS)
    expect(ok).toBe(false)
    expect(shown).toMatchObject({ budgets: [{ key: 'concert-43' }], unreadable: [{}, {}] })
  })

  test.each([
    ['delete from S.owner', 'the lease of epoch 1 on "concert-42", period 0, is without an owner'],
    [
      "delete from S.budget where key = 'concert-42'",
      'the lease of epoch 1 on "concert-42", period 0, is without a row',
    ],
    ["update S.owner set outcome = 'nothing'", 'the owners cannot be read: '],
    ['update S.counter set value = 9223372036854775000', 'the counters cannot be read: '],
  ])('%s is a finding, also where every row adds up', async (sql, finding) => {
    const store = await aStore()
    await tamper(store, sql)
    const { ok, json, text } = await verify(store.address)
    expect(ok).toBe(false)
    expect(json).toMatchObject({ faulty: [], unreadable: [] })
    expect((json as { damage: string[] }).damage[0]).toContain(finding)
    expect(text).toContain('The store is damaged: restore it from a backup.')
  })

  test('a schema without a store, and one of a newer version, are errors', async () => {
    await expect(verify(addressOf(newSchema()))).rejects.toMatchObject({ code: 'not_a_database' })
    const store = await aStore()
    await tamper(store, 'update S.store set schema_version = 99')
    await expect(verify(store.address)).rejects.toMatchObject({ code: 'schema_too_new' })
  })

  test('a role that may only read is enough, and query parameters reach the driver', async () => {
    const { schema } = await aStore()
    const address = await asRole(schema, 'select')
    expect(await verify(address)).toMatchObject({ ok: true, json: { rows: 2 } })
    await admin.query(`revoke select on ${schema}.lease from ${schema}_role`)
    await expect(verify(address)).rejects.toMatchObject({ code: 'store_failed' })
  })

  test('a connection that breaks while rows are read is an error, and does not end the process', async () => {
    const proxy = await proxyTo(url)
    onTestFinished(() => proxy.close())
    const { schema } = await aStore()
    const { port } = new URL(proxy.url)
    for (const fault of ['cut-before', 'cut-after'] as const) {
      proxy.arm({ match: 'with recursive', do: fault })
      const read = verify(Object.assign(new URL(addressOf(schema)), { hostname: '127.0.0.1', port }).href)
      await expect(read).rejects.toMatchObject({ code: 'store_lost' })
    }
  })
})

describe.skipIf('reason' in server)('inspect on Postgres', () => {
  test('shows budgets, leases, owners and counters', async () => {
    const { address } = await aStore()
    const { ok, json, text } = await inspect(address, 'concert-43', OPTIONS)
    expect(ok).toBe(true)
    expect(json).toMatchObject({
      budgets: [{ key: 'concert-43', used: 7, pool: 473, leased: 20, leases: [{ epoch: 1, leased: 20 }] }],
      owners: [{ epoch: 1, label: 'the test', state: 'open', seq: 2 }],
    })
    expect(text).toMatch(/Leases: 1\n.*\n- +- +20 +1 +the test/)
    expect((await inspect(address, 'likes', OPTIONS)).json).toMatchObject({ counters: [{ key: 'likes', value: 42 }] })
    await expect(inspect(address, 'concert-44', OPTIONS)).rejects.toMatchObject({ code: 'unknown_key' })
    expect((await why(address, 'concert-43', Date.now(), 'UTC')).json).toMatchObject({
      reason: 'available',
      leased: 20,
    })
    expect((await usage(address, 'concert-43', { ...OPTIONS, isCsv: true })).text).toMatch(
      /\nconcert-43,,,500,500,7,0,0,20$/,
    )
  })
})

describe.skipIf('reason' in server)('a Postgres store of several pages', () => {
  const ROWS = 2_500
  let store: PostgresStore
  beforeAll(async () => {
    const schema = newSchema()
    await migrate(addressOf(schema), false)
    store = { schema, address: addressOf(schema) }
    // Three periods of each key; every third row has leases of 1 and 2 units.
    await tamper(
      store,
      `insert into S.owner select e, 't', 'l', true, false, 1, '{}', 0, 0, 1 from generate_series(1, 3) e;
      insert into S.budget (key, period, kind, minted, pool, leased, lessees)
      select chr(233 + n / 3), n % 3, 'i', 10, case when n % 3 = 0 then 7 else 10 end, case when n % 3 = 0 then 3 else 0 end,
      case when n % 3 = 0 then 2 else 0 end from generate_series(0, ${ROWS - 1}) n;
      insert into S.lease select key, period, e, case when e = 1 then 1 else 2 end from S.budget, (values (1), (3)) o(e) where lessees = 2;
      insert into S.counter select 'counter ' || n, 1 from generate_series(1, ${ROWS}) n`,
    )
  })

  test('L2: all pages are read, in order, each row with its own leases', async () => {
    const held = 3 * Math.ceil(ROWS / 3)
    expect(await verify(store.address)).toMatchObject({
      ok: true,
      json: { rows: ROWS, minted: 10 * ROWS, pool: 10 * ROWS - held, leased: held, faulty: [] },
    })
    const { json } = await inspect(store.address, undefined, OPTIONS)
    const { budgets, counters } = json as { budgets: { key: string; period: number }[]; counters: unknown[] }
    const names = Array.from({ length: ROWS }, (_, n) => `${String.fromCodePoint(233 + Math.floor(n / 3))} ${n % 3}`)
    expect(budgets.map(({ key, period }) => `${key} ${period}`)).toEqual(names)
    expect(counters).toHaveLength(ROWS)
  })

  test('a page is found by indexes, whatever the statistics are', async () => {
    const page = budgetPage(
      { name: store.schema, version: SCHEMA_VERSION },
      undefined,
      { key: '\u{3000}', period: '1' },
      1_000,
    )
    const results: unknown = await admin.query(page.replace('with recursive', 'explain with recursive'))
    const plan = JSON.stringify((results as { rows: unknown }[]).at(-1)?.rows)
    expect(plan).toContain('lease_pkey')
    expect(plan).not.toContain('Seq Scan')
  })

  test('no snapshot is held between two pages, so updates elsewhere stay quick', async () => {
    const inspection = await placeOf(store.address).inspect()
    onTestFinished(() => inspection.close())
    const sizes: number[] = []
    for await (const { rows } of inspection.pages()) {
      sizes.push(rows.length)
      const open = await admin.query(
        `select 1 from pg_stat_activity where position($1 in query) > 0 and (backend_xmin is not null or state <> 'idle') and pid <> pg_backend_pid()`,
        [store.schema],
      )
      expect(open.rows).toEqual([])
      // It comes after all others, and is seen.
      if (sizes.length === 1)
        await tamper(store, "insert into S.budget (key, period, kind) values ('\u{10FFFF}', 0, 'i')")
    }
    expect(sizes).toEqual([1_000, 1_000, 501])
    await tamper(store, "delete from S.budget where key = '\u{10FFFF}'")
  })
})

describe.skipIf('reason' in server)('migrate', () => {
  test('makes the tables once, also when many run at once', async () => {
    const address = addressOf(`${newSchema()} we"ird 'schëma' $schema$`)
    const runs = await Promise.all(Array.from({ length: 6 }, () => migrate(address, false)))
    const made = runs.map(({ json }) => (json as { made: boolean }).made)
    expect(made.filter(Boolean)).toHaveLength(1)
    const { ok, json, text } = await migrate(address, false)
    expect({ ok, json }).toMatchObject({ ok: true, json: { made: false, version: SCHEMA_VERSION } })
    expect(text).toContain(`the tables are there, and nothing was changed (version ${SCHEMA_VERSION}).`)
    expect(await verify(address)).toMatchObject({ ok: true, json: { rows: 0 } })
  })

  test('L7: afterwards a role that may not create anything can use the store: the net effect is one record', async () => {
    const schema = newSchema()
    await migrate(addressOf(schema), false)
    const address = await asRole(schema, 'select, insert, update, delete')
    await expect(migrate(address.replace(schema, `${schema}_more`), false)).rejects.toMatchObject({
      code: 'store_failed',
    })
    expect(await netEffect(placeOf(address))).toMatchObject({ used: 200, records: 1, isTrue: true })
    expect(await verify(address)).toMatchObject({ ok: true })
  })

  test('--print prints what would be run: run by hand, twice, it makes the same', async () => {
    const address = addressOf(`${newSchema()} by "hand" $schema$`)
    const { text, json } = await migrate(address, true)
    expect(text).not.toContain(new URL(address).password)
    expect(json).toMatchObject({ sql: text })
    for (const run of [1, 2]) await admin.query(text).catch((error: unknown) => expect({ run, error }).toBeUndefined())
    expect(await migrate(address, false)).toMatchObject({ json: { made: false } })
    expect(await verify(address)).toMatchObject({ ok: true, json: { rows: 0 } })
  })
})

describe.skipIf('reason' in server)('the demo on Postgres', () => {
  test('a schema with a store is refused, and one whose tables were just made is not', async () => {
    const store = await aStore()
    const options = { seconds: 1, showsProgress: false, paint: PLAIN, cliPath: '/nowhere' }
    await expect(demo({ ...options, store: store.address })).rejects.toMatchObject({
      code: 'store_exists',
      message: expect.stringMatching(`schema ${store.schema} holds a store already: name another one`) as string,
    })
    const migrated = addressOf(newSchema())
    await migrate(migrated, false)
    await placeOf(migrated).assertNew()
  })
})
