import { afterAll, describe, expect, it } from 'vitest'
import { adaptedStore } from '../../src/core/adapted-store.ts'
import type { Batch, Entry } from '../../src/core/exchange.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { EXCHANGE } from '../../src/stores/redis/scripts/exchange.ts'
import { LOAD_EXCHANGE } from '../../src/stores/redis/scripts/load-exchange.ts'
import { LOAD_UPKEEP } from '../../src/stores/redis/scripts/load-upkeep.ts'
import { SAVE } from '../../src/stores/redis/scripts/save.ts'
import { adapterOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { applied, batch, count, entry, initial } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const client = newClient('url' in server ? server.url : '', { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

const names: ReadonlyMap<unknown, string> = new Map([
  [EXCHANGE.sha, 'exchange'],
  [LOAD_EXCHANGE.sha, 'load'],
  [LOAD_UPKEEP.sha, 'upkeep'],
  [SAVE.sha, 'save'],
])

/** A client that keeps the name of each script that it sends. */
function counting(): { readonly client: RedisClient; readonly sent: string[] } {
  const sent: string[] = []
  const callBuffer = (command: string, ...values: (string | number | Uint8Array)[]): Promise<unknown> => {
    const name = names.get(values[0])
    if (name !== undefined) sent.push(name)
    return client.callBuffer(
      command,
      ...values.map((value) => (typeof value === 'object' ? Buffer.from(value) : value)),
    )
  }
  return { client: { callBuffer }, sent }
}

const takes = [{ need: [[0, 1]] as const, n: 3 }]

describe.skipIf('reason' in server)('the fast path of the Redis store', () => {
  it('L7: a plain batch is one script, and two without the fast path', async () => {
    const { client: counted, sent } = counting()
    for (const [fastPath, expected] of [
      [true, ['exchange']],
      [false, ['load', 'save']],
    ] as const) {
      const store = storeOn(counted, { prefix: newPrefix(), fastPath })
      const joined = await store.join('test')
      const first = { entries: [entry({ hold: 10 }), count('calls', 1)], takes }
      const second = {
        entries: [entry({ key: 'other' }), entry({ known: true, spent: 4, refund: 2, hold: 10 })],
        takes,
      }
      await store.exchange(batch(joined, 1))
      for (const [seq, content, answer] of [
        [2, first, { granted: [3], entries: [{ held: 10, used: 3, pool: 87 }, { value: 1 }] }],
        [
          3,
          second,
          {
            granted: [3],
            entries: [
              { used: 3, pool: 97 },
              { held: 10, used: 5, pool: 85, refunded: 2 },
            ],
          },
        ],
      ] as const) {
        sent.length = 0
        expect(applied(await store.exchange(batch(joined, seq, content)))).toMatchObject(answer)
        expect(sent).toEqual(expected)
      }
    }
  })

  const rare: readonly (readonly [what: string, content: Partial<Batch>, answer: object])[] = [
    [
      'two mints of one key under one id',
      { entries: [0, 1].map((period) => entry({ period, mint: { id: 'order 1', units: 5 } })) },
      {
        entries: [
          { minted: 105, mint: 'minted' },
          { minted: 100, mint: 'repeated' },
        ],
      },
    ],
    ['a mint that is no number of units', { entries: [entry({ mint: { id: 'a', units: 0.5 } })] }, { kind: 'applied' }],
    ['a row that was lost', { entries: [entry({ key: 'gone', known: true })] }, { entries: [{ kind: 'row_lost' }] }],
    [
      'a period that is over',
      { entries: [entry({ policy: { ...initial, kind: 'window', endsAt: 1, keepUntil: 2 } })] },
      { entries: [{ kind: 'period_closed' }] },
    ],
    ['a row that does not balance', { entries: [entry({ spent: 1 })] }, { kind: 'breach', row: { key: 'seats' } }],
    ['an amount that is none', { entries: [entry({ refund: 0.5 })] }, { kind: 'breach', row: { key: 'seats' } }],
    [
      'a counter that would leave the integers',
      { entries: [count('calls', 1), count('big', Number.MAX_SAFE_INTEGER)] },
      { entries: [{ value: 2 }, { value: 5, overflow: true }] },
    ],
  ]
  it.each(rare)('%s is left to the general path, and nothing is written before it', async (_what, content, answer) => {
    const { client: counted, sent } = counting()
    const store = storeOn(counted, { prefix: newPrefix() })
    const joined = await store.join('test')
    await store.exchange(batch(joined, 1, { entries: [count('calls', 1), count('big', 5)] }))
    sent.length = 0
    expect(await store.exchange(batch(joined, 2, content))).toMatchObject(answer)
    expect(sent.filter((name) => name !== 'save').at(-1)).toBe('load')
  })

  it('S9: mints and the close are decided by one script, too', async () => {
    const { client: counted, sent } = counting()
    const prefix = newPrefix()
    const store = storeOn(counted, { prefix })
    const joined = await store.join('test')
    const minting = (id: string, units: number): Entry => entry({ hold: 2, mint: { id, units } })
    sent.length = 0
    const outcomes: unknown[] = []
    for (const [seq, id, units] of [
      [1, 'a', 5],
      [2, 'a', 5],
      [3, 'a', 6],
      [4, 'b', Number.MAX_SAFE_INTEGER],
    ] as const)
      outcomes.push(...applied(await store.exchange(batch(joined, seq, { entries: [minting(id, units)] }))).entries)
    expect(outcomes).toMatchObject([
      { minted: 105, mint: 'minted' },
      { minted: 105, mint: 'repeated' },
      { minted: 105, mint: 'id_conflict' },
      { minted: 105, mint: 'units_overflow' },
    ])
    const closing = batch(joined, 5, { entries: [entry({ key: 'other' })], close: true })
    expect(applied(await store.exchange(closing)).entries).toMatchObject([{ pool: 100 }])
    expect(sent).toEqual(Array.from({ length: 5 }, () => 'exchange'))
    expect(await store.exchange(closing)).toMatchObject({ kind: 'fenced', last: { seq: 5 }, forgot: false })
    expect(await client.smembers(`{${prefix}}:d`)).toEqual([String(joined.epoch)])
    expect(await client.hget(`{${prefix}}:s`, 'mints')).toBe('1')
  })

  it('S8: the lease of an ended epoch on a row of the batch is burned, by the general path', async () => {
    const { client: counted, sent } = counting()
    const prefix = newPrefix()
    const store = storeOn(counted, { prefix })
    const [ended, joined] = [await store.join('ended'), await store.join('test')]
    await store.exchange(batch(ended, 1, { entries: [entry({ hold: 10 })] }))
    await store.exchange(batch(ended, 2, { close: true }))
    sent.length = 0
    const next = (seq: number): Batch => batch(joined, seq, { entries: [entry({ hold: 10 })] })
    expect(applied(await store.exchange(next(1))).entries).toMatchObject([{ held: 0, burned: 10, pool: 90, others: 0 }])
    expect(sent).toEqual(['exchange', 'load', 'save'])
    sent.length = 0
    expect(applied(await store.exchange(next(2))).entries).toMatchObject([{ held: 0, burned: 10, pool: 90, others: 0 }])
    expect(sent).toEqual(['exchange'])
  })

  it('S1: while store time is ahead of the clock, or leaps, the general path decides', async () => {
    const { client: counted, sent } = counting()
    const prefix = newPrefix()
    const store = storeOn(counted, { prefix })
    const joined = await store.join('test')
    const exchanged = async (seq: number): Promise<number> => applied(await store.exchange(batch(joined, seq))).time
    const now = await exchanged(1)
    for (const [seq, ms] of [
      [2, now + 60_000],
      [3, now - 7_200_000],
    ] as const) {
      await client.hset(`{${prefix}}:s`, 'seen', String(ms))
      sent.length = 0
      expect(await exchanged(seq)).toBeGreaterThanOrEqual(ms)
      expect(sent).toEqual(['exchange', 'load', 'save'])
    }
  })

  it('L7, S8: no upkeep while the fast path finds nothing to do, and one once an owner that holds something has expired', async () => {
    const { client: counted, sent } = counting()
    const prefix = newPrefix()
    const store = storeOn(counted, { prefix, upkeepEveryMs: 1 })
    const [idle, other, joined] = [await store.join('idle'), await store.join('other'), await store.join('test')]
    await store.exchange(batch(other, 1, { entries: [entry({ hold: 10 })] }))
    const expire = (epoch: number): Promise<unknown> => client.zadd(`{${prefix}}:x`, Date.now() - 60_000, String(epoch))
    await expire(idle.epoch)
    await store.exchange(batch(joined, 1))
    sent.length = 0
    const exchange = async (seq: number): Promise<void> => {
      await store.exchange(batch(joined, seq, { entries: [entry()] }))
      // Upkeep is due again.
      const fromMs = performance.now()
      while (performance.now() < fromMs + 2);
    }
    for (let seq = 2; seq <= 5; seq += 1) await exchange(seq)
    expect(sent).toEqual(Array.from({ length: 4 }, () => 'exchange'))
    await expire(other.epoch)
    await exchange(6)
    sent.length = 0
    await exchange(7)
    expect(sent).toContain('upkeep')
  })

  it('keys and ids of any text are the rows that the general path finds', async () => {
    const prefix = newPrefix()
    const { client: counted, sent } = counting()
    const [fast, general] = [storeOn(counted, { prefix }), storeOn(client, { prefix, fastPath: false })]
    const joined = await fast.join('test')
    const keys = ['', 'é', '日本', '😀', 'a\0b', '\u0001', ':', '1:1', 'x'.repeat(5_000)]
    const contentOf = (units: number): Partial<Batch> => ({
      entries: keys.flatMap((key) => [count(key, units), entry({ key, mint: { id: key, units } })]),
      takes: keys.map((_key, at) => ({ n: 1, need: [[2 * at + 1, 1]] as const })),
    })
    await fast.exchange(batch(joined, 1, contentOf(5)))
    expect(sent.at(-1)).toBe('exchange')
    const answer = applied(await general.exchange(batch(joined, 2, contentOf(6))))
    expect(answer.granted).toEqual(keys.map(() => 1))
    expect(answer.entries).toMatchObject(
      keys.flatMap(() => [{ value: 11 }, { minted: 105, mint: 'id_conflict', used: 2, pool: 103 }]),
    )
  })

  it('L2: amounts and periods are exact to 2^53 - 1', async () => {
    const store = storeOn(client, { prefix: newPrefix() })
    const joined = await store.join('test')
    const most = Number.MAX_SAFE_INTEGER
    const policy = { ...initial, limit: most, burnMax: most, version: most }
    const rows = [most, -most, 1_750_000_000_001].map((period) => entry({ period, policy, hold: most - 2 }))
    const first = applied(await store.exchange(batch(joined, 1, { entries: [...rows, count('big', -most)] })))
    const figures = { held: most - 2, pool: 2, minted: most, limit: most, version: most }
    expect(first.entries).toMatchObject([figures, figures, figures, { value: -most }])
    const spent = rows.map((row) => ({ ...row, known: true, spent: most - 2, hold: 0 }))
    const second = applied(
      await store.exchange(batch(joined, 2, { entries: spent, takes: [{ need: [[0, 1]], n: most }] })),
    )
    expect(second.granted).toEqual([2])
    expect(second.entries).toMatchObject([{ used: most, pool: 0 }, { used: most - 2 }, { used: most - 2 }])
    const listed = (await store.list({ limit: 9 })).rows
    expect(listed.map(({ budget }) => budget.period)).toEqual([-most, 1_750_000_000_001, most])
  })

  /** What `at` is asked in the round: leases that grow, go on, run out of pool, end and begin, some of them with more than that. */
  function mixed(round: number, at: number, held: number): Entry {
    const what = (at + round) % 11
    const { policy: _none, ...rest } = entry({
      key: `tenant ${at}`,
      known: round > 1 && at % 2 === 0,
      spent: Math.min(held, what),
      hold: what === 4 ? 0 : 8 + (at % 9) * (round % 3),
      ...(what === 5 && { refund: 2 }),
      ...(what === 6 && { wantMs: 1_000 }),
      ...(what === 7 && { mint: { id: `${round}`, units: 3 } }),
    })
    if (round > 1 && what !== 3) return rest
    return { ...rest, policy: { ...initial, kind: 'window', limit: 20 + (at % 7) + round, version: round } }
  }

  it.each([7, 11, 120])(
    'S3: batches of %i budgets, with more and with fewer leases than that, are answered as on the general path',
    async (budgets) => {
      const { client: counted, sent } = counting()
      // The same time for both.
      const now = 1_750_000_000_000
      const stores = [counted, client].map((used, lane) =>
        adaptedStore(
          adapterOn(used, { fastPath: lane === 0, now: () => now }),
          { now: () => now, upkeepEveryMs: 3_600_000 },
          () => 'token',
        ),
      )
      const joined = await Promise.all(stores.map((store) => store.join('test')))
      const held = new Map<number, number>()
      for (const [seq, [from, size, round]] of [
        [0, budgets, 1],
        [0, budgets, 2],
        [budgets, budgets, 1],
        [0, budgets, 3],
        [2 * budgets, budgets, 1],
        [0, budgets, 4],
        [budgets, Math.ceil(budgets / 3), 2],
        [0, budgets, 5],
      ].entries()) {
        const rows = Array.from({ length: size ?? 0 }, (_, at) => (from ?? 0) + at)
        const content = {
          entries: rows.map((at) => mixed(round ?? 0, at, held.get(at) ?? 0)),
          takes: [{ n: 2, need: [[1, 2]] as const }],
        }
        sent.length = 0
        const [fast, general] = await Promise.all(
          stores.map(async (store, lane) => {
            const { epoch, token, incarnation } = joined[lane] ?? expect.fail('not joined')
            return applied(await store.exchange(batch({ epoch, token, incarnation }, seq + 1, content)))
          }),
        )
        expect(sent).toEqual(['exchange'])
        // Which of the wanted rows come first is not said.
        expect({ ...fast, wanted: [] }).toEqual({ ...general, wanted: [] })
        for (const [index, at] of rows.entries()) {
          const answer = fast?.entries[index]
          if (answer?.kind === 'budget') held.set(at, answer.held)
        }
      }
      const [fast, general] = await Promise.all(stores.map(async (store) => (await store.list({ limit: 1_000 })).rows))
      expect(fast).toEqual(general)
    },
  )
})
