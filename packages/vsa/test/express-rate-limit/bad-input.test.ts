import { expect, test } from 'vitest'
import { VsaStore, type VsaStoreOptions } from '../../src/express-rate-limit/index.ts'
import { processes } from '../drop-ins/fixture.ts'
import { DAY_MS, MINUTE_MS, hits, inTurn, letThrough, storeOf } from './fixture.ts'

test('a limit above 2^31 counts as any other', async () => {
  const all = processes()
  const store = storeOf(all, all.open(), { limit: 2 ** 40 })
  expect(await inTurn(store, 'ada', 2)).toEqual([1, 2])
  await all.close(2)
})

test('a limit of 0 denies every hit', async () => {
  const all = processes()
  const store = storeOf(all, all.open(), { limit: 0 })
  expect(await inTurn(store, 'ada', 2)).toEqual([1, 2])
  await all.close(0)
})

test.each([
  [{ windowMs: 0 }, RangeError],
  [{ windowMs: 0.5 }, RangeError],
  [{ windowMs: -1 }, RangeError],
  [{ windowMs: Number.NaN }, RangeError],
  [{ windowMs: Infinity }, RangeError],
  [{ windowMs: 36_525 * DAY_MS + 1 }, RangeError],
  [{ limit: Number.NaN }, RangeError],
  [{ limit: 2.5 }, RangeError],
  [{ limit: -1 }, RangeError],
  [{ limit: Infinity }, RangeError],
  [{ limit: 2 ** 53 }, RangeError],
  [{ limit: '5' }, TypeError],
  [{ limit: () => 5 }, TypeError],
])('%o is refused at the start, and every hit fails with the same error', async (limiter, kind) => {
  const all = processes()
  const store = new VsaStore(all.open(), { now: all.now })
  expect(() => store.init({ windowMs: MINUTE_MS, limit: 5, ...limiter })).toThrow(kind)
  await expect(store.increment('ada')).rejects.toThrow(kind)
  await all.close(0)
})

test.each([
  [{ prefx: 'a' }, TypeError],
  [{ prefix: 'p'.repeat(257) }, RangeError],
  [{ prefix: '\ud800' }, TypeError],
  [{ keysMax: 1 }, RangeError],
  [{ keysMax: 10_000_001 }, RangeError],
  [{ now: 5 }, TypeError],
])('the option %o is refused', async (options, kind) => {
  const all = processes()
  expect(() => new VsaStore(all.open(), options as unknown as VsaStoreOptions)).toThrow(kind)
  await all.close(0)
})

test('before init every call says what is missing', async () => {
  const all = processes()
  const store = new VsaStore(all.open())
  await expect(store.increment('ada')).rejects.toThrow(/rateLimit/)
  await all.close(0)
})

test('keys of 100 kB, empty keys, and those that are not well formed are counted, each by itself', async () => {
  const all = processes()
  const store = storeOf(all, all.open(), { limit: 1 }, { prefix: 'p'.repeat(256) })
  const long = 'k'.repeat(100_000)
  const keys = [long, `${long}!`, '', '\ud800', '\udfff', '鍵'.repeat(512), 'a'.repeat(513), 'sha256:abc', '\u0000']
  for (const key of keys) expect(await inTurn(store, key, 2)).toEqual([1, 2])
  await all.close(keys.length)
})

test('a key that is no string is refused, and names itself', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  await expect(store.increment(undefined as unknown as string)).rejects.toThrow(/key must be a string/)
  await all.close(0)
})

test('what is remembered of keys has a bound: the oldest are forgotten, and their counts stay', async () => {
  const all = processes()
  const store = storeOf(all, all.open(), { limit: 2 }, { keysMax: 4 })
  await hits(store, 'ada', 2)
  for (let other = 0; other < 8; other += 1) await hits(store, `other ${other}`, 1)
  // Forgotten: nothing comes back for it.
  store.decrement('ada')
  expect(letThrough(await hits(store, 'ada', 3), 2)).toBe(0)
  await all.close(10)
})

test('a limit of each key comes from a function, which is needed where the limiter has one', async () => {
  const all = processes()
  const limitOf = (key: string): number => (key.startsWith('pro/') ? 3 : 1)
  const store = storeOf(all, all.open(), { limit: () => 3 }, { limit: limitOf })
  expect(letThrough(await hits(store, 'pro/ada', 5), 3)).toBe(3)
  expect(letThrough(await hits(store, 'bob', 5), 1)).toBe(1)
  await all.close(4)
})

test('two limiters of one engine need two prefixes', async () => {
  const all = processes()
  const vsa = all.open()
  storeOf(all, vsa)
  expect(() => storeOf(all, vsa, { limit: 6 })).toThrow(expect.objectContaining({ code: 'policy_conflict' }))
  storeOf(all, vsa, { limit: 6 }, { prefix: 'login:' })
  await all.close(0)
})
