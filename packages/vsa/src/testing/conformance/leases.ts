import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

/** When leases grow and shrink: the pool, wanted rows and `burnMax`. */
export const leaseTests: readonly ConformanceTest[] = [
  { title: 'S3: leases change after the takes, and all draw on one pool', run: filledAfterTakes },
  {
    title: 'S7, O12: a wanted row is named to every owner that leases it, also when it is not in the batch',
    run: wantedRows,
  },
  { title: 'S5: no lease of a wanted row grows; leases may shrink, and takes go on', run: noGrowthWhileWanted },
  { title: 'S5, O12: a want expires, and a shorter want does not end a longer one', run: wantExpires, passesMs: 600 },
  {
    title: 'S5, L4: no lease grows once `burnMax` units have burned, and takes go on',
    run: noGrowthAfterBurnMax,
    passesMs: 600,
    leaseTtlMs: 500,
  },
]

async function filledAfterTakes(scene: Scene): Promise<void> {
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const first = await one.apply({
    entries: [entryOf('a', { policy: initialOf(10), hold: 9 })],
    takes: [takeOf(0, 4)],
  })
  scene.expect(first.granted).toEqual([1])
  scene.expect(budgetAnswer(first, 0)).toMatchObject({ used: 4, held: 6, pool: 0 })
  scene.expect(await two.row(entryOf('a', { hold: 5 }))).toMatchObject({ held: 0, pool: 0, others: 1, othersHeld: 6 })
  // What this batch returns is in the pool for the next one, not for the takes beside it.
  const back = await one.apply({ entries: [entryOf('a', { known: true, hold: 2 })], takes: [takeOf(0, 1)] })
  scene.expect(back.granted).toEqual([0])
  scene.expect(await two.row(entryOf('a', { hold: 5 }))).toMatchObject({ held: 4, pool: 0, othersHeld: 2 })
}

async function wantedRows(scene: Scene): Promise<void> {
  const { expect } = scene
  const [holder, wanter, third] = [await scene.owner(), await scene.owner(scene.other), await scene.owner()]
  await holder.apply({
    entries: [entryOf('a', { policy: initialOf(9), hold: 9 }), entryOf('b', { policy: initialOf(9), hold: 2 })],
  })
  await third.apply({ entries: [entryOf('b', { hold: 1 })] })
  const wanted = await wanter.apply({ entries: [entryOf('a', { wantMs: scene.ms(500) })], takes: [takeOf(0, 2)] })
  expect([wanted.granted, wanted.wanted]).toEqual([[0], []])
  expect((await holder.apply({})).wanted).toEqual([{ key: 'a', period: 0 }])
  expect((await third.apply({ entries: [entryOf('b', { hold: 1 })] })).wanted).toEqual([])
  const returned = await holder.apply({ entries: [entryOf('a', { known: true, spent: 3, hold: 0 })] })
  expect(returned.wanted).toEqual([])
  expect((await wanter.apply({ entries: [entryOf('a')], takes: [takeOf(0, 2, 4)] })).granted).toEqual([3])
}

async function noGrowthWhileWanted(scene: Scene): Promise<void> {
  const [holder, wanter] = [await scene.owner(), await scene.owner(scene.other)]
  await holder.row(entryOf('a', { policy: initialOf(20), hold: 10 }))
  scene.expect(await wanter.row(entryOf('a', { hold: 5, wantMs: scene.ms(500) }))).toMatchObject({ held: 0, pool: 10 })
  const kept = await holder.row(entryOf('a', { known: true, spent: 4, hold: 15 }))
  scene.expect(kept).toMatchObject({ held: 6, pool: 10 })
  scene.expect(await holder.row(entryOf('a', { known: true, hold: 5 }))).toMatchObject({ held: 5, pool: 11 })
  scene.expect((await wanter.apply({ entries: [entryOf('a')], takes: [takeOf(0, 11)] })).granted).toEqual([1])
}

async function wantExpires(scene: Scene): Promise<void> {
  const [holder, wanter] = [await scene.owner(), await scene.owner(scene.other)]
  await holder.row(entryOf('a', { policy: initialOf(20), hold: 10 }))
  await wanter.row(entryOf('a', { wantMs: scene.ms(600) }))
  await wanter.row(entryOf('a', { wantMs: scene.ms(1) }))
  await scene.pass(100)
  scene.expect(await holder.row(entryOf('a', { known: true, hold: 12 }))).toMatchObject({ held: 10 })
  await scene.pass(500)
  const grown = await holder.apply({ entries: [entryOf('a', { known: true, hold: 12 })] })
  scene.expect([grown.entries, grown.wanted]).toMatchObject([[{ held: 12, pool: 8 }], []])
}

async function noGrowthAfterBurnMax(scene: Scene): Promise<void> {
  const { expect } = scene
  const dead = [await scene.owner(), await scene.owner()]
  const policy = initialOf(100, { burnMax: 9 })
  for (const owner of dead) await owner.row(entryOf('a', { policy, hold: 5 }))
  const living = await scene.owner(scene.other)
  await living.row(entryOf('a', { policy, hold: 20 }))
  await scene.pass(300)
  await living.row(entryOf('a', { known: true, hold: 20 }))
  await scene.pass(300)
  await living.apply({}) // reaps, before or after it is applied
  const after = await living.row(entryOf('a', { known: true, spent: 15, hold: 20 }))
  expect(after).toMatchObject({ burned: 10, used: 15, held: 5, pool: 70 })
  const taken = await living.apply({ entries: [entryOf('a', { known: true, hold: 0 })], takes: [takeOf(0, 1, 99)] })
  expect(taken.granted).toEqual([70])
  expect(await living.row(entryOf('a', { known: true, hold: 5 }))).toMatchObject({ held: 0, pool: 5, used: 85 })
}
