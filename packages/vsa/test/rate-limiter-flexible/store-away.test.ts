import { expect, test } from 'vitest'
import { processes } from '../drop-ins/fixture.ts'
import { limiterOf, outcome } from './fixture.ts'

test('`deny` while the store is away: a second, also of a key whose period is known', async () => {
  const all = processes()
  const vsa = all.open({ deadlineMs: 50, onStoreUnavailable: 'deny' })
  const limiter = limiterOf(all, vsa, { duration: 3_600, atRisk: 0, blocks: false })
  await limiter.consume('ada')
  all.net.cut('refuse')
  const denied = outcome(limiter.consume('ada'))
  await all.clock.advance(100)
  expect(await denied).toMatchObject({ admitted: false, result: { msBeforeNext: 1_000 } })
  all.net.heal()
  await all.clock.advance(6_000)
  await all.close(1)
})

test.each(['5', 1.5, Infinity])('%o points are refused while the key is denied, and change nothing', async (points) => {
  const all = processes()
  const limiter = limiterOf(all, all.open(), { points: 8 })
  await limiter.consume('ada', 8)
  await outcome(limiter.consume('ada'))
  await expect(outcome(limiter.consume('ada', points as number))).rejects.toBeInstanceOf(RangeError)
  expect(await limiter.get('ada')).toMatchObject({ consumedPoints: 9 })
  await all.close(8)
})

test('with blocks, a key that a lease covers goes on while the store is away', async () => {
  const all = processes()
  const limiter = limiterOf(all, all.open({ deadlineMs: 50 }), { duration: 3_600, points: 10_000 })
  const consumed = async (): Promise<unknown> => {
    const answer = outcome(limiter.consume('ada')).catch((error: unknown) => error)
    await all.clock.advance(100)
    return answer
  }
  for (let second = 0; second < 50; second += 1) expect(await consumed()).toMatchObject({ admitted: true })
  all.net.cut('refuse')
  // The look for blocks is due meanwhile: what was known of them holds.
  for (let time = 0; time < 10; time += 1) expect(await consumed()).toMatchObject({ admitted: true })
  all.net.heal()
  await all.clock.advance(6_000)
  await all.close(60)
})
