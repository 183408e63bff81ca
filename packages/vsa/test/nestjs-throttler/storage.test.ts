import { expect, onTestFinished, test } from 'vitest'
import { open, type OpenOptions, type Vsa, type WindowPolicy } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import {
  throttlerStorage,
  type ThrottlerStorage,
  type ThrottlerStorageOptions,
} from '../../src/nestjs-throttler/index.ts'
import { faultyStore, manualClock, type ManualClock } from '../../src/testing/index.ts'

const MINUTE_MS = 60_000

interface App {
  readonly clock: ManualClock
  readonly vsa: Vsa
  readonly storage: ThrottlerStorage
}

function app(options: ThrottlerStorageOptions = {}, more: Partial<OpenOptions> = {}): App {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock, onEvent: () => undefined, ...more })
  onTestFinished(() => vsa.close())
  const storage = throttlerStorage(vsa, { now: () => clock.now(), ...options })
  return { clock, vsa, storage }
}

/** What is used of a minute's limit; the books must balance (L2). */
async function usedOf(vsa: Vsa, key: string, policy: Partial<WindowPolicy>): Promise<number> {
  const budget = vsa.budget(`throttler:default:60000:${key}`, { limit: 0, per: MINUTE_MS, ...policy })
  const { minted, used, remaining, burned } = await budget.peek()
  expect(used + remaining + burned).toBe(minted)
  return used
}

test('hits are counted up to the limit; the next one is blocked until the window ends, and is not counted', async () => {
  const { clock, vsa, storage } = app()
  await clock.advance(15_000)
  expect(await storage.increment('ada', MINUTE_MS, 2, MINUTE_MS, 'default')).toEqual({
    totalHits: 1,
    timeToExpire: 45,
    isBlocked: false,
    timeToBlockExpire: 0,
  })
  expect(await storage.increment('ada', MINUTE_MS, 2, MINUTE_MS, 'default')).toMatchObject({ totalHits: 2 })
  for (let hit = 0; hit < 3; hit += 1) {
    expect(await storage.increment('ada', MINUTE_MS, 2, MINUTE_MS, 'default')).toEqual({
      totalHits: 3,
      timeToExpire: 45,
      isBlocked: true,
      timeToBlockExpire: 45,
    })
  }
  expect(await usedOf(vsa, 'ada', { limit: 2 })).toBe(2)
  await clock.advance(45_000)
  expect(await storage.increment('ada', MINUTE_MS, 2, MINUTE_MS, 'default')).toMatchObject({ totalHits: 1 })
})

test('L1: of 300 hits at once exactly the limit is admitted', async () => {
  const { vsa, storage } = app()
  const hits = Array.from({ length: 300 }, () => storage.increment('ada', MINUTE_MS, 5, 0, 'default'))
  const admitted = (await Promise.all(hits)).filter(({ isBlocked }) => !isBlocked)
  expect(admitted.map(({ totalHits }) => totalHits)).toHaveLength(5)
  expect(await usedOf(vsa, 'ada', { limit: 5 })).toBe(5)
})

test('a limit of 0 blocks every hit, and one of Infinity none', async () => {
  const { storage } = app()
  expect(await storage.increment('closed', MINUTE_MS, 0, 0, 'default')).toMatchObject({ totalHits: 1, isBlocked: true })
  expect(await storage.increment('open', MINUTE_MS, Infinity, 0, 'default')).toMatchObject({ isBlocked: false })
})

test('keys, throttlers and lengths of windows count apart', async () => {
  const { storage } = app()
  const hits: readonly (readonly [key: string, ttl: number, throttler: string])[] = [
    ['ada', 1_000, 'short'],
    ['ada', 1_000, 'long'],
    ['ada', 2_000, 'short'],
    ['bob', 1_000, 'short'],
  ]
  for (const [key, ttl, throttler] of hits) {
    expect(await storage.increment(key, ttl, 1, 0, throttler)).toMatchObject({ totalHits: 1, isBlocked: false })
  }
  for (const [key, ttl, throttler] of hits) {
    expect(await storage.increment(key, ttl, 1, 0, throttler)).toMatchObject({ isBlocked: true })
  }
})

test('a limit that differs from call to call: the hits before count for each, and the limit of the call decides', async () => {
  const { vsa, storage } = app()
  const hit = (limit: number) => storage.increment('ada', MINUTE_MS, limit, 0, 'default')
  expect(await hit(2)).toMatchObject({ totalHits: 1, isBlocked: false })
  expect(await hit(2)).toMatchObject({ totalHits: 2, isBlocked: false })
  expect(await hit(2)).toMatchObject({ totalHits: 3, isBlocked: true })
  expect(await hit(4)).toMatchObject({ totalHits: 3, isBlocked: false })
  expect(await hit(2)).toMatchObject({ totalHits: 3, isBlocked: true })
  expect(await hit(4)).toMatchObject({ totalHits: 4, isBlocked: false })
  expect(await hit(4)).toMatchObject({ totalHits: 5, isBlocked: true })
  expect(await usedOf(vsa, 'ada', { limit: 4, atRisk: 0 })).toBe(4)
})

test('a limit that the store did not take is tried again with the next hit', async () => {
  const clock = manualClock()
  const net = faultyStore(memory(), { clock })
  const { storage } = app({ now: () => clock.now() }, { store: net, clock, deadlineMs: 50 })
  const hit = (limit: number) => storage.increment('ada', MINUTE_MS, limit, 0, 'default')
  expect(await hit(1)).toMatchObject({ isBlocked: false })
  net.cut('refuse')
  const failed = expect(hit(2)).rejects.toMatchObject({ statusCode: 503 })
  await clock.advance(100)
  await failed
  net.heal()
  await clock.advance(5_000)
  expect(await hit(2)).toMatchObject({ totalHits: 2, isBlocked: false })
})

test('a block that is longer than the window goes on in later windows, and then the key starts anew', async () => {
  const { clock, vsa, storage } = app()
  const hit = () => storage.increment('ada', 1_000, 1, 10_000, 'default')
  expect(await hit()).toMatchObject({ isBlocked: false })
  await clock.advance(400)
  expect(await hit()).toEqual({ totalHits: 2, timeToExpire: 1, isBlocked: true, timeToBlockExpire: 10 })
  await clock.advance(5_000)
  const { exchanges, reads } = vsa.stats()
  expect(await hit()).toMatchObject({ isBlocked: true, timeToBlockExpire: 5 })
  // L6: it is known in memory.
  expect(vsa.stats()).toMatchObject({ exchanges, reads })
  await clock.advance(4_999)
  expect(await hit()).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 })
  await clock.advance(2)
  expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false })
})

test('a block that is not longer than the window ends with the window', async () => {
  const { clock, storage } = app()
  const hit = () => storage.increment('ada', 10_000, 1, 2_000, 'default')
  await hit()
  expect(await hit()).toMatchObject({ isBlocked: true, timeToBlockExpire: 10 })
  await clock.advance(9_999)
  expect(await hit()).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 })
  await clock.advance(1)
  expect(await hit()).toMatchObject({ isBlocked: false })
})

test('300 hits that are denied at once begin one block', async () => {
  const { vsa, storage } = app()
  await storage.increment('ada', 1_000, 1, 10_000, 'default')
  const { records } = vsa.stats()
  const hits = await Promise.all(
    Array.from({ length: 300 }, () => storage.increment('ada', 1_000, 1, 10_000, 'default')),
  )
  expect(hits.filter(({ isBlocked }) => !isBlocked)).toEqual([])
  await vsa.flush()
  // The hit before, the block's budget and its hold.
  expect(vsa.stats().records - records).toBeLessThanOrEqual(3)
})

test.each([
  ['empty', ''],
  ['of 100,000 characters', 'k'.repeat(100_000)],
  ['not well formed', 'a\uD800'],
  ['with NUL and a colon', 'a:\0'],
])('a key that is %s is a key like others', async (_title, key) => {
  const { storage } = app()
  expect(await storage.increment(key, 1_000, 1, 0, 'default')).toMatchObject({ isBlocked: false })
  expect(await storage.increment(`${key}b`, 1_000, 1, 0, 'default')).toMatchObject({ isBlocked: false })
  expect(await storage.increment(key, 1_000, 1, 0, 'default')).toMatchObject({ isBlocked: true })
})

test('two keys that UTF-8 could not tell apart are two keys', async () => {
  const { storage } = app()
  expect(await storage.increment('\uD800', 1_000, 1, 0, 'default')).toMatchObject({ isBlocked: false })
  expect(await storage.increment('\uD801', 1_000, 1, 0, 'default')).toMatchObject({ isBlocked: false })
})

test.each([
  ['ttl', Number.NaN, 1],
  ['ttl', 0, 1],
  ['ttl', -1, 1],
  ['ttl', 3_155_760_000_001, 1],
  ['limit', 1_000, Number.NaN],
])('a %s out of range is refused by name: ttl %d, limit %d', async (part, ttl, limit) => {
  const { storage } = app()
  const name = part === 'ttl' ? 'policy.per' : 'policy.limit'
  await expect(storage.increment('ada', ttl, limit, 0, 'default')).rejects.toThrow(name)
})

test('fractions: the ttl is rounded up, and the limit down', async () => {
  const { storage } = app()
  expect(await storage.increment('ada', 0.5, 1.9, 0, 'default')).toMatchObject({ isBlocked: false })
  expect(await storage.increment('ada', 1, 1, 0, 'default')).toMatchObject({ isBlocked: true })
})

test('options: an unknown one is refused by name, and so is a second storage with the name of the first', () => {
  const { vsa } = app()
  const wrong: object = { durabel: true }
  expect(() => throttlerStorage(vsa, wrong)).toThrow(new TypeError('options.durabel is not known'))
  expect(() => throttlerStorage(vsa)).toThrow(expect.objectContaining({ code: 'policy_conflict' }))
  for (const atRisk of [-1, 0.5, Number.NaN]) expect(() => throttlerStorage(vsa, { atRisk })).toThrow('options.atRisk')
  throttlerStorage(vsa, { name: 'other' })
})

test('with `atRisk: 0` a hit is in the store when it is answered, and nothing is leased', async () => {
  const { vsa, storage } = app({ atRisk: 0 })
  await storage.increment('ada', MINUTE_MS, 10, 0, 'default')
  expect(vsa.stats()).toMatchObject({ records: 1, leasedUnits: 0 })
})

test('`atRisk` is the largest lease, and never more than the limit', async () => {
  const { vsa, storage } = app({ atRisk: 60 })
  for (let hit = 0; hit < 10; hit += 1) await storage.increment('ada', 3_600_000, 10, 0, 'default')
  const { exchanges } = vsa.stats()
  expect(exchanges).toBeLessThanOrEqual(4)
  expect(await storage.increment('ada', 3_600_000, 10, 0, 'default')).toMatchObject({ isBlocked: true })
})

test('100 hits in a window of an hour take a few store calls; by default a lease has 32 hits of it', async () => {
  const { vsa, storage } = app()
  const hit = () => storage.increment('ada', 3_600_000, 100, 0, 'default')
  for (let hits = 1; hits <= 100; hits += 1) expect(await hit()).toMatchObject({ totalHits: hits, isBlocked: false })
  expect(vsa.stats().exchanges).toBeLessThanOrEqual(8)
  expect(await hit()).toMatchObject({ totalHits: 101, isBlocked: true })
  expect(vsa.stats()).toMatchObject({ admittedUnits: 100, deniedUnits: 1 })
  const policy = { limit: 100, per: 3_600_000, atRisk: 32 }
  expect(await vsa.budget('throttler:default:3600000:ada', policy).peek()).toMatchObject({ used: 100, remaining: 0 })
})

test('a limit that changes while hits of the one before are answered from memory: none of them is beyond it', async () => {
  const { vsa, storage } = app()
  const hit = (limit: number) => storage.increment('ada', MINUTE_MS, limit, 0, 'default')
  for (let hits = 0; hits < 20; hits += 1) await hit(100)
  const lowered = hit(20)
  const old = [hit(100), hit(100)]
  await Promise.all([lowered, ...old])
  expect(await hit(20)).toMatchObject({ totalHits: 21, isBlocked: true })
  const { admittedUnits } = vsa.stats()
  expect(admittedUnits).toBeLessThanOrEqual(22)
  const budget = vsa.budget('throttler:default:60000:ada', { limit: 20, per: MINUTE_MS, atRisk: 0 })
  // Two of them may have come before the change.
  expect(await budget.peek()).toMatchObject({ used: admittedUnits, remaining: 0, burned: 0 })
})

test('without a store: an error by default, a blocked hit with `deny`, one that is not counted with `allow`', async () => {
  const outcomes = await Promise.all(
    (['throw', 'deny', 'allow'] as const).map(async (onStoreUnavailable) => {
      const clock = manualClock()
      const net = faultyStore(memory(), { clock })
      net.cut('refuse')
      const { storage } = app({ now: () => clock.now() }, { store: net, clock, deadlineMs: 50, onStoreUnavailable })
      const hit = storage.increment('ada', MINUTE_MS, 10, 0, 'default').catch((error: unknown) => error)
      await clock.advance(100)
      return hit
    }),
  )
  expect(outcomes).toEqual([
    expect.objectContaining({ code: 'store_unavailable', statusCode: 503 }),
    { totalHits: 11, timeToExpire: 1, isBlocked: true, timeToBlockExpire: 1 },
    { totalHits: 1, timeToExpire: 1, isBlocked: false, timeToBlockExpire: 0 },
  ])
})

test('L9: memory is bounded: of 400 keys the engine keeps as many as it may, and an evicted one is still exhausted', async () => {
  const { vsa, storage } = app({}, { budgetsMax: 100 })
  for (let first = 0; first < 400; first += 50) {
    const keys = Array.from({ length: 50 }, (_, index) => `ip ${first + index}`)
    await Promise.all(keys.map((key) => storage.increment(key, MINUTE_MS, 1, 0, 'default')))
    await vsa.flush({ returnLeases: true })
  }
  expect(vsa.stats().budgets).toBeLessThanOrEqual(150)
  expect(await storage.increment('ip 0', MINUTE_MS, 1, 0, 'default')).toMatchObject({ isBlocked: true })
})
