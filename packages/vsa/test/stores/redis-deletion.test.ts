import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { adaptedStore } from '../../src/core/adapted-store.ts'
import type { ExchangeRows, Snapshot } from '../../src/core/adapter.ts'
import { deletionOf } from '../../src/core/deletion.ts'
import type { AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import { lifeAt } from '../../src/core/life.ts'
import { transition } from '../../src/core/transition.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { inspectRedis } from '../../src/stores/redis/inspect.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { EXCHANGE } from '../../src/stores/redis/scripts/exchange.ts'
import { LIST_NAMES, LOAD_DELETION } from '../../src/stores/redis/scripts/load-deletion.ts'
import { LOAD_EXCHANGE } from '../../src/stores/redis/scripts/load-exchange.ts'
import { keysOf } from '../../src/stores/redis/keys.ts'
import { SAVE } from '../../src/stores/redis/scripts/save.ts'
import { Session } from '../../src/stores/redis/session.ts'
import { reserving, settling } from './redis-credits-fixture.ts'
import { OLD_JOINED, OLD_TIME, writeOldStore } from './redis-deletion-fixture.ts'
import { adapterOn, assertSums, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { applied, batch, entry, fault } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const client = newClient('url' in server ? server.url : '', { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

const DAY_MS = 86_400_000
/** More than one script lists. */
const MANY = 1_200

interface Opened {
  readonly prefix: string
  readonly store: Store
  /** The name of each script of interest that the store has sent. */
  readonly sent: string[]
  readonly clock: { now: number }
  key(name: string): string
  owner(): Promise<Owner>
}

interface Owner {
  readonly joined: Pick<Joined, 'epoch' | 'token' | 'incarnation'>
  next(content: Partial<Batch>): Batch
  apply(content: Partial<Batch>): Promise<AppliedAnswer>
}

const names: ReadonlyMap<unknown, string> = new Map([
  [EXCHANGE.sha, 'exchange'],
  [LOAD_EXCHANGE.sha, 'load'],
  [LOAD_DELETION.sha, 'load deletion'],
  [LIST_NAMES.sha, 'list'],
])

function opened(fastPath = true): Opened {
  const prefix = newPrefix()
  const sent: string[] = []
  const counting: RedisClient = {
    callBuffer: (command, ...values) => {
      const name = names.get(values[0])
      if (name !== undefined) sent.push(name)
      return client.callBuffer(command, ...values.map((it) => (typeof it === 'object' ? Buffer.from(it) : it)))
    },
  }
  const clock = { now: OLD_TIME + 1_000 }
  const adapter = adapterOn(counting, { prefix, fastPath, now: () => clock.now })
  let tokens = 0
  const times = { now: () => clock.now, upkeepEveryMs: 0 }
  const store = adaptedStore(adapter, times, () => `token ${(tokens += 1)}`)
  onTestFinished(() => store.close())
  const owner = async (): Promise<Owner> => ownerOf(store, await store.join('test'), 0)
  return { prefix, store, sent, clock, key: (name) => `{${prefix}}:${name}`, owner }
}

function ownerOf(store: Store, joined: Owner['joined'], last: number): Owner {
  let seq = last
  const next = (content: Partial<Batch>): Batch => batch(joined, (seq += 1), content)
  return { joined, next, apply: async (content) => applied(await store.exchange(next(content))) }
}

/** What a program reads that has nothing to do with the store. */
async function findings(prefix: string): Promise<readonly string[]> {
  return (await inspectRedis(new Session(client, prefix))).integrity()
}

const a = entry({ key: 'a' })
const b = entry({ key: 'b' })

describe.skipIf('reason' in server)('deletions in Redis', () => {
  it('P6, R2: rows, leases, mints and reservations of an older version go, by each of their names; other keys keep theirs', async () => {
    const { prefix, store, key } = opened()
    await writeOldStore(client, key)
    await assertSums(client, prefix)
    const old = ownerOf(store, OLD_JOINED, 2)
    expect(await store.delete?.('a')).toBe(true)
    await assertSums(client, prefix)
    expect((await store.list({ limit: 9 })).rows).toMatchObject([
      { budget: { key: 'ab', minted: 105, used: 4, reserved: 0, pool: 101 }, leases: [] },
    ])
    expect(await client.hgetall(key('m'))).toEqual({ '["ab","order 1"]': '5' })
    expect(await client.hkeys(key('r'))).toEqual(['["ab","d"]'])
    const heard = await old.apply({ entries: [entry({ key: 'a', known: true, spent: 2, hold: 10 })] })
    expect(heard.entries).toEqual([{ kind: 'deleted' }])
    const mint = { id: 'order 1', units: 5 }
    const answer = await old.apply({ entries: [{ ...a, mint }, entry({ key: 'ab', known: true, mint })] })
    expect(answer.entries).toMatchObject([
      { minted: 105, pool: 105, mint: 'minted' },
      { minted: 105, mint: 'repeated' },
    ])
    await assertSums(client, prefix)
    expect(await findings(prefix)).toEqual([])
  })

  it('L7, P6: nothing is kept for deletions before the first one; programs that do not know them refuse the store from then on', async () => {
    const { prefix, store, key, owner, sent } = opened()
    const one = await owner()
    await one.apply({ entries: [{ ...a, mint: { id: 'm', units: 5 } }, b] })
    await one.apply({ entries: [a], takes: [reserving('r', [2])] })
    await assertSums(client, prefix)
    expect([await client.hmget(key('s'), 'schema', 'deletions'), await client.exists(key('j'))]).toEqual([
      ['2', null],
      0,
    ])
    expect(await store.delete?.('none')).toBe(true)
    expect(sent.filter((name) => name.includes('l'))).toContain('list')
    expect(await client.hmget(key('s'), 'schema', 'deletions')).toEqual(['3', '1'])
    await assertSums(client, prefix)
    sent.length = 0
    await store.delete?.('none')
    expect(sent).toEqual(['load deletion'])
  })

  it('P6: a program that knows no deletions and loaded before the first one saves nothing after it; one that knows them goes on', async () => {
    const { prefix, store, key, owner } = opened()
    const one = await owner()
    await one.apply({ entries: [a] })
    const [time, run, generation] = await client.hmget(key('s'), 'seen', 'run', 'gen')
    const kept = await client.hmget(key('s'), 'incarnation', 'frozen')
    // It finds these two as it loaded them, and would write a counter.
    const fields = ['incarnation', 'frozen', ...kept.map(String)]
    const written = [String(keysOf(prefix).indexOf(key('c')) + 1), '2', 'calls', '1']
    const save = (): Promise<unknown> =>
      new Session(client, prefix).run({
        script: SAVE,
        values: [String(time), String(run), String(generation), '1', '1', '2', ...fields, '0', 'HSET', ...written],
        phase: 'save',
      })
    expect(String(await save())).toBe('saved')
    await client.hdel(key('c'), 'calls')
    await store.delete?.('none')
    expect(String(await save())).toBe('moved')
    await one.apply({ entries: [{ ...a, mint: { id: 'm', units: 5 } }], takes: [reserving('r', [2])] })
    await assertSums(client, prefix)
    expect(await client.hget(key('s'), 'frozen')).toBe('00')
  })

  it.each([true, false])(
    'P6: what is minted, reserved and ended after the first deletion is listed (fast path %s)',
    async (fastPath) => {
      const { prefix, store, owner } = opened(fastPath)
      const one = await owner()
      await store.delete?.('a')
      await one.apply({
        entries: [
          { ...a, mint: { id: 'm', units: 5 } },
          { ...b, mint: { id: 'm', units: 5 } },
        ],
      })
      await one.apply({ entries: [a, b], takes: [reserving('r', [2, 3]), reserving('q', [1])] })
      await one.apply({ entries: [a], changes: [settling('q', 1, 'a')] })
      await assertSums(client, prefix)
      await store.delete?.('a')
      await assertSums(client, prefix)
      expect((await store.list({ limit: 9 })).rows).toMatchObject([{ budget: { key: 'b', reserved: 0, pool: 105 } }])
    },
  )

  it('P6: many names are listed in slices, and a list that has lost some is made whole; one with others is damage', async () => {
    const { store, key, owner, sent } = opened()
    await owner()
    const mints = Array.from({ length: MANY }, (_, at) => [`["a","${at}"]`, '1'] as const)
    await client.hset(key('m'), Object.fromEntries(mints))
    await client.hincrby(key('s'), 'mints', MANY)
    expect(await store.delete?.('b')).toBe(true)
    expect(sent.filter((name) => name === 'list').length).toBeGreaterThanOrEqual(3)
    expect(await client.zcard(key('j'))).toBe(MANY)
    await client.zremrangebyrank(key('j'), 0, 9)
    let calls = 1
    while ((await store.delete?.('a')) === false) calls += 1
    expect([calls, await client.hlen(key('m')), await client.zcard(key('j'))]).toEqual([12, 0, 0])
    await client.zadd(key('j'), 0, 'x')
    await expect(store.delete?.('a')).rejects.toMatchObject(fault('store_damaged'))
  })

  it('L7, P6: an owner whose leases were deleted goes the general path until it has heard of all of them; others do not', async () => {
    const { store, owner, sent } = opened()
    const [one, other] = [await owner(), await owner()]
    const c = entry({ key: 'c' })
    await one.apply({ entries: [{ ...a, hold: 4 }, { ...b, hold: 4 }, c] })
    await store.delete?.('a')
    await store.delete?.('b')
    const pathOf = async (of: Owner, content: Partial<Batch>): Promise<readonly string[]> => {
      sent.length = 0
      await of.apply(content)
      return sent.filter((name) => name !== 'upkeep')
    }
    expect(await pathOf(other, { entries: [c] })).toEqual(['exchange'])
    expect(await pathOf(one, { entries: [c] })).toEqual(['exchange', 'load'])
    expect(await pathOf(one, { entries: [{ ...a, known: true }] })).toEqual(['exchange', 'load'])
    expect(await pathOf(one, { entries: [c] })).toEqual(['exchange', 'load'])
    expect(await pathOf(one, { entries: [{ ...b, known: true }] })).toEqual(['exchange', 'load'])
    expect(await pathOf(one, { entries: [c, a] })).toEqual(['exchange'])
  })

  it('P6, R2: a row that stays for the next call gets back what its reservation had', async () => {
    const { prefix, store, owner } = opened()
    const one = await owner()
    const entries = Array.from({ length: 101 }, (_, period) => ({ ...a, period, hold: 1 }))
    await one.apply({ entries: entries.toReversed(), takes: [reserving('r', [2])] })
    expect(await store.delete?.('a')).toBe(false)
    await assertSums(client, prefix)
    expect((await store.list({ limit: 9 })).rows).toMatchObject([{ budget: { period: 100, reserved: 0, pool: 99 } }])
    expect(await store.delete?.('a')).toBe(true)
    await assertSums(client, prefix)
  })

  it('P6, S9: leases that burn go with the row, so that nothing of a fresh one burns', async () => {
    const { prefix } = opened()
    const store = storeOn(client, { prefix })
    const one = ownerOf(store, await store.join('test'), 0)
    await one.apply({
      entries: [
        { ...a, hold: 4 },
        { ...b, hold: 4 },
      ],
      close: true,
    })
    await store.delete?.('a')
    expect(await client.hgetall(`{${prefix}}:l:1`)).toEqual({ '0:b': '4' })
    const other = ownerOf(store, await store.join('test'), 0)
    expect((await other.apply({ entries: [a, b] })).entries).toMatchObject([
      { pool: 100, burned: 0 },
      { pool: 96, burned: 4 },
    ])
    expect(await findings(prefix)).toEqual([])
    await assertSums(client, prefix)
  })

  it('P6: what is kept for an owner that has not heard goes when the owner is forgotten', async () => {
    const { prefix, store, owner, clock, key } = opened()
    const one = await owner()
    await one.apply({ entries: [{ ...a, hold: 4 }] })
    await store.delete?.('a')
    expect(await client.hkeys(key(`u:${one.joined.epoch}`))).toEqual(['0:a'])
    expect(await findings(prefix)).toEqual([])
    // It holds nothing: so its epoch ends after 7 days, and is forgotten after 7 more. What removes trusts a leap of the clock only after a while.
    for (const days of [8, 8]) {
      clock.now += days * DAY_MS
      const other = await owner()
      for (let call = 0; call < 6; call += 1) {
        clock.now += 4_000
        await other.apply({})
      }
    }
    expect([await client.hexists(key('o'), '1'), await client.exists(key(`u:${one.joined.epoch}`))]).toEqual([0, 0])
    await assertSums(client, prefix)
  })

  it('P6: each deletion forgets at most 10 that are past, the earliest first, and none that still counts', async () => {
    const { store, clock, key } = opened()
    const kept = (): Promise<readonly string[]> => client.zrange(key('e'), '0', '-1')
    for (let at = 0; at < 12; at += 1) {
      clock.now += 1
      await store.delete?.(`k${at}`)
    }
    clock.now += 1
    await store.delete?.('k0')
    clock.now += 7 * DAY_MS
    await store.delete?.('new')
    expect(await kept()).toEqual(['k11', 'k0', 'new'])
    await store.delete?.('new')
    expect(await kept()).toEqual(['k0', 'new'])
  })
})

type Meanwhile = Opened & { readonly one: Owner; readonly other: Owner }
type Case = readonly [what: string, work: (meanwhile: Meanwhile) => Promise<unknown>, isSaved: boolean]

const cases: readonly Case[] = [
  ['a lease on the key', ({ other }) => other.apply({ entries: [{ ...a, hold: 3 }] }), true],
  ['units spent of the key', ({ one }) => one.apply({ entries: [{ ...a, known: true, spent: 2, hold: 4 }] }), true],
  ['a row of another key', ({ other }) => other.apply({ entries: [b] }), true],
  ['a row of the key', ({ other }) => other.apply({ entries: [{ ...a, period: 9 }] }), false],
  ['a mint of no units', ({ other }) => other.apply({ entries: [{ ...a, mint: { id: 'm', units: 0 } }] }), false],
  ['a reservation', ({ other }) => other.apply({ entries: [b, a], takes: [reserving('z', [1, 1])] }), false],
  ['an end of one', ({ other }) => other.apply({ entries: [b], changes: [settling('r', 1, 'b')] }), false],
  ['the same deletion', ({ store }) => Promise.resolve(store.delete?.('a')), false],
  ['another generation of the data', ({ key }) => client.hset(key('s'), 'gen', 'other'), false],
]

describe.skipIf('reason' in server)('a deletion in Redis beside others', () => {
  it.each(cases)(
    'P6, L2: between its load and its save, %s: saved only if all of the key goes',
    async (_what, work, isSaved) => {
      const it = opened()
      const [one, other] = [await it.owner(), await it.owner()]
      await one.apply({ entries: [{ ...a, hold: 4 }, b], takes: [reserving('r', [2, 3])] })
      const adapter = adapterOn(client, { prefix: it.prefix, now: () => it.clock.now })
      await adapter.ready()
      const snapshot = await adapter.loadDeletion('a', 100)
      await work({ ...it, one, other })
      const { writes } = deletionOf('a', snapshot.rows, snapshot)
      expect(await snapshot.save(writes)).toBe(isSaved)
      await assertSums(client, it.prefix)
      if (!isSaved) return
      expect((await it.store.list({ limit: 9 })).rows.map(({ budget }) => budget.key)).toEqual(['b'])
      expect(await client.keys(it.key('l:*'))).toEqual([])
    },
  )

  it('P6, L2: an exchange whose row was deleted and made again with the same bytes, for another owner, is not saved', async () => {
    const it = opened()
    const [one, other] = [await it.owner(), await it.owner()]
    await one.apply({ entries: [{ ...a, hold: 4 }] })
    const sent = one.next({ entries: [{ ...a, known: true, spent: 3 }] })
    const snapshot = await loadOf(it, sent)
    const before = await client.hgetBuffer(it.key('b'), '0:a')
    await it.store.delete?.('a')
    await other.apply({ entries: [{ ...a, hold: 4 }] })
    expect(await client.hgetBuffer(it.key('b'), '0:a')).toEqual(before)
    const { writes } = transition(snapshot.rows, sent, snapshot.time, lifeAt(snapshot.life, snapshot.time, 10_000))
    expect(writes === null ? writes : await snapshot.save(writes)).toBe(false)
    expect(applied(await it.store.exchange(sent)).entries).toEqual([{ kind: 'deleted' }])
    await assertSums(client, it.prefix)
  })

  it('P6: two deletions of one key at once, and of others, are all done', async () => {
    const { prefix, owner, store } = opened()
    const one = await owner()
    for (const key of ['a', 'b', 'c', 'd'])
      await one.apply({ entries: [entry({ key, hold: 1, mint: { id: 'm', units: 1 } }), entry({ key: 'e' })] })
    const handles = Array.from({ length: 4 }, () => storeOn(client, { prefix }))
    const calls = handles.flatMap((handle) => ['a', 'b', 'c', 'd'].map(async (key) => handle.delete?.(key)))
    expect(await Promise.all(calls)).toEqual(calls.map(() => true))
    expect((await store.list({ limit: 9 })).rows.map(({ budget }) => budget.key)).toEqual(['e'])
    await assertSums(client, prefix)
  })
})

async function loadOf({ prefix, clock }: Opened, sent: Batch): Promise<Snapshot<ExchangeRows>> {
  const adapter = adapterOn(client, { prefix, now: () => clock.now })
  await adapter.ready()
  return adapter.loadExchange(sent)
}
