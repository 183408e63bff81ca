import { Pool } from 'pg'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { open } from '../../src/index.ts'
import { PostgresAdapter } from '../../src/stores/postgres/adapter.ts'
import { writesOf } from '../../src/core/writes.ts'
import { postgres, type PostgresClient } from '../../src/stores/postgres/index.ts'
import { ADAPTER_SETTINGS, dropSchemas, newPool, newSchema, poolOn, storeOn, waiterOn } from './postgres-fixture.ts'
import { proxyTo, type Proxy } from './tcp-proxy.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { applied, batch, count, entry, fault } from './sqlite-fixture.ts'

const server = await postgresServer()
const url = 'url' in server ? server.url : ''
const admin = newPool(url)
const proxies: Proxy[] = []

afterAll(async () => {
  if ('url' in server) await dropSchemas(admin)
  await admin.end()
  for (const proxy of proxies) await proxy.close()
  if ('stop' in server) await server.stop()
})

async function proxied(): Promise<Proxy> {
  const proxy = await proxyTo(url)
  proxies.push(proxy)
  return proxy
}

const takes = [{ need: [[0, 1]] as const, n: 3 }]
const taking = { entries: [entry(), count('calls', 1)], takes }
const unknown = { applied: 'unknown', transient: true } as const
const again = { transient: true } as const

describe('arguments', () => {
  const pool = { connect: () => Promise.reject(new Error('not called')) }

  it('refuses what is no pool, and what is no schema', () => {
    expect(() => postgres({} as typeof pool)).toThrow(/^pool must be a pool of connections/)
    expect(() => postgres(pool, { schema: '' })).toThrow(/^options\.schema must/)
    expect(() => postgres(pool, { schema: 'pg_vsa' })).toThrow(/^options\.schema must/)
    expect(() => postgres(pool, { schema: 'a\0b' })).toThrow(/^options\.schema must/)
    expect(() => postgres(pool, { schema: 'é'.repeat(32) })).toThrow(/^options\.schema must .* got 64/)
    expect(() => postgres(pool, { leaseTtlMs: 0 })).toThrow(/^options\.leaseTtlMs must/)
    expect(() => postgres(pool, { leaseTtlMs: 86_400_001 })).toThrow(/^options\.leaseTtlMs must/)
    expect(postgres(pool, { schema: 'a'.repeat(63), leaseTtlMs: 86_400_000 }).capabilities.batchMax).toBe(1_000)
  })
})

describe.skipIf('reason' in server)('a Postgres server', () => {
  it('S2: 12 stores that open an empty database at once get different epochs, whatever the name of the schema', async () => {
    const schema = `${newSchema()} we"ird 'schëma' \\ $$`
    const stores = Array.from({ length: 12 }, () => storeOn(poolOn(url, { max: 1 }), { schema }))
    const joined = await Promise.all(stores.map((store) => store.join('test')))
    expect(joined.map(({ epoch }) => epoch).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    )
  })

  it('L1: two engines on one budget admit it to the unit', async () => {
    const schema = newSchema()
    const pools = [poolOn(url), poolOn(url)]
    const engines = pools.map((pool) => open({ store: postgres(pool, { schema }) }))
    const admitted = await Promise.all(
      engines.map(async (engine) => {
        const budget = engine.budget('seats', { initial: 500, atRisk: 20 })
        const answers = await Promise.all(Array.from({ length: 400 }, () => budget.admit()))
        return answers.filter((answer) => answer).length
      }),
    )
    expect(admitted.reduce((sum, units) => sum + units, 0)).toBe(500)
    for (const engine of engines) await engine.close()
    const [row] = await storeOn(admin, { schema }).read([{ key: 'seats', period: 0 }])
    expect(row).toMatchObject({ minted: 500, used: 500, pool: 0, burned: 0 })
  })

  describe.each([
    { fastPath: true, match: '.exchange_3(' },
    { fastPath: false, match: '\ncommit' },
  ])('with the option fastPath: $fastPath', ({ fastPath, match }) => {
    it('L3: the connection is cut before the commit: unknown, and the same batch is applied once', async () => {
      const proxy = await proxied()
      const store = storeOn(poolOn(proxy.url), { schema: newSchema(), fastPath })
      const sent = batch(await store.join('test'), 1, taking)
      proxy.arm({ match, do: 'cut-before' })
      await expect(store.exchange(sent)).rejects.toMatchObject(fault('store_lost', unknown))
      expect(applied(await store.exchange(sent))).toMatchObject({ granted: [3], entries: [{ used: 3 }, { value: 1 }] })
    })

    it('L3: the connection is cut after the commit: unknown, and the same batch is replayed', async () => {
      const proxy = await proxied()
      const store = storeOn(poolOn(proxy.url), { schema: newSchema(), fastPath })
      const sent = batch(await store.join('test'), 1, taking)
      proxy.arm({ match, do: 'cut-after' })
      await expect(store.exchange(sent)).rejects.toMatchObject(fault('store_lost', unknown))
      expect(await store.exchange(sent)).toMatchObject({
        kind: 'replayed',
        granted: [3],
        entries: [{ used: 3 }, { value: 1 }],
      })
    })

    it.each([
      ['pg_cancel_backend', 'store_busy', again],
      // A server process that waits for a synchronous standby is ended after the commit.
      ['pg_terminate_backend', 'store_lost', fastPath ? unknown : again],
    ] as const)('a server process that waits for a lock is ended by %s: %s', async (end, code, options) => {
      const schema = newSchema()
      const store = storeOn(poolOn(url), { schema, fastPath })
      const sent = batch(await store.join('test'), 1, taking)
      const holder = await admin.connect()
      await holder.query(`begin; select 1 from ${schema}.owner for update`)
      const failed = expect(store.exchange(sent)).rejects.toMatchObject(fault(code, options))
      await admin.query(`select ${end}(${await waiterOn(admin, schema)})`)
      await failed
      await holder.query('rollback')
      holder.release()
      expect(applied(await store.exchange(sent)).granted).toEqual([3])
    })
  })

  it.each(['cut-before', 'cut-after'] as const)(
    'the connection is lost in the load (%s): surely not applied',
    async (what) => {
      const proxy = await proxied()
      const store = storeOn(poolOn(proxy.url), { schema: newSchema(), fastPath: false })
      const sent = batch(await store.join('test'), 1, taking)
      proxy.arm({ match: 'for update', do: what })
      await expect(store.exchange(sent)).rejects.toMatchObject(fault('store_lost', again))
      expect(applied(await store.exchange(sent)).granted).toEqual([3])
    },
  )

  it.each(['cut-before', 'cut-after'] as const)(
    'the connection is lost while rows are read (%s): the call fails, and no error is uncaught',
    async (what) => {
      const proxy = await proxied()
      const store = storeOn(poolOn(proxy.url), { schema: newSchema() })
      await store.exchange(batch(await store.join('test'), 1, taking))
      const calls = [
        ['from unnest', () => store.read([{ key: 'seats', period: 0 }])],
        ['.lease', () => store.list({ limit: 10 })],
        ['.owner', () => store.owners()],
      ] as const
      for (const [match, call] of calls) {
        proxy.arm({ match, do: what })
        await expect(call()).rejects.toMatchObject(fault('store_lost', again))
        expect(await call()).toBeDefined()
      }
    },
  )

  it('a connection that the server ends between load and save: nothing is applied, and no error is uncaught', async () => {
    const schema = newSchema()
    const pool = poolOn(url, { max: 1 })
    const store = storeOn(pool, { schema })
    const sent = batch(await store.join('test'), 1, taking)
    let client: PostgresClient | undefined
    const connect = async (): Promise<PostgresClient> => (client = await pool.connect())
    const adapter = new PostgresAdapter({ connect }, { schema, ...ADAPTER_SETTINGS })
    await adapter.ready()
    const snapshot = await adapter.loadExchange(sent)
    const broken = new Promise((resolve) => client?.on?.('error', resolve))
    const { rows } = await admin.query<{ pid: number }>(
      `select pid from pg_stat_activity where state = 'idle in transaction' and query like '%${schema}%'`,
    )
    await admin.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await broken
    const saving = snapshot.save(writesOf(snapshot.time, {}))
    await expect(saving).rejects.toMatchObject(fault('store_lost', again))
    expect(applied(await store.exchange(sent)).granted).toEqual([3])
  })

  it('idle connections that the server ends do not end the process, and the next call gets another one', async () => {
    const schema = newSchema()
    const pool = new Pool({ connectionString: url, application_name: schema })
    const store = postgres(pool, { schema })
    const joined = await store.join('test')
    expect(pool.listenerCount('error')).toBe(1)
    const emptied = new Promise((resolve) => pool.once('remove', resolve))
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [schema])
    await emptied
    expect(applied(await store.exchange(batch(joined, 1, taking))).granted).toEqual([3])
    await store.close()
    expect(pool.listenerCount('error')).toBe(0)
    await pool.end()
  })

  it('a role without rights is refused, and the right is named', async () => {
    const schema = newSchema()
    const store = storeOn(admin, { schema })
    await store.join('test')
    await admin.query(`create role ${schema} login`)
    onTestFinished(async () => void (await admin.query(`drop role ${schema}`)))
    const other = new URL(url)
    other.username = schema
    const joining = storeOn(poolOn(other.href), { schema }).join('test')
    await expect(joining).rejects.toMatchObject(fault('store_failed'))
    await expect(joining).rejects.toThrow(/grant it the rights.*permission denied/)
    await expect(storeOn(poolOn(other.href), { schema: newSchema() }).join('test')).rejects.toThrow(/permission denied/)
    other.username = 'stranger'
    await expect(storeOn(poolOn(other.href), { schema }).join('test')).rejects.toMatchObject(fault('store_failed'))
  })

  it('a pool that has been ended: store_closed', async () => {
    const pool = poolOn(url)
    const store = storeOn(pool, { schema: newSchema() })
    const joined = await store.join('test')
    await pool.end()
    await expect(store.exchange(batch(joined, 1, taking))).rejects.toMatchObject(fault('store_closed'))
  })

  it('a server that is not there: store_lost, surely not applied', async () => {
    const proxy = await proxyTo(url)
    await proxy.close()
    await expect(storeOn(poolOn(proxy.url)).join('test')).rejects.toMatchObject(fault('store_lost', again))
  })

  it('a read-only role: read_only, surely not applied', async () => {
    const schema = newSchema()
    await storeOn(admin, { schema }).join('test')
    const pool = poolOn(url, { options: '-c default_transaction_read_only=on' })
    await expect(storeOn(pool, { schema }).join('test')).rejects.toMatchObject(fault('read_only', again))
  })

  it('L1: a schema that is dropped while it is used is not made again by an exchange', async () => {
    const schema = newSchema()
    const store = storeOn(poolOn(url), { schema })
    const joined = await store.join('test')
    await admin.query(`drop schema ${schema} cascade`)
    await expect(store.exchange(batch(joined, 1, taking))).rejects.toMatchObject(fault('store_failed'))
    await expect(store.exchange(batch(joined, 1, taking))).rejects.toThrow(/restore it/)
  })

  it('refuses a newer schema, and names what to upgrade', async () => {
    const schema = newSchema()
    await storeOn(admin, { schema }).join('test')
    await admin.query(`update ${schema}.store set schema_version = 99`)
    await expect(storeOn(admin, { schema }).join('test')).rejects.toMatchObject(fault('schema_too_new'))
    await expect(storeOn(admin, { schema }).join('test')).rejects.toThrow('Upgrade vsa')
  })

  it('L1: a commit is durable where the role has synchronous_commit=off', async () => {
    const schema = newSchema()
    const pool = poolOn(url, {
      max: 1,
      options: '-c synchronous_commit=off -c default_transaction_isolation=serializable',
    })
    await storeOn(pool, { schema }).join('test')
    await admin.query(`create function ${schema}.refuse() returns trigger language plpgsql as $$ begin
      raise exception '% %', current_setting('synchronous_commit'), current_setting('transaction_isolation'); end $$;
      create trigger refuse before insert on ${schema}.owner execute function ${schema}.refuse()`)
    await expect(storeOn(pool, { schema }).join('test')).rejects.toThrow(/\(on read committed\)/)
  })

  it('S4: keys are kept as they are, whatever the settings for strings are', async () => {
    const schema = newSchema()
    const options = '-c standard_conforming_strings=off -c backslash_quote=off'
    const store = storeOn(poolOn(url, { options }), { schema })
    const joined = await store.join(`'); drop table owner; -- \\' \ud800`)
    const keys = [
      "'",
      "\\'",
      "\\\\'",
      '\\',
      '"',
      '\\"',
      '{"a"}',
      'NULL',
      'é',
      '\u8868\u005c',
      '\u{1f980}',
      "\u{1f980}'; drop schema x; --",
    ]
    const sent = batch(joined, 1, { entries: keys.map((key) => entry({ key })) })
    expect(applied(await store.exchange(sent)).entries).toHaveLength(keys.length)
    const { rows } = await admin.query<{ key: string }>(`select key from ${schema}.budget`)
    expect(rows.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
    expect(await store.owners()).toMatchObject([{ label: `'); drop table owner; -- \\' \ufffd` }])
  })

  it('S6: an entry that Postgres cannot have is named, and does not fail the other entries', async () => {
    const store = storeOn(admin, { schema: newSchema() })
    const joined = await store.join('test')
    const long = '\u6f22'.repeat(1_024)
    const breach = await store.exchange(batch(joined, 1, { entries: [entry(), entry({ key: long })] }))
    expect(breach).toMatchObject({ kind: 'breach', row: { key: long, period: 0 } })
    const odd = await store.exchange(batch(joined, 1, { entries: [entry(), entry({ period: Number.NaN, key: 'b' })] }))
    expect(odd).toMatchObject({ kind: 'breach', row: { key: 'b' } })
    const key = Array.from({ length: 853 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000))).join('')
    expect(Buffer.byteLength(key)).toBe(2_559)
    expect(
      applied(await store.exchange(batch(joined, 1, { entries: [entry(), entry({ key })] }))).entries,
    ).toHaveLength(2)
  })
})
