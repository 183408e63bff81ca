import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'

const DAY_MS = 86_400_000
const LEASE_TTL_MS = 10_000

/** Epochs that expire. */
export const reapingTests: readonly ConformanceTest[] = [
  {
    title: 'S8, L1: an expired owner is fenced and its lease is burned once, never returned (scenario 4)',
    run: burnedOnce,
    passesMs: 500,
    leaseTtlMs: 400,
  },
  {
    title: 'S8: a late owner that exchanges before it is reaped keeps its epoch (scenario 21)',
    run: lateOwner,
    passesMs: 500,
    leaseTtlMs: 400,
  },
  { title: 'S2, S8: every exchange renews the epoch, a replay too', run: renewal, passesMs: 800, leaseTtlMs: 500 },
  {
    title: 'S8: a join reaps; the new owner leases from the pool, and the dead lease is burned',
    run: reapedByJoin,
    passesMs: 500,
    leaseTtlMs: 400,
  },
  {
    title: 'S2, S8: an epoch is remembered for a week after it was reaped, however late that was',
    run: rememberedForAWeek,
    passesMs: 9 * DAY_MS,
    leaseTtlMs: LEASE_TTL_MS,
  },
]

async function burnedOnce(scene: Scene): Promise<void> {
  const { expect } = scene
  const [silent, living] = [await scene.owner(), await scene.owner(scene.other)]
  await silent.row(entryOf('a', { policy: initialOf(10), hold: 4 }))
  await living.row(entryOf('a', { hold: 1 }))
  await scene.pass(250)
  await living.apply({})
  await scene.pass(250)
  await living.apply({}) // reaps, before or after it is applied
  const answer = await living.row(entryOf('a', { known: true, hold: 1 }))
  expect(answer).toMatchObject({ minted: 10, burned: 4, held: 1, pool: 5, others: 0, othersHeld: 0 })
  const late = await silent.send(silent.next({ entries: [entryOf('a', { known: true, spent: 4, hold: 4 })] }))
  expect(late).toMatchObject({ kind: 'fenced', last: { seq: 1 } })
  expect(await living.row(entryOf('a', { known: true, hold: 1 }))).toMatchObject({ burned: 4, used: 0, pool: 5 })
}

async function lateOwner(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.row(entryOf('a', { policy: initialOf(10), hold: 4 }))
  await scene.pass(500)
  const answer = await owner.apply({ entries: [entryOf('a', { known: true, spent: 3, hold: 4 })] })
  scene.expect(answer.entries).toMatchObject([{ used: 3, held: 4, burned: 0 }])
}

async function renewal(scene: Scene): Promise<void> {
  const [owner, watcher] = [await scene.owner(), await scene.owner(scene.other)]
  const batch = owner.next({ entries: [entryOf('a', { policy: initialOf(10), hold: 4 })] })
  await owner.send(batch)
  for (let round = 0; round < 4; round++) {
    await scene.pass(200)
    await watcher.apply({})
    scene.expect((await owner.send(batch)).kind).toEqual('replayed')
  }
  scene.expect(await watcher.row(entryOf('a'))).toMatchObject({ burned: 0, othersHeld: 4 })
}

async function reapedByJoin(scene: Scene): Promise<void> {
  const dead = await scene.owner()
  await dead.row(entryOf('a', { policy: initialOf(10), hold: 4 }))
  await scene.pass(500)
  const joined = await scene.owner(scene.other)
  scene
    .expect(await joined.row(entryOf('a', { hold: 10 })))
    .toMatchObject({ burned: 4, held: 6, pool: 0, othersHeld: 0 })
}

async function rememberedForAWeek(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const last = owner.next({ entries: [entryOf('a', { policy: initialOf(5) })], takes: [takeOf(0, 2, 9)] })
  await owner.send(last)
  await scene.pass(8 * DAY_MS)
  const later = await scene.owner(scene.other)
  // Store time has leapt: no epoch is reaped within one lease lifetime.
  await scene.pass(LEASE_TTL_MS + 1_000)
  await later.apply({})
  scene.expect(await owner.send(last)).toMatchObject({ kind: 'fenced', last: { seq: 1, outcome: { granted: [2] } } })
}
