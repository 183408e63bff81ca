import { RateLimiterMemory } from 'rate-limiter-flexible'
import { expect, test } from 'vitest'
import { RateLimiterVsa } from '../../src/rate-limiter-flexible/index.ts'
import { processes } from '../drop-ins/fixture.ts'
import { DAY_S, admittedOf, limiterOf, outcome } from './fixture.ts'

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
  // What the request that was let through without an account is granted late goes back.
  expect(await admittedOf(limiter, 'ada', 9)).toBe(5)
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
