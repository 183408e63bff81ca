import { expect, onTestFinished, test } from 'vitest'
import { open } from '../../src/index.ts'
import { throttlerStorage, type ThrottlerRecord } from '../../src/nestjs-throttler/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock } from '../../src/testing/index.ts'

/** The answer to a second hit of the key, which comes when the store is away. */
async function secondHit(
  answer: 'throw' | 'deny' | 'allow',
  blockDuration: number,
  atRisk: number,
): Promise<ThrottlerRecord> {
  const clock = manualClock()
  const net = faultyStore(memory(), { clock })
  const vsa = open({ store: net, clock, onEvent: () => undefined, deadlineMs: 50, onStoreUnavailable: answer })
  onTestFinished(() => vsa.close())
  const storage = throttlerStorage(vsa, { now: () => clock.now(), atRisk })
  await storage.increment('ada', 60_000, 10, blockDuration, 'default')
  net.cut('refuse')
  const hit = storage.increment('ada', 60_000, 10, blockDuration, 'default')
  hit.catch(() => undefined)
  for (let step = 0; step < 4; step += 1) await clock.advance(50)
  net.heal()
  await clock.advance(6_000)
  return hit
}

test.each([0, 120_000])('`deny` blocks for 1 s, also in a window that is known: a block of %d ms', async (duration) => {
  expect(await secondHit('deny', duration, 0)).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 })
})

test('with long blocks, `allow` admits while the store is away', async () => {
  expect(await secondHit('allow', 120_000, 0)).toMatchObject({ isBlocked: false })
})

test('with long blocks, a lease goes on while the store is away', async () => {
  expect(await secondHit('throw', 120_000, 10)).toMatchObject({ isBlocked: false })
})

test('with long blocks, `throw` is an error where no lease covers the hit', async () => {
  await expect(secondHit('throw', 120_000, 0)).rejects.toMatchObject({ statusCode: 503 })
})
