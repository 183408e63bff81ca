import { afterAll, describe, expect, it } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { adaptedStore } from '../../src/core/adapted-store.ts'
import type { AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { ReservationPage } from '../../src/core/inspection.ts'
import { inspectRedis } from '../../src/stores/redis/inspect.ts'
import { Session } from '../../src/stores/redis/session.ts'
import { reserving, settling } from './redis-credits-fixture.ts'
import { adapterOn, newClient, newPrefix } from './redis-fixture.ts'
import { applied, batch, entry, fault } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const client = newClient('url' in server ? server.url : '', { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

const START = 1_750_000_000_000
const OWN = '["seats","a"]'
const LINK = '["other","a"]'
const both = [entry(), entry({ key: 'other' })]

interface Scene {
  key(name: string): string
  send(content: Partial<Batch>): Promise<AppliedAnswer>
  pass(ms: number): void
  /** What an inspection finds. */
  integrity(): Promise<readonly string[]>
  reservations(key?: string): Promise<ReservationPage>
  /** Of each row, what is reserved, and what its reservations have. */
  charged(key?: string): Promise<readonly unknown[]>
}

/** A store with the reservation `a` of two budgets, and `b` of one. */
async function scene(): Promise<Scene> {
  let now = START
  const prefix = newPrefix()
  const adapter = adapterOn(client, { prefix, now: () => now, leaseTtlMs: 3_600_000 })
  const store = adaptedStore(adapter, { now: () => now, upkeepEveryMs: 0 }, () => 'token')
  const joined = await store.join('test')
  let seq = 0
  const send = async (content: Partial<Batch>): Promise<AppliedAnswer> => {
    const answer = applied(await store.exchange(batch(joined, seq + 1, content)))
    seq += 1
    return answer
  }
  const inspection = () => inspectRedis(new Session(client, prefix))
  await send({ entries: both, takes: [reserving('a', [2, 3]), reserving('b', [4])] })
  return {
    key: (name) => `{${prefix}}:${name}`,
    send,
    pass: (ms) => void (now += ms),
    integrity: async () => (await inspection()).integrity(),
    charged: async (of) => {
      const found: unknown[] = []
      for await (const { rows } of (await inspection()).pages(of))
        found.push(...rows.map((row) => [row.budget.reserved, row.charged]))
      return found
    },
    reservations: async (of) => {
      const pages: ReservationPage[] = []
      for await (const page of (await inspection()).reservationPages(of)) pages.push(page)
      return { rows: pages.flatMap(({ rows }) => rows), unreadable: pages.flatMap(({ unreadable }) => unreadable) }
    },
  }
}

const kept = { as: 'reservation', request: '', onExpire: 'return', rows: ['0:seats', '0:other'], counters: [] }
const lots = JSON.stringify([{ units: 1, uncovered: 0, state: 'x', expiresAt: 0, keepUntil: null, sources: [{}] }])
const budget = { key: 'seats', period: 0, charged: 2, refunded: null, resets: 0 }
const sound = JSON.stringify([
  { units: 1, uncovered: 0, state: 'open', expiresAt: 0, keepUntil: null, sources: [budget] },
])

const broken: readonly (readonly [what: string, json: string, detail: RegExp])[] = [
  ['no JSON', '{"rows":[', /expected JSON/],
  ['a text', '"x"', /expected a record/],
  ['no lots', JSON.stringify({ ...kept, lots: '[]' }), /the lots of a reservation cannot be/],
  ['lots that are none', JSON.stringify({ ...kept, lots: 1 }), /expected a text/],
  ['another state', JSON.stringify({ ...kept, lots }), /the (key|state) of a reservation cannot be/],
  ['another kind', JSON.stringify({ ...kept, as: 'loan', lots }), /expected reservation or admission/],
  ['rows that are none', JSON.stringify({ ...kept, rows: 7, lots: sound }), /the rows of its lots/],
  ['a name', `=${LINK}`, /which is missing/],
]

describe.skipIf('reason' in server)('damage to reservations in Redis', () => {
  it('an inspection finds each reservation once, and by the key of each of its budgets', async () => {
    const { reservations, integrity } = await scene()
    const idsOf = async (key?: string): Promise<unknown> =>
      (await reservations(key)).rows.map(({ id }) => id).toSorted()
    expect(await idsOf()).toEqual(['a', 'b'])
    expect(await idsOf('seats')).toEqual(['a', 'b'])
    expect(await idsOf('other')).toEqual(['a'])
    expect(await idsOf('othe')).toEqual([])
    expect(await idsOf('*')).toEqual([])
    expect(await integrity()).toEqual([])
  })

  it('R2: units that are reserved for no reservation are found, of a store that is not in use', async () => {
    const { key, send, charged } = await scene()
    await send({ changes: [settling('b', 1)] })
    expect(await charged()).toEqual([
      [3, 3],
      [2, 2],
    ])
    const json = (await client.hget(key('r'), OWN)) ?? ''
    await client.hset(key('r'), OWN, json.replace(String.raw`\"charged\":3`, String.raw`\"charged\":1`))
    expect(await charged()).toEqual([
      [3, 1],
      [2, 2],
    ])
    expect(await charged('seats')).toEqual([[2, 2]])
  })

  it('R2: no difference is seen while reservations are made and settled', async () => {
    const { send, charged } = await scene()
    let isDone = false
    const work = async (): Promise<void> => {
      for (let at = 0; !isDone; at += 1) {
        await send({ entries: both, takes: [reserving(`id ${at}`, [1, 1])] })
        await send({ changes: [settling(`id ${at}`, 0), settling(`id ${at}`, 0, 'other')] })
      }
    }
    const working = work()
    for (let look = 0; look < 40; look += 1)
      for (const pair of await charged()) {
        const [reserved, units] = pair as readonly [number, number | undefined]
        expect(units ?? reserved).toBe(reserved)
      }
    isDone = true
    await working
  })

  it.each(broken)('S6: with %s one is answered as damaged, and the others go on', async (_what, json, detail) => {
    const { key, send, integrity, reservations } = await scene()
    await client.hset(key('r'), OWN, json)
    const answer = await send({
      entries: both,
      takes: [reserving('a', [2, 3]), reserving('c', [1]), reserving('b', [4])],
      changes: [settling('a', 1, 'other'), settling('b', 1)],
    })
    expect(answer.granted).toEqual([0, 1, 0])
    expect(answer.credits).toMatchObject({
      takes: { 0: { kind: 'damaged' }, 1: { kind: 'remembered' }, 2: { state: 'final', repeated: true } },
      changes: [{ kind: 'damaged' }, { kind: 'settled', settled: 1 }],
    })
    // Nothing of it is granted again, and none of its units are given back.
    expect(answer.entries).toMatchObject([
      { reserved: 3, used: 1, pool: 96 },
      { reserved: 3, pool: 97 },
    ])
    expect(String(await integrity())).toMatch(detail)
    const { rows, unreadable } = await reservations()
    expect(rows.map(({ id }) => id).toSorted()).toEqual(['b', 'c'])
    if (!json.startsWith('=')) expect(unreadable).toMatchObject([{ key: 'seats', id: 'a' }])
  })

  it('R3: a sweep leaves out what cannot be read, and ends the others', async () => {
    const { key, send, pass } = await scene()
    await client.hset(key('r'), OWN, '{}')
    pass(60_000)
    expect((await send({ entries: both })).entries).toMatchObject([
      { reserved: 2, pool: 98 },
      { reserved: 3, pool: 97 },
    ])
  })

  it.each([
    ['r', OWN, /has 2 elements, and 3 were written/],
    ['r', LINK, /has 2 elements, and 3 were written/],
    ['t', OWN, /has 1 elements, and 2 were written/],
  ] as const)(
    'R6: without an element of the key %s (%s) nothing is made or granted, and it is named',
    async (name, field, said) => {
      const { key, send, integrity, reservations } = await scene()
      await (name === 'r' ? client.hdel(key(name), field) : client.zrem(key(name), field))
      await expect(send({ entries: both })).rejects.toMatchObject(fault('store_damaged'))
      expect(String(await integrity())).toMatch(said)
      expect((await reservations()).rows.map(({ id }) => id)).toContain('b')
    },
  )

  it('a name whose reservation is another one now, and a wrong time, are named', async () => {
    const { key, send, integrity } = await scene()
    await client.hdel(key('r'), OWN)
    await client.hset(key('r'), '["seats","z"]', '{}')
    await client.zadd(key('t'), 7, '["seats","b"]')
    expect((await integrity()).toSorted()).toEqual([
      `the name ${LINK} is of the reservation ${OWN}, which is missing`,
      expect.stringMatching(/^the reservation \["seats","b"\] is swept at 7, not at \d{13}$/),
      'the reservation ["seats","z"] cannot be read: expected reservation or admission in a reservation in Redis',
    ])
    const answer = await send({ entries: both, changes: [settling('a', 0, 'other')] })
    expect(answer.credits?.changes).toMatchObject([{ kind: 'damaged' }])
  })

  it('S6: a row with units that are reserved stops what needs it alone', async () => {
    const { key, send } = await scene()
    await client.hset(key('b'), '0:other', 'broken')
    const answer = await send({ changes: [settling('a', 0, 'other'), settling('a', 0), settling('b', 1)] })
    expect(answer.credits?.changes).toMatchObject([{ kind: 'damaged' }, { settled: 0 }, { settled: 1 }])
  })
})
