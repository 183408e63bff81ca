import { entryOf, initialOf, reservationOf, settleOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import type { TestOwner } from './test-owner.ts'

const DAY_MS = 86_400_000
/** A store may sweep nothing within one lease lifetime after store time leapt (S10). */
const PAST_THE_LEAP_MS = 11_000

/** How long reservations are remembered, and what they keep. */
export const rememberedTests: readonly ConformanceTest[] = [
  {
    title: 'R6: a reservation is remembered for 7 days after its end, and what was captured is used then',
    run: forgotten,
    passesMs: 15 * DAY_MS,
  },
  {
    title: 'R6: the budgets of one request are forgotten together, once all of them may be',
    run: forgottenTogether,
    passesMs: 40 * DAY_MS,
  },
  {
    title: 'S10, R2: a row with reserved units is kept beyond its retention, until they are settled',
    run: keptRow,
    passesMs: 3 * DAY_MS,
  },
]

/** Upkeep of before a batch, and once more when the store takes its time for a right one. */
async function passDays(scene: Scene, days: number, owner: TestOwner): Promise<void> {
  await scene.pass(days * DAY_MS)
  await owner.apply({})
  await scene.pass(PAST_THE_LEAP_MS)
  await owner.apply({})
}

async function forgotten(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(10) })]
  const takes = [reservationOf('r', [4], { onExpire: 'capture' }), reservationOf('s', [3])]
  await owner.apply({ entries, takes })
  const settle = settleOf('a', 's', 2)
  expect((await owner.apply({ changes: [settle] })).credits?.changes).toMatchObject([{ settled: 2 }])
  await passDays(scene, 6, owner)
  expect((await owner.apply({ entries, changes: [settle] })).credits?.changes).toMatchObject([{ repeated: true }])
  expect(await scene.rows()).toMatchObject([{ budget: { used: 2, reserved: 4, pool: 4 } }])
  await passDays(scene, 2, owner)
  expect((await owner.apply({ changes: [settle] })).credits?.changes).toEqual([{ kind: 'unknown' }])
  // Its 7 days began when upkeep ended it, on the sixth.
  await passDays(scene, 6, owner)
  const gone = await owner.apply({ changes: [settleOf('a', 'r', 0)] })
  expect(gone.credits?.changes).toEqual([{ kind: 'unknown' }])
  expect(await scene.rows()).toMatchObject([{ budget: { used: 6, reserved: 0, pool: 4 } }])
  expect((await owner.apply({ entries, takes: [reservationOf('s', [3])] })).granted).toEqual([1])
}

async function forgottenTogether(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(9) }), entryOf('b', { policy: initialOf(9) })]
  const takes = [reservationOf('r', [2, 3], { ttlMs: 20 * DAY_MS })]
  await owner.apply({ entries, takes })
  await owner.apply({ changes: [settleOf('a', 'r', 1)] })
  await passDays(scene, 9, owner)
  const repeat = await owner.apply({ entries, takes, changes: [settleOf('a', 'r', 0)] })
  expect(repeat.credits).toMatchObject({
    takes: { 0: { state: 'open', charged: [1, 3], repeated: true } },
    changes: [{ settled: 1, repeated: true }],
  })
  await owner.apply({ changes: [settleOf('b', 'r', 3)] })
  // The first one was settled long ago.
  await passDays(scene, 3, owner)
  const known = await owner.apply({ entries, takes })
  expect(known.credits?.takes).toMatchObject({ 0: { state: 'final', charged: [1, 3], repeated: true } })
  await passDays(scene, 6, owner)
  const gone = await owner.apply({ changes: [settleOf('a', 'r', 0), settleOf('b', 'r', 0)] })
  expect(gone.credits?.changes).toEqual([{ kind: 'unknown' }, { kind: 'unknown' }])
}

async function keptRow(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const start = owner.time
  const policy = windowOf(10, start + 1_000, { keepUntil: start + 120_000 })
  const entries = [entryOf('a', { period: start, policy }), entryOf('b', { period: start, policy })]
  await owner.apply({ entries, takes: [reservationOf('r', [4], { ttlMs: 30 * DAY_MS })] })
  await passDays(scene, 1, owner)
  expect(await scene.rows()).toMatchObject([{ budget: { key: 'a', reserved: 4 } }])
  expect((await owner.apply({ changes: [settleOf('a', 'r', 1)] })).credits?.changes).toMatchObject([{ settled: 1 }])
  await scene.pass(1_000)
  await owner.apply({})
  expect(await scene.rows()).toEqual([])
  const again = await owner.apply({ changes: [settleOf('a', 'r', 0)] })
  expect(again.credits?.changes).toMatchObject([{ settled: 1, repeated: true }])
}
