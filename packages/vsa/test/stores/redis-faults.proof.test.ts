import { createClient } from 'redis'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { open } from '../../src/index.ts'
import type { AppliedAnswer } from '../../src/core/exchange.ts'
import { redis, type RedisClient, type RedisOptions } from '../../src/stores/redis/index.ts'
import { EXCHANGE } from '../../src/stores/redis/scripts/exchange.ts'
import { LOAD_EXCHANGE } from '../../src/stores/redis/scripts/load-exchange.ts'
import { SAVE } from '../../src/stores/redis/scripts/save.ts'
import { clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { applied, batch, count, entry, fault } from './sqlite-fixture.ts'
import { proxyTo, type Proxy } from './tcp-proxy.ts'

const server = await redisServer(DURABLE, true)
const url = 'url' in server ? server.url : ''
const admin = newClient(url, { lazyConnect: true })
const proxies: Proxy[] = []

afterAll(async () => {
  admin.disconnect()
  for (const proxy of proxies) await proxy.close()
  if ('stop' in server) await server.stop()
})

async function proxied(): Promise<Proxy> {
  const proxy = await proxyTo(url)
  proxies.push(proxy)
  return proxy
}

/** A connected client of node-redis that ends with the test. Without a listener for errors, as users have it. */
async function nodeRedisOn(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: () => 20 } })
  await client.connect()
  onTestFinished(() => (client.isOpen ? client.destroy() : undefined))
  return client
}

const taking = { entries: [entry(), count('calls', 1)], takes: [{ need: [[0, 1]] as const, n: 3 }] }
const unknown = { applied: 'unknown', transient: true } as const
const again = { transient: true } as const

describe('arguments', () => {
  const client: RedisClient = { callBuffer: () => Promise.reject(new Error('not called')) }

  it('refuses what is no client, and what is no prefix', () => {
    expect(() => redis({} as typeof client)).toThrow(/^client must be a client of Redis/)
    expect(() => redis(client, { prefix: '' })).toThrow(/^options\.prefix must have 1 to 200/)
    expect(() => redis(client, { prefix: 'a'.repeat(201) })).toThrow(/^options\.prefix must have .* got 201/)
    expect(() => redis(client, { prefix: '{a}' })).toThrow(/^options\.prefix must be .* without braces/)
    expect(() => redis(client, { prefix: '\ud800' })).toThrow(/^options\.prefix must be well-formed/)
    expect(() => redis(client, { leaseTtlMs: 0 })).toThrow(/^options\.leaseTtlMs must/)
    expect(() => redis(client, { leaseTtlMs: 86_400_001 })).toThrow(/^options\.leaseTtlMs must/)
    expect(() => redis(client, { strict: 1 as unknown as boolean })).toThrow(/^options\.strict must/)
    expect(redis(client, { prefix: 'a'.repeat(200), leaseTtlMs: 86_400_000 }).capabilities.batchMax).toBe(250)
  })
})

const kinds = { ioredis: (url: string): RedisClient => clientOn(url), 'node-redis': nodeRedisOn } as const

describe.skipIf('reason' in server)('a Redis server', () => {
  it('S2: 12 stores that open an empty database at once get different epochs, whatever the prefix', async () => {
    const prefix = `${newPrefix()} we"ird 'prëfix\0 \u{1f980}`
    const stores = Array.from({ length: 12 }, () => storeOn(clientOn(url), { prefix }))
    const joined = await Promise.all(stores.map((store) => store.join('test')))
    expect(joined.map(({ epoch }) => epoch).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    )
  })

  it('L1: two engines with different clients on one budget admit it to the unit', async () => {
    const prefix = newPrefix()
    const clients = [clientOn(url), await nodeRedisOn(url)]
    const engines = clients.map((client) => open({ store: storeOn(client, { prefix }) }))
    const admitted = await Promise.all(
      engines.map(async (engine) => {
        const budget = engine.budget('seats', { initial: 500, atRisk: 20 })
        const answers = await Promise.all(Array.from({ length: 400 }, () => budget.admit()))
        return answers.filter((answer) => answer).length
      }),
    )
    expect(admitted.reduce((sum, units) => sum + units, 0)).toBe(500)
    for (const engine of engines) await engine.close()
    const [row] = await storeOn(admin, { prefix }).read([{ key: 'seats', period: 0 }])
    expect(row).toMatchObject({ minted: 500, used: 500, pool: 0, burned: 0 })
  })

  describe.each([
    ['ioredis', true],
    ['ioredis', false],
    ['node-redis', true],
    ['node-redis', false],
  ] as const)('over a connection of %s that breaks, with the fast path %s', (kind, fastPath) => {
    const writing = fastPath ? EXCHANGE : SAVE

    it.each([
      ['cut-before', 'applied'],
      ['cut-after', 'replayed'],
    ] as const)('L3: in the script that writes (%s): unknown, and the same batch is then %s', async (cut, then) => {
      const proxy = await proxied()
      const store = storeOn(await kinds[kind](proxy.url), { prefix: newPrefix(), fastPath })
      const sent = batch(await store.join('test'), 1, taking)
      proxy.arm({ match: writing.sha, do: cut })
      await expect(store.exchange(sent)).rejects.toMatchObject(fault('store_lost', unknown))
      expect(await store.exchange(sent)).toMatchObject({
        kind: then,
        granted: [3],
        entries: [{ used: 3 }, { value: 1 }],
      })
    })

    it.each(fastPath ? [] : (['cut-before', 'cut-after'] as const))(
      'in a load (%s): surely not applied',
      async (cut) => {
        const proxy = await proxied()
        const store = storeOn(await kinds[kind](proxy.url), { prefix: newPrefix(), fastPath: false })
        const sent = batch(await store.join('test'), 1, taking)
        proxy.arm({ match: LOAD_EXCHANGE.sha, do: cut })
        await expect(store.exchange(sent)).rejects.toMatchObject(fault('store_lost', again))
        expect(applied(await store.exchange(sent)).granted).toEqual([3])
      },
    )
  })

  it.each([true, false])(
    'L3: a script that ioredis sends again by itself writes once (fast path %s)',
    async (fastPath) => {
      const proxy = await proxied()
      const client = clientOn(proxy.url, { maxRetriesPerRequest: 20 })
      const store = storeOn(client, { prefix: newPrefix(), fastPath })
      const sent = batch(await store.join('test'), 1, taking)
      proxy.arm({ match: fastPath ? EXCHANGE.sha : SAVE.sha, do: 'cut-after' })
      expect(await store.exchange(sent)).toMatchObject({
        kind: 'replayed',
        granted: [3],
        entries: [{ used: 3 }, { value: 1 }],
      })
    },
  )

  it('L3: an answer that does not come in time: unknown, and the same batch is replayed', async () => {
    const proxy = await proxied()
    const prefix = newPrefix()
    const store = storeOn(clientOn(proxy.url, { commandTimeout: 200 }), { prefix })
    const sent = batch(await store.join('test'), 1, taking)
    proxy.arm({ match: EXCHANGE.sha, do: 'hold' })
    await expect(store.exchange(sent)).rejects.toMatchObject(fault('store_lost', unknown))
    expect(await storeOn(clientOn(url), { prefix }).exchange(sent)).toMatchObject({ kind: 'replayed', granted: [3] })
  })

  it('a server that has forgotten the scripts gets them again', async () => {
    const store = storeOn(clientOn(url), { prefix: newPrefix() })
    const joined = await store.join('test')
    for (let seq = 1; seq <= 3; seq += 1) {
      await admin.script('FLUSH')
      expect(applied(await store.exchange(batch(joined, seq, taking))).entries).toMatchObject([{ used: 3 * seq }, {}])
    }
  })

  it('idle connections that the server ends do not end the process, and the next call gets another one', async () => {
    const client = await nodeRedisOn(url)
    const store = storeOn(client, { prefix: newPrefix() })
    const joined = await store.join('test')
    expect(client.listenerCount('error')).toBe(1)
    const broken = new Promise((resolve) => client.once('error', resolve))
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await broken
    expect(applied(await store.exchange(batch(joined, 1, taking))).granted).toEqual([3])
    await store.close()
    expect(client.listenerCount('error')).toBe(0)
  })

  it('a client that has been closed: store_closed; one of node-redis that is not connected may be yet', async () => {
    const client = clientOn(url)
    const store = storeOn(client, { prefix: newPrefix() })
    const joined = await store.join('test')
    client.disconnect()
    await new Promise((resolve) => client.once('end', resolve))
    await expect(store.exchange(batch(joined, 1, taking))).rejects.toMatchObject(fault('store_closed'))
    const other = createClient({ url })
    await expect(storeOn(other, { prefix: newPrefix() }).join('test')).rejects.toMatchObject(fault('store_lost', again))
  })

  it('a server that is not there: store_lost, surely not applied', async () => {
    const proxy = await proxyTo(url)
    await proxy.close()
    await expect(storeOn(clientOn(proxy.url)).join('test')).rejects.toMatchObject(fault('store_lost', again))
  })

  it('S4: keys are kept as they are', async () => {
    const prefix = newPrefix()
    const store = storeOn(clientOn(url), { prefix })
    const joined = await store.join(`label \0 \u{1f980}`)
    const keys = ['a', 'a\0', 'a\0b', 'a\u0001', 'a:b', ':', '-1:a', 'é', '\u8868\\', '\u{1f980}', 'x'.repeat(1_024)]
    const periods = [0, 1, -1, 1_750_000_000_001, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    const rows = keys.flatMap((key) => periods.map((period) => ({ key, period })))
    const entries = rows.map((row) => entry({ ...row, hold: 1 }))
    expect(applied(await store.exchange(batch(joined, 1, { entries }))).entries).toHaveLength(rows.length)
    const listed = (await store.list({ limit: 1_000 })).rows
    const inOrder = rows.toSorted(
      (a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || a.period - b.period,
    )
    expect(listed.map(({ budget: { key, period } }) => ({ key, period }))).toEqual(inOrder)
    expect(listed.every(({ leases }) => leases.length === 1 && leases[0]?.held === 1)).toBe(true)
    expect((await store.list({ key: 'a', limit: 1_000 })).rows).toHaveLength(periods.length)
    const page = await store.list({ key: 'a\0', after: { key: 'a\0', period: 0 }, limit: 2 })
    expect(page.rows.map(({ budget }) => budget.period)).toEqual([1, 1_750_000_000_001])
    expect(await store.read(rows)).toHaveLength(rows.length)
    expect(await store.owners()).toMatchObject([{ label: `label \0 \u{1f980}` }])
  })

  it('S6: an entry that cannot be, and a row that cannot be read, are named and do not fail the other entries', async () => {
    const prefix = newPrefix()
    const store = storeOn(clientOn(url), { prefix })
    const joined = await store.join('test')
    const odd = await store.exchange(batch(joined, 1, { entries: [entry(), entry({ period: Number.NaN, key: 'b' })] }))
    expect(odd).toMatchObject({ kind: 'breach', row: { key: 'b' } })
    await store.exchange(batch(joined, 1, { entries: [entry(), entry({ key: 'b' })] }))
    await admin.hset(`{${prefix}}:b`, '0:b', 'not packed')
    const sent = (key: string): Promise<unknown> => store.exchange(batch(joined, 2, { entries: [entry({ key })] }))
    expect(await sent('b')).toMatchObject({ kind: 'breach', row: { key: 'b', period: 0 } })
    expect(await sent('seats')).toMatchObject({ kind: 'applied' })
  })
})

describe.skipIf('reason' in server)('R6: a store of which a part is missing', () => {
  async function used(options: RedisOptions = {}): Promise<{
    readonly key: (name: string) => string
    readonly exchange: (seq: number) => Promise<AppliedAnswer>
  }> {
    const prefix = newPrefix()
    const store = storeOn(clientOn(url), { prefix, ...options })
    const joined = await store.join('test')
    const mint = { id: 'order 1', units: 5 }
    const entries = [entry({ mint }), count('calls', 1)]
    await store.exchange(batch(joined, 1, { entries }))
    return {
      key: (name) => `{${prefix}}:${name}`,
      exchange: async (seq) => applied(await store.exchange(batch(joined, seq, taking))),
    }
  }

  it.each(['s', 'b', 'm', 'c', 'i'])('L1: without the key %s nothing is made or granted', async (name) => {
    const { key, exchange } = await used()
    await admin.del(key(name))
    await expect(exchange(2)).rejects.toMatchObject(fault('store_damaged'))
    await expect(exchange(2)).rejects.toThrow(/restore a backup/)
  })

  it('a key of another type: store_failed, surely not applied', async () => {
    const { key, exchange } = await used()
    await admin.del(key('w'))
    await admin.set(key('w'), 'x')
    await admin.set(key('d'), 'x')
    await expect(exchange(2)).rejects.toMatchObject(fault('store_failed'))
    await admin.del(key('w'), key('d'))
    expect((await exchange(2)).granted).toEqual([3])
  })

  it('without any key it is a new store, which fences the owner', async () => {
    const prefix = newPrefix()
    const store = storeOn(clientOn(url), { prefix })
    const joined = await store.join('test')
    for (const name of await admin.keys(`{${prefix}}:*`)) await admin.del(name)
    await expect(store.exchange(batch(joined, 1, taking))).rejects.toMatchObject(fault('store_lost', again))
    expect(await store.exchange(batch(joined, 1, taking))).toMatchObject({ kind: 'fenced', last: null, forgot: true })
  })

  it('refuses a newer schema, and names what to upgrade', async () => {
    const { key, exchange } = await used()
    await admin.hset(key('s'), 'schema', '99')
    await expect(exchange(2)).rejects.toMatchObject(fault('schema_too_new'))
    await expect(exchange(2)).rejects.toThrow('Upgrade vsa')
  })
})
