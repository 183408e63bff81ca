import { entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Store time on a clock that jumps. */
export const storeTimeTests: readonly ConformanceTest[] = [
  {
    title: 'S1: store time never goes back, and a clock that goes back reaps no epoch early (scenario 5)',
    run: neverBack,
    passesMs: Infinity,
  },
  {
    title: 'S1, L5: store time ahead of its clock advances more slowly than the clock, then follows it again',
    run: aheadOfTheClock,
    passesMs: Infinity,
    leaseTtlMs: 4 * HOUR_MS,
  },
  {
    title: 'S1, S10, L1: a row is not created a second time when the clock was ahead for a moment',
    run: clockAheadForAMoment,
    passesMs: Infinity,
  },
]

async function neverBack(scene: Scene): Promise<void> {
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const before = await one.apply({ entries: [entryOf('a', { policy: initialOf(10), hold: 4 })] })
  scene.jump(-HOUR_MS)
  const after = await two.apply({})
  scene.expect(after.time >= before.time).toEqual(true)
  scene.jump(HOUR_MS + 5_000)
  scene.expect((await one.apply({})).time).toEqual(before.time + 5_000)
}

async function aheadOfTheClock(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  scene.jump(HOUR_MS)
  const ahead = await one.apply({})
  scene.jump(-HOUR_MS)
  // From here on each handle has a reading to measure from.
  for (const owner of [one, two]) await owner.apply({})
  const times = [ahead.time]
  for (let second = 0; second < 10; second += 1) {
    await scene.pass(1_000)
    times.push((await one.apply({})).time, (await two.apply({})).time)
  }
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  const advancedMs = (times.at(-1) ?? 0) - ahead.time
  expect([advancedMs >= 1_000, advancedMs < 10_000]).toEqual([true, true])
  await scene.pass(2 * HOUR_MS)
  expect((await two.apply({})).time).toEqual(ahead.time + HOUR_MS + 10_000)
}

async function clockAheadForAMoment(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const period = owner.time
  const policy = windowOf(5, period + 1_000, { keepUntil: period + 1_000 })
  const batch = { entries: [entryOf('a', { period, policy })], takes: [takeOf(0, 1, 9)] }
  scene.expect((await owner.apply(batch)).granted).toEqual([5])
  scene.jump(DAY_MS)
  scene.expect((await scene.other.exchange({ ...owner.again({}), seq: 9 })).kind).toEqual('lost')
  scene.jump(-DAY_MS)
  // A new owner: upkeep may have reaped the first one while the clock was ahead.
  const later = await scene.owner()
  scene.expect((await later.apply(batch)).granted).toEqual([0])
}
