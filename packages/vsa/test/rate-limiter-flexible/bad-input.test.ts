import { expect, test } from 'vitest'
import type { RateLimiterVsaOptions } from '../../src/rate-limiter-flexible/index.ts'
import { processes } from '../drop-ins/fixture.ts'
import { DAY_S, admittedOf, limiterOf, outcome } from './fixture.ts'

test('duration 0: the points never come back by themselves', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { duration: 0 })
  expect(await limiter.consume('ada', 5)).toMatchObject({ msBeforeNext: -1 })
  await all.clock.advance(1_000 * DAY_S * 1_000)
  expect(await outcome(limiter.consume('ada'))).toMatchObject({ admitted: false, result: { msBeforeNext: -1 } })
  await limiter.reward('ada', 1)
  expect(await admittedOf(limiter, 'ada', 2)).toBe(1)
  await all.close(5)
})

test('duration 0.5 is half a second, and its points come back', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { duration: 0.5 })
  for (let period = 0; period < 4; period += 1) {
    expect(await admittedOf(limiter, 'ada', 9)).toBe(5)
    await all.clock.advance(500)
  }
  await all.close(20)
})

test('a duration of more than 24.8 days is enforced to its end, evenly or not', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { duration: 400 * DAY_S })
  await limiter.consume('ada', 5)
  await all.clock.advance(25 * DAY_S * 1_000)
  expect(await admittedOf(limiter, 'ada', 3)).toBe(0)
  await all.close(5)
})

test('2^31 points and more are counted to the unit', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { points: 2 ** 53 - 1 })
  expect(await limiter.consume('ada', 2 ** 31)).toMatchObject({ consumedPoints: 2 ** 31 })
  expect(await limiter.consume('ada', 2 ** 52)).toMatchObject({ consumedPoints: 2 ** 31 + 2 ** 52 })
  expect(await outcome(limiter.consume('ada', 2 ** 52))).toMatchObject({ admitted: false })
  await all.close(2 ** 31 + 2 ** 52)
})

test('0 points deny everything, and look at nothing', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { points: 0 })
  expect(await outcome(limiter.consume('ada'))).toMatchObject({ admitted: false, result: { consumedPoints: 1 } })
  await all.close(0)
})

test.each([
  [{ points: Number.NaN }, RangeError],
  [{ points: -1 }, RangeError],
  [{ points: 1.5 }, RangeError],
  [{ points: 2 ** 53 }, RangeError],
  [{ duration: Number.NaN }, RangeError],
  [{ duration: -1 }, RangeError],
  [{ duration: 0.0005 }, RangeError],
  [{ duration: 36_525 * DAY_S + 1 }, RangeError],
  [{ duration: '60' }, RangeError],
  [{ blockDuration: Number.NaN }, RangeError],
  [{ keyPrefix: 'p'.repeat(257) }, RangeError],
  [{ execEvenlyMinDelayMs: -1 }, RangeError],
  [{ keysMax: 1 }, RangeError],
  [{ atRisk: 6 }, RangeError],
  [{ pionts: 5 }, TypeError],
  [{ insuranceLimiter: {} }, /onStoreUnavailable/],
  [{ storeClient: {} }, /open\(/],
])('the option %o is refused', async (options, kind) => {
  const all = processes()
  expect(() => limiterOf(all, all.open(), options as Partial<RateLimiterVsaOptions>)).toThrow(kind)
  await all.close(0)
})

test.each([Number.NaN, -1, 0.5, 2 ** 53, '1', null])(
  '%o points reject with a RangeError or TypeError',
  async (points) => {
    const all = processes()
    const limiter = limiterOf(all, all.open())
    await limiter.consume('ada')
    const bad = points as number
    for (const call of [limiter.consume, limiter.penalty, limiter.reward, limiter.set])
      await expect(call.call(limiter, 'ada', bad)).rejects.toThrow(/whole number|must be a number/)
    expect(await limiter.get('ada')).toMatchObject({ consumedPoints: 1 })
    await all.close(1)
  },
)

test('a duration of the call that is not the limiter’s is refused', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  expect(await limiter.consume('ada', 1, { customDuration: 60 })).toMatchObject({ consumedPoints: 1 })
  await expect(limiter.consume('ada', 1, { customDuration: 10 })).rejects.toBeInstanceOf(RangeError)
  await expect(limiter.block('ada', Number.NaN)).rejects.toBeInstanceOf(RangeError)
  await all.close(1)
})

test('keys are strings or numbers, of any length', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { points: 1, blockDuration: 1 })
  const long = 'k'.repeat(100_000)
  const keys = [long, `${long}!`, '', '\ud800', '\udfff', 'sha256:abc']
  for (const key of keys) expect(await admittedOf(limiter, key, 2)).toBe(1)
  expect((await limiter.consume(7)).consumedPoints).toBe(1)
  expect(await admittedOf(limiter, '7', 1)).toBe(0)
  await expect(limiter.consume(undefined as unknown as string)).rejects.toBeInstanceOf(TypeError)
  expect([limiter.getKey('a'), limiter.getKey(7)]).toEqual(['rlflx:a', 'rlflx:7'])
  await all.close(keys.length + 1)
})

test('two limiters of one engine need two prefixes; without one the keys are as they are', async () => {
  const all = processes()
  const vsa = all.open()
  limiterOf(all, vsa)
  expect(() => limiterOf(all, vsa, { points: 6 })).toThrow(expect.objectContaining({ code: 'policy_conflict' }))
  const bare = limiterOf(all, vsa, { points: 6, keyPrefix: '' })
  await bare.consume('ada')
  expect([bare.getKey('ada'), (await vsa.budget('ada', { limit: 6, per: 60_000, atRisk: 6 }).peek()).used]).toEqual([
    'ada',
    1,
  ])
  await all.close(1)
})

test('what is remembered of keys has a bound, and their counts stay', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { keysMax: 4 })
  await limiter.consume('ada', 5)
  await limiter.block('bob', 600)
  for (let other = 0; other < 8; other += 1) await limiter.consume(other)
  for (const key of ['ada', 'bob']) expect(await admittedOf(limiter, key, 1)).toBe(0)
  await limiter.delete('bob')
  await all.close(13)
})
