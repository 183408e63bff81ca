import { entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { Test } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

/** S3: limits that change, and units that come by mint. */
export function testPolicies(test: Test): void {
  test('S3, scenario 23: the higher version’s limit holds, whichever process exchanges last', async (scene) => {
    const [older, newer] = [await scene.owner(), await scene.owner(scene.other)]
    const period = older.time
    const ask = (owner: typeof older, limit: number, version: number): ReturnType<typeof owner.row> =>
      owner.row(entryOf('a', { period, policy: windowOf(limit, period + 60_000, { version }) }))
    scene
      .expect(await ask(older, 100, older.epoch))
      .toMatchObject({ limit: 100, minted: 100, pool: 100, version: older.epoch })
    scene
      .expect(await ask(newer, 160, newer.epoch))
      .toMatchObject({ limit: 160, minted: 160, pool: 160, version: newer.epoch })
    scene
      .expect(await ask(older, 100, older.epoch))
      .toMatchObject({ limit: 160, minted: 160, pool: 160, version: newer.epoch })
    scene.expect(await ask(older, 70, newer.epoch)).toMatchObject({ limit: 160, minted: 160, version: newer.epoch })
  })

  test('L1, scenario 16: a limit lowered below what is used and leased admits nothing until spending fits', async (scene) => {
    const { expect } = scene
    const owner = await scene.owner()
    const period = owner.time
    const entry = (limit: number, version: number, parts: Parameters<typeof entryOf>[1]): ReturnType<typeof entryOf> =>
      entryOf('a', { period, policy: windowOf(limit, period + 60_000, { version }), ...parts })
    await owner.apply({ entries: [entry(100, 1, { hold: 30 })], takes: [takeOf(0, 50)] })
    const lowered = await owner.apply({ entries: [entry(40, 2, { spent: 10, hold: 30 })], takes: [takeOf(0, 1)] })
    expect(lowered.granted).toEqual([0])
    expect(budgetAnswer(lowered, 0)).toMatchObject({ minted: 40, used: 60, held: 20, pool: -40 })
    expect(await owner.row(entry(40, 2, { hold: 0 }))).toMatchObject({ held: 0, pool: -20, used: 60 })
    const fits = await owner.apply({ entries: [entry(40, 2, { refund: 23 })], takes: [takeOf(0, 4), takeOf(0, 3)] })
    expect(fits.granted).toEqual([0, 1])
    expect(budgetAnswer(fits, 0)).toMatchObject({ minted: 40, used: 40, pool: 0 })
  })

  test('L1, scenario 28: five rolling restarts of two versions do not make minted creep up', async (scene) => {
    const seen: number[][] = []
    let [admitted, period] = [0, 0]
    for (let restart = 0; restart < 5; restart++) {
      const [old, young] = [await scene.owner(), await scene.owner(scene.other)]
      period ||= old.time
      for (const [owner, limit] of [
        [old, 100],
        [young, 120],
        [old, 100],
      ] as const) {
        const policy = windowOf(limit, period + 60_000, { version: owner.epoch })
        const answer = await owner.apply({ entries: [entryOf('a', { period, policy })], takes: [takeOf(0, 7)] })
        admitted += (answer.granted[0] ?? 0) * 7
        seen.push([budgetAnswer(answer, 0).minted, budgetAnswer(answer, 0).used])
      }
    }
    scene.expect(seen.map(([minted]) => minted)).toEqual(Array.from({ length: 5 }, () => [100, 120, 120]).flat())
    // 7 fits 14 times into 98 while the limit is 100, and 17 times into 119 while it is 120.
    scene.expect([admitted, seen.at(-1)?.[1]]).toEqual([105, 105])
  })

  test('S3: `initial` only ever creates: another number later changes nothing, at any version', async (scene) => {
    const owner = await scene.owner()
    await owner.row(entryOf('a', { policy: initialOf(10, { version: 1 }) }))
    scene
      .expect(await owner.row(entryOf('a', { policy: initialOf(99, { version: 9 }), hold: 20 })))
      .toMatchObject({ minted: 10, limit: 10, held: 10, pool: 0, version: 1 })
  })

  test('L3: units are minted once for each id, by whomever, and for ever', async (scene) => {
    const { expect } = scene
    const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
    const minting = (units: number, id: string): ReturnType<typeof entryOf> =>
      entryOf('a', { policy: initialOf(0), mint: { units, id } })
    expect(await one.row(minting(30, 'order-1'))).toMatchObject({ mint: 'minted', minted: 30, pool: 30, limit: 0 })
    expect(await two.row(minting(30, 'order-1'))).toMatchObject({ mint: 'repeated', minted: 30 })
    expect(await two.row(minting(31, 'order-1'))).toMatchObject({ mint: 'id_conflict', minted: 30 })
    expect(await two.row(minting(12, 'order-2'))).toMatchObject({ mint: 'minted', minted: 42, pool: 42 })
    const otherKey = await two.row(entryOf('b', { policy: initialOf(1), mint: { units: 5, id: 'order-1' } }))
    expect(otherKey).toMatchObject({ mint: 'minted', minted: 6 })
  })

  test('S6, scenario 30: units beyond 2^53 - 1 are answered for their entry, and the others go on', async (scene) => {
    const owner = await scene.owner()
    const max = Number.MAX_SAFE_INTEGER
    const answer = await owner.apply({
      entries: [
        entryOf('a', { policy: initialOf(max - 5), mint: { units: 6, id: 'm' } }),
        entryOf('b', { policy: initialOf(max - 5), mint: { units: 5, id: 'm' }, hold: max }),
        entryOf('c', { policy: initialOf(1), mint: { units: 2, id: 'm' } }),
      ],
      takes: [takeOf(0, max - 5), takeOf(2, 3)],
    })
    scene.expect(answer.entries).toMatchObject([
      { mint: 'units_overflow', minted: max - 5, pool: 0, used: max - 5 },
      { mint: 'minted', minted: max, held: max, pool: 0 },
      { mint: 'minted', minted: 3, used: 3 },
    ])
    scene.expect(answer.granted).toEqual([1, 1])
    // The id that minted nothing is still free.
    scene
      .expect(await owner.row(entryOf('a', { known: true, mint: { units: 5, id: 'm' } })))
      .toMatchObject({ mint: 'minted', minted: max })
  })
}
