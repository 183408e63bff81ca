import type { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import type { AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { inspectRedis } from '../../src/stores/redis/inspect.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { EXCHANGE } from '../../src/stores/redis/scripts/exchange.ts'
import { LOAD_EXCHANGE } from '../../src/stores/redis/scripts/load-exchange.ts'
import { Session } from '../../src/stores/redis/session.ts'
import { makeOld, reserving } from './redis-credits-fixture.ts'
import { assertSums, clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { applied, batch, count, entry, fault, initial } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const url = 'url' in server ? server.url : ''
const client = newClient(url, { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

const policy = { ...initial, kind: 'window', endsAt: 9e12, keepUntil: 9.1e12 } as const
const entries = [
  entry({ hold: 10, mint: { id: 'order 1', units: 5 } }),
  entry({ key: 'looked at', period: 8e12, policy }),
  entry({ key: 'new period', period: 8e12, policy: { ...policy, version: 7 } }),
]

interface Old {
  readonly prefix: string
  readonly joined: Joined
  readonly key: (name: string) => string
  send(store: Store, seq: number, content: Partial<Batch>): Promise<AppliedAnswer>
}

/** A store of schema 1 with two budgets, a lease, a mint and a counter, whose owner goes on. */
async function old(): Promise<Old> {
  const prefix = newPrefix()
  const key = (name: string): string => `{${prefix}}:${name}`
  const store = storeOn(client, { prefix })
  const joined = await store.join('test')
  await store.exchange(
    batch(joined, 1, { entries: [...entries.map((one) => ({ ...one, period: 0 })), count('calls', 3)] }),
  )
  await makeOld(client, key)
  return {
    prefix,
    joined,
    key,
    send: async (to, seq, content) => applied(await to.exchange(batch(joined, seq, content))),
  }
}

/** How often each script was sent by a client. */
function counted(of: Redis, sent: string[]): RedisClient {
  return {
    callBuffer: (command, ...values) => {
      if (values[0] === EXCHANGE.sha) sent.push('exchange')
      if (values[0] === LOAD_EXCHANGE.sha) sent.push('load')
      return of.callBuffer(command, ...values.map((it) => (typeof it === 'object' ? Buffer.from(it) : it)))
    },
  }
}

const known = (changes: object = {}): Partial<Batch> => ({
  entries: [entry({ known: true, hold: 10, ...changes }), entry({ key: 'looked at', known: true }), count('calls', 1)],
})

describe.skipIf('reason' in server)('a store of schema 1', () => {
  it.each([true, false])(
    'L1, R1: goes on with its rows, leases, mints and counters, and keeps reservations (fast path %s)',
    async (fastPath) => {
      const { prefix, key, send } = await old()
      const store = storeOn(client, { prefix, fastPath })
      const [first, second] = (await send(store, 2, known({ spent: 4, refund: 1 }))).entries
      expect(first).toEqual(expect.objectContaining({ held: 10, used: 3, pool: 92, minted: 105 }))
      expect(second).toMatchObject({ pool: 100, minted: 100 })
      const minted = await send(store, 3, {
        entries: [entry({ known: true, hold: 10, mint: { id: 'order 1', units: 5 } })],
      })
      expect(minted.entries).toMatchObject([{ mint: 'repeated', minted: 105 }])
      const taken = await send(store, 4, { ...known(), takes: [reserving('a', [2, 3])] })
      expect(taken).toMatchObject({ granted: [1], entries: [{ reserved: 2, pool: 90 }, { reserved: 3, pool: 97 }, {}] })
      expect(await client.hget(key('s'), 'schema')).toBe('2')
      await assertSums(client, prefix)
    },
  )

  it('L7: the first exchange packs its rows anew, also those that it only looks at; from then on the fast path decides', async () => {
    const { prefix, send } = await old()
    const sent: string[] = []
    const store = storeOn(counted(client, sent), { prefix })
    await send(store, 2, known())
    expect(sent).toEqual(['exchange', 'load'])
    await send(store, 3, known())
    expect(sent).toEqual(['exchange', 'load', 'exchange'])
  })

  it('P2: a row of schema 1 hands its terms on', async () => {
    const { prefix, send } = await old()
    const store = storeOn(client, { prefix })
    const next = entry({ key: 'new period', period: 1, policy: { ...policy, limit: 50, version: 3 } })
    expect((await send(store, 2, { entries: [next] })).entries).toMatchObject([{ limit: 100, version: 7 }])
  })

  it('its rows are listed, read and inspected before they are written', async () => {
    const { prefix } = await old()
    const inspection = await inspectRedis(new Session(client, prefix))
    const rows = []
    for await (const page of inspection.pages()) rows.push(...page.rows)
    expect(rows.map(({ budget, faults }) => [budget.key, budget.reserved, budget.resets, faults])).toEqual([
      ['looked at', 0, 0, undefined],
      ['new period', 0, 0, undefined],
      ['seats', 0, 0, undefined],
    ])
    expect(await inspection.integrity()).toEqual([])
    const store = storeOn(client, { prefix })
    expect((await store.list({ limit: 9 })).rows.map(({ budget, leases }) => [budget.pool, leases.length])).toEqual([
      [100, 0],
      [100, 0],
      [95, 1],
    ])
    expect(await store.read([{ key: 'seats', period: 0 }])).toMatchObject([{ reserved: 0, resets: 0 }])
  })

  it('that takes the place of a newer one while it is used is opened again', async () => {
    const { prefix, key, send } = await old()
    const store = storeOn(clientOn(url), { prefix })
    await send(store, 2, known())
    await makeOld(client, key)
    await expect(send(store, 3, known())).rejects.toMatchObject(fault('store_lost', { transient: true }))
    expect(await send(store, 3, known())).toMatchObject({ kind: 'applied' })
  })

  it('12 stores open it at once, and only once it is changed', async () => {
    const { prefix, key } = await old()
    const stores = Array.from({ length: 12 }, () => storeOn(clientOn(url), { prefix }))
    const joined = await Promise.all(stores.map((store) => store.join('test')))
    expect(new Set(joined.map(({ epoch }) => epoch)).size).toBe(12)
    expect(await client.hmget(key('s'), 'schema', 'reservations', 'names', 'rows')).toEqual(['2', '0', '0', '3'])
  })
})
