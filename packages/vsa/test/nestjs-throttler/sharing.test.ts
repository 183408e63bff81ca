import { expect, onTestFinished, test } from 'vitest'
import { throttlerStorage, type ThrottlerStorage } from '../../src/nestjs-throttler/index.ts'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { manualClock, type ManualClock } from '../../src/testing/index.ts'
import { newPath } from '../stores/sqlite-fixture.ts'

/* Several apps on one SQLite file. Those of `sharing.proof.test.ts` are processes. */

function appOn(path: string, clock: ManualClock): ThrottlerStorage {
  // The apps wait for each other's locks in real time, while their clock is set forward.
  const vsa = open({ store: sqlite(path, { thread: false, driver: 'libsql' }), clock, deadlineMs: 600_000 })
  onTestFinished(() => vsa.close())
  return throttlerStorage(vsa, { now: () => clock.now() })
}

async function answered<T>(calls: readonly Promise<T>[], clock: ManualClock): Promise<readonly T[]> {
  let isOver = false
  const all = Promise.all(calls).finally(() => (isOver = true))
  while (!isOver) await clock.advance(100)
  return all
}

test('L1: three apps on one file admit the limit of a window together, and no hit more', async () => {
  const [path, clock] = [newPath(), manualClock()]
  const apps = [1, 2, 3].map(() => appOn(path, clock))
  const hits = apps.flatMap((app) =>
    Array.from({ length: 50 }, () => app.increment('ada', 60_000, 40, 60_000, 'default')),
  )
  expect((await answered(hits, clock)).filter(({ isBlocked }) => !isBlocked)).toHaveLength(40)
})

test('a block that is longer than the window holds in every app, until the same moment', async () => {
  const [path, clock] = [newPath(), manualClock()]
  const [one, other] = [appOn(path, clock), appOn(path, clock)]
  const hit = (app: ThrottlerStorage) => app.increment('ada', 1_000, 1, 60_000, 'default')
  expect(await hit(one)).toMatchObject({ isBlocked: false })
  expect(await hit(one)).toMatchObject({ isBlocked: true, timeToBlockExpire: 60 })
  // A later window, in which the other app has not been asked.
  await clock.advance(10_500)
  expect(await hit(other)).toMatchObject({ isBlocked: true, timeToBlockExpire: 50 })
  await clock.advance(49_499)
  expect(await hit(other)).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 })
  await clock.advance(1)
  const both = await Promise.all([hit(other), hit(one)])
  expect(both.filter(({ isBlocked }) => !isBlocked)).toHaveLength(1)
})

test('of two apps that exceed the limit at once, one begins the block, and both tell its end', async () => {
  const [path, clock] = [newPath(), manualClock()]
  const [one, other] = [appOn(path, clock), appOn(path, clock)]
  const hit = (app: ThrottlerStorage) => app.increment('ada', 1_000, 1, 60_000, 'default')
  const hits = [hit(one), hit(other), hit(one), hit(other)]
  expect((await answered(hits, clock)).filter(({ isBlocked }) => !isBlocked)).toHaveLength(1)
  await clock.advance(30_000)
  const [first, second] = [await hit(one), await hit(other)]
  expect(first).toMatchObject({ isBlocked: true })
  expect(second).toEqual(first)
  expect(first.timeToBlockExpire).toBeLessThanOrEqual(30)
})
