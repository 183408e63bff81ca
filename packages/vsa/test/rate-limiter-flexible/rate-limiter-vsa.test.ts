import { RateLimiterMemory } from 'rate-limiter-flexible'
import { expect, test } from 'vitest'
import type { Vsa } from '../../src/index.ts'
import { RateLimiterRes, RateLimiterVsa, type RateLimiterVsaOptions } from '../../src/rate-limiter-flexible/index.ts'
import { type Processes, processes } from '../drop-ins/fixture.ts'

const DAY_S = 86_400

function limiterOf({ now }: Processes, vsa: Vsa, options: Partial<RateLimiterVsaOptions> = {}): RateLimiterVsa {
  return new RateLimiterVsa({ vsa, points: 5, duration: 60, blocks: true, now, ...options })
}

/** The result, whether it resolves or is rejected; an Error is thrown. */
async function outcome(work: Promise<RateLimiterRes>): Promise<{ admitted: boolean; result: RateLimiterRes }> {
  return work.then(
    (result) => ({ admitted: true, result }),
    (result: unknown) => {
      if (!(result instanceof RateLimiterRes)) throw result
      return { admitted: false, result }
    },
  )
}

/** How many of so many at once were admitted. */
async function admittedOf(limiter: RateLimiterVsa, key: string, count: number, points = 1): Promise<number> {
  const all = await Promise.all(Array.from({ length: count }, async () => outcome(limiter.consume(key, points))))
  return all.filter(({ admitted }) => admitted).length
}

test('results have the figures of the peer, one after the other', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  const peer = new RateLimiterMemory({ points: 5, duration: 60 })
  for (let call = 0; call < 5; call += 1) {
    const { consumedPoints, isFirstInDuration, remainingPoints } = await peer.consume('ada')
    expect(await limiter.consume('ada')).toMatchObject({ consumedPoints, isFirstInDuration, remainingPoints })
    await all.clock.advance(60)
  }
  const denied = await outcome(limiter.consume('ada'))
  expect(denied).toMatchObject({ admitted: false, result: { consumedPoints: 6, remainingPoints: 0 } })
  expect(denied.result.msBeforeNext).toBe(60_000 - (all.clock.now() % 60_000))
  expect(JSON.parse(denied.result.toString())).toEqual(JSON.parse(JSON.stringify(denied.result)))
  await peer.delete('ada')
  await all.close(5)
})

test('L1: of many at once exactly the points are consumed, by one process or by three', async () => {
  const all = processes()
  const limiters = [1, 2, 3].map(() => limiterOf(all, all.open(), { points: 100 }))
  let admitted = 0
  for (let round = 0; round < 10; round += 1) {
    const counts = await all.passing(Promise.all(limiters.map(async (limiter) => admittedOf(limiter, 'ada', 20))))
    for (const count of counts) admitted += count
  }
  expect(admitted).toBe(100)
  await all.close(100)
})

test('L6: a denial consumes nothing: what is left can still be had', async () => {
  const all = processes()
  const vsa = all.open()
  const limiter = limiterOf(all, vsa)
  await limiter.consume('ada', 3)
  expect(await outcome(limiter.consume('ada', 4))).toMatchObject({
    admitted: false,
    result: { consumedPoints: 7, remainingPoints: 2 },
  })
  expect(await limiter.consume('ada', 2)).toMatchObject({ consumedPoints: 5, remainingPoints: 0 })
  await all.clock.advance(1_000)
  const { records, leaseRecords } = vsa.stats()
  expect(await admittedOf(limiter, 'ada', 50)).toBe(0)
  await all.clock.advance(1_000)
  expect(vsa.stats()).toMatchObject({ records, leaseRecords })
  await all.close(5)
})

test('get shows more than the points once a request was denied: the usual check before a login stops it', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  expect(await limiter.get('ada')).toBeNull()
  await limiter.consume('ada', 5)
  expect(await limiter.get('ada')).toMatchObject({ consumedPoints: 5, remainingPoints: 0 })
  await outcome(limiter.consume('ada'))
  expect((await limiter.get('ada'))?.consumedPoints).toBeGreaterThan(5)
  await all.close(5)
})

test('a penalty takes what is left and never carries over; a reward gives back at most what is consumed', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  expect(await limiter.penalty('ada', 3)).toMatchObject({ consumedPoints: 3, remainingPoints: 2 })
  expect(await limiter.penalty('ada', 10)).toMatchObject({ remainingPoints: 0 })
  expect(await admittedOf(limiter, 'ada', 1)).toBe(0)
  expect(await limiter.reward('ada', 2)).toMatchObject({ remainingPoints: 2 })
  expect(await limiter.reward('ada', 1_000)).toMatchObject({ consumedPoints: 0, remainingPoints: 5 })
  // What was too much does not wait for points that are consumed later.
  expect(await admittedOf(limiter, 'ada', 9)).toBe(5)
  await all.clock.advance(2_000)
  expect(await admittedOf(limiter, 'ada', 9)).toBe(0)
  await all.close(5)
})

test('a reward gives back what another process has consumed', async () => {
  const all = processes()
  const [one, other] = [limiterOf(all, all.open()), limiterOf(all, all.open())]
  await one.consume('ada', 5)
  await all.clock.advance(1_000)
  await all.passing(other.reward('ada', 2))
  await all.clock.advance(2_000)
  expect(await all.passing(admittedOf(one, 'ada', 5))).toBe(2)
  await all.close(5)
})

test('set makes the points of the period what it says, as far as the limit goes', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  expect(await limiter.set('ada', 4, 60)).toMatchObject({ consumedPoints: 4, remainingPoints: 1 })
  expect(await limiter.set('ada', 1)).toMatchObject({ consumedPoints: 1, remainingPoints: 4 })
  expect(await limiter.set('ada', 12)).toMatchObject({ consumedPoints: 12, remainingPoints: 0 })
  await expect(limiter.set('ada', 1, 61)).rejects.toBeInstanceOf(RangeError)
  await all.close(5)
})

test('delete forgets points and block, and says whether there were any', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  expect(await limiter.delete('ada')).toBe(false)
  await limiter.consume('ada', 5)
  expect(await limiter.delete('ada')).toBe(true)
  await limiter.block('ada', 3_600)
  expect(await admittedOf(limiter, 'ada', 1)).toBe(0)
  expect(await limiter.delete('ada')).toBe(true)
  expect(await limiter.get('ada')).toBeNull()
  expect(await admittedOf(limiter, 'ada', 9)).toBe(5)
  await all.close(5)
})

test('block denies for its time, over periods, and then the key goes on', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  expect(await limiter.block('ada', 150)).toMatchObject({
    consumedPoints: 6,
    msBeforeNext: 150_000,
    remainingPoints: 0,
  })
  for (let passed = 0; passed < 150; passed += 50) {
    expect(await outcome(limiter.consume('ada'))).toMatchObject({
      admitted: false,
      result: { msBeforeNext: 150_000 - passed * 1_000 },
    })
    expect(await limiter.get('ada')).toMatchObject({ consumedPoints: 6, remainingPoints: 0 })
    await all.clock.advance(50_000)
  }
  expect(await admittedOf(limiter, 'ada', 9)).toBe(5)
  await all.close(5)
})

test('a block counts at once in its process, also before it is in the store', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  const blocked = limiter.block('ada', 60)
  expect(await admittedOf(limiter, 'ada', 1)).toBe(0)
  await blocked
  await all.close(0)
})

test('blockDuration blocks with the first denial, which later denials do not lengthen', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { blockDuration: 300 })
  expect(await admittedOf(limiter, 'ada', 20)).toBe(5)
  await all.clock.advance(100_000)
  expect(await outcome(limiter.consume('ada'))).toMatchObject({ admitted: false, result: { msBeforeNext: 200_000 } })
  await all.clock.advance(200_000)
  expect(await admittedOf(limiter, 'ada', 1)).toBe(1)
  // The store has removed the row of the first period.
  await all.close(1)
})

test('a block is seen by other processes within 5 s, and at once by one that starts; its end too', async () => {
  const all = processes()
  const [one, other] = [limiterOf(all, all.open()), limiterOf(all, all.open())]
  await all.passing(other.consume('ada'))
  await one.block('ada', 600)
  await all.clock.advance(5_000)
  expect(await all.passing(admittedOf(other, 'ada', 3))).toBe(0)
  await all.clock.advance(61_000)
  expect(await all.passing(admittedOf(other, 'ada', 3))).toBe(0)
  const late = limiterOf(all, all.open())
  expect(await all.passing(admittedOf(late, 'ada', 3))).toBe(0)
  await one.delete('ada')
  await all.clock.advance(5_000)
  expect(await all.passing(admittedOf(other, 'ada', 3))).toBe(3)
  await all.close(4)
})

test('a block without an end lasts until it is deleted', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  expect(await limiter.block('ada', 0)).toMatchObject({ msBeforeNext: -1 })
  await all.clock.advance(500 * DAY_S * 1_000)
  expect(await limiter.get('ada')).toMatchObject({ consumedPoints: 6, msBeforeNext: -1 })
  expect(await admittedOf(limiter, 'ada', 1)).toBe(0)
  await limiter.delete('ada')
  expect(await admittedOf(limiter, 'ada', 1)).toBe(1)
  await all.close(1)
})

test('two blocks at once: the later end holds', async () => {
  const all = processes()
  const [one, other] = [limiterOf(all, all.open()), limiterOf(all, all.open())]
  await all.passing(Promise.all([one.block('ada', 100), other.block('ada', 200), one.block('ada', 50)]))
  const late = limiterOf(all, all.open())
  const { result } = await all.passing(outcome(late.consume('ada')))
  expect(result.msBeforeNext).toBeGreaterThan(190_000)
  for (const limiter of [one, other]) await limiter.delete('ada')
  await all.close(0)
})

test('without blocks, as by default, nothing is read for them, and block is refused', async () => {
  const all = processes()
  const vsa = all.open()
  const limiter = new RateLimiterVsa({ vsa, points: 5, duration: 60, now: all.now })
  await limiter.consume('ada')
  expect(vsa.stats().reads).toBe(0)
  await expect(limiter.block('ada', 1)).rejects.toThrow(/blocks: true/)
  expect(() => (limiter.blockDuration = 1)).toThrow(/blocks: true/)
  await all.close(1)
})

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

test('the block duration may change while the limiter runs', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { points: 1 })
  limiter.blockDuration = 120
  expect(limiter.blockDuration).toBe(120)
  expect(() => (limiter.blockDuration = -1)).toThrow(RangeError)
  await admittedOf(limiter, 'ada', 2)
  await all.clock.advance(61_000)
  expect(await admittedOf(limiter, 'ada', 1)).toBe(0)
  await all.close(1)
})

test.each(['throw', 'deny', 'allow'] as const)('with the store away, onStoreUnavailable: %s', async (answer) => {
  const all = processes()
  const limiter = limiterOf(all, all.open({ onStoreUnavailable: answer }), { blocks: false })
  await limiter.consume('known')
  all.net.cut('refuse')
  const told = outcome(limiter.consume('ada')).then(
    ({ admitted }) => admitted,
    (error: unknown) => error,
  )
  await all.clock.advance(6_000)
  if (answer === 'throw') expect(await told).toMatchObject({ statusCode: 503 })
  else expect(await told).toBe(answer === 'allow')
  all.net.heal()
  await all.clock.advance(6_000)
  // The grant of the request that was let through without an account comes late, and is its own.
  expect(await admittedOf(limiter, 'ada', 9)).toBe(answer === 'allow' ? 4 : 5)
  await all.close(6)
})

test('after the engine has closed every call rejects with an Error', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open())
  await limiter.consume('ada')
  await all.close(1)
  for (const call of [limiter.consume('ada'), limiter.get('ada'), limiter.penalty('ada'), limiter.reward('ada')])
    await expect(call).rejects.toMatchObject({ code: 'closed' })
})

test('execEvenly: the first of a period comes at once, the next ones are spread', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), {
    duration: 86_400,
    points: 1_000,
    execEvenly: true,
    execEvenlyMinDelayMs: 10,
  })
  const first = await limiter.consume('ada', 950)
  expect(first.isFirstInDuration).toBe(true)
  const startedAtMs = performance.now()
  const short = limiterOf(all, all.open(), {
    keyPrefix: 'short',
    points: 3,
    duration: 0.2,
    execEvenly: true,
    execEvenlyMinDelayMs: 1,
  })
  await short.consume('ada')
  const second = await short.consume('ada')
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(49)
  expect(second).toMatchObject({ consumedPoints: 2, remainingPoints: 1 })
  await all.close(952)
})
