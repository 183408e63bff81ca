import { entryOf, initialOf, takeOf } from './entries.ts'
import type { Test } from './scene.ts'

/** S5, S7, O12: the last units, and budgets that have burned. */
export function testWanting(test: Test): void {
  test('S7, O12: a wanted row is named to whoever leases it, also when it is not in the batch', async (scene) => {
    const { expect } = scene
    const [holder, wanter, third] = [await scene.owner(), await scene.owner(scene.other), await scene.owner()]
    await holder.apply({
      entries: [entryOf('a', { policy: initialOf(9), hold: 9 }), entryOf('b', { policy: initialOf(9), hold: 2 })],
    })
    await third.apply({ entries: [entryOf('b', { hold: 1 })] })
    const wanted = await wanter.apply({ entries: [entryOf('a', { wantMs: 500 })], takes: [takeOf(0, 2)] })
    expect([wanted.granted, wanted.wanted]).toEqual([[0], []])
    expect((await holder.apply({})).wanted).toEqual([{ key: 'a', period: 0 }])
    expect((await third.apply({ entries: [entryOf('b', { hold: 1 })] })).wanted).toEqual([])
    const returned = await holder.apply({ entries: [entryOf('a', { known: true, spent: 3, hold: 0 })] })
    expect(returned.wanted).toEqual([])
    expect((await wanter.apply({ entries: [entryOf('a')], takes: [takeOf(0, 2, 4)] })).granted).toEqual([3])
  })

  test('S5: no lease grows while the row is wanted, whoever asks; it may shrink, and takes go on', async (scene) => {
    const [holder, wanter] = [await scene.owner(), await scene.owner(scene.other)]
    await holder.row(entryOf('a', { policy: initialOf(20), hold: 10 }))
    scene.expect(await wanter.row(entryOf('a', { hold: 5, wantMs: 500 }))).toMatchObject({ held: 0, pool: 10 })
    const kept = await holder.row(entryOf('a', { known: true, spent: 4, hold: 15 }))
    scene.expect(kept).toMatchObject({ held: 6, pool: 10 })
    scene.expect(await holder.row(entryOf('a', { known: true, hold: 5 }))).toMatchObject({ held: 5, pool: 11 })
    scene.expect((await wanter.apply({ entries: [entryOf('a')], takes: [takeOf(0, 11)] })).granted).toEqual([1])
  })

  test(
    'S5, O12: wanting ends by itself, and a shorter wish does not end a longer one',
    async (scene) => {
      const [holder, wanter] = [await scene.owner(), await scene.owner(scene.other)]
      await holder.row(entryOf('a', { policy: initialOf(20), hold: 10 }))
      await wanter.row(entryOf('a', { wantMs: 600 }))
      await wanter.row(entryOf('a', { wantMs: 1 }))
      await scene.pass(100)
      scene.expect(await holder.row(entryOf('a', { known: true, hold: 12 }))).toMatchObject({ held: 10 })
      await scene.pass(500)
      const grown = await holder.apply({ entries: [entryOf('a', { known: true, hold: 12 })] })
      scene.expect([grown.entries, grown.wanted]).toMatchObject([[{ held: 12, pool: 8 }], []])
    },
    { passesMs: 600 },
  )

  test(
    'S5, L4: once `burnMax` units have burned no lease grows; what is left goes by takes',
    async (scene) => {
      const { expect } = scene
      const dead = [await scene.owner(), await scene.owner()]
      const policy = initialOf(100, { burnMax: 9 })
      for (const owner of dead) await owner.row(entryOf('a', { policy, hold: 5 }))
      const living = await scene.owner(scene.other)
      await living.row(entryOf('a', { policy, hold: 20 }))
      await scene.pass(300)
      await living.row(entryOf('a', { known: true, hold: 20 }))
      await scene.pass(300)
      const after = await living.row(entryOf('a', { known: true, spent: 15, hold: 20 }))
      expect(after).toMatchObject({ burned: 10, used: 15, held: 5, pool: 70 })
      const taken = await living.apply({ entries: [entryOf('a', { known: true, hold: 0 })], takes: [takeOf(0, 1, 99)] })
      expect(taken.granted).toEqual([70])
      expect(await living.row(entryOf('a', { known: true, hold: 5 }))).toMatchObject({ held: 0, pool: 5, used: 85 })
    },
    { passesMs: 600, leaseTtlMs: 500 },
  )
}
