import { entryOf, initialOf, takeOf } from './entries.ts'
import type { Test } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

/** S3, S6: spending, refunds, leases, and what is written of them. */
export function testSettling(test: Test): void {
  test('S3: spending moves from the lease to used, and the lease is topped up from the pool', async (scene) => {
    const owner = await scene.owner()
    await owner.row(entryOf('a', { policy: initialOf(100), hold: 40 }))
    scene
      .expect(await owner.row(entryOf('a', { known: true, spent: 25, hold: 40 })))
      .toMatchObject({ minted: 100, used: 25, held: 40, pool: 35 })
    scene
      .expect(await owner.row(entryOf('a', { known: true, spent: 40, hold: 60 })))
      .toMatchObject({ used: 65, held: 35, pool: 0 })
    scene
      .expect(await owner.row(entryOf('a', { known: true, spent: 5, hold: 10 })))
      .toMatchObject({ used: 70, held: 10, pool: 20 })
  })

  test('S3, L2: a refund goes to the pool, as far as units were used; the spending beside it counts first', async (scene) => {
    const owner = await scene.owner()
    await owner.row(entryOf('a', { policy: initialOf(100), hold: 10 }))
    const refund = (spent: number, units: number): ReturnType<typeof owner.row> =>
      owner.row(entryOf('a', { known: true, spent, refund: units, hold: 10 }))
    scene.expect(await refund(0, 5)).toMatchObject({ refunded: 0, used: 0, pool: 90, held: 10 })
    scene.expect(await refund(3, 5)).toMatchObject({ refunded: 3, used: 0, pool: 90, held: 10 })
    scene.expect(await refund(8, 5)).toMatchObject({ refunded: 5, used: 3, pool: 87, held: 10 })
  })

  test('O4, scenario 12: two owners give back each other’s units; no more is accepted than was used', async (scene) => {
    const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
    await one.row(entryOf('a', { policy: initialOf(20), hold: 10 }))
    await two.row(entryOf('a', { hold: 10 }))
    scene
      .expect(await two.row(entryOf('a', { known: true, refund: 4, hold: 10 })))
      .toMatchObject({ refunded: 0, used: 0 })
    await one.row(entryOf('a', { known: true, spent: 3, hold: 7 }))
    scene
      .expect(await two.row(entryOf('a', { known: true, refund: 4, hold: 10 })))
      .toMatchObject({ refunded: 3, used: 0, pool: 3 })
    await two.row(entryOf('a', { known: true, spent: 2, hold: 8 }))
    scene
      .expect(await one.row(entryOf('a', { known: true, spent: 1, refund: 9, hold: 6 })))
      .toMatchObject({ refunded: 3, used: 0, held: 6, pool: 6, others: 1, othersHeld: 8 })
  })

  test('S6, L2: spending more than the lease is a breach: the row is named, nothing is applied, the rest may go', async (scene) => {
    const { expect } = scene
    const owner = await scene.owner()
    await owner.apply({
      entries: [entryOf('a', { policy: initialOf(10), hold: 4 }), entryOf('b', { policy: initialOf(10), hold: 4 })],
    })
    const rows = await scene.rows()
    const bad = entryOf('b', { known: true, spent: 5, hold: 4 })
    const good = entryOf('a', { known: true, spent: 4, hold: 4 })
    expect(await owner.send(owner.next({ entries: [good, bad], takes: [takeOf(0, 1)] }))).toMatchObject({
      kind: 'breach',
      row: { key: 'b', period: 0 },
    })
    expect(await scene.rows()).toEqual(rows)
    const rest = await owner.send(owner.again({ entries: [good, { kind: 'void' }], takes: [takeOf(0, 1)] }))
    expect(rest).toMatchObject({
      kind: 'applied',
      granted: [1],
      entries: [{ used: 5, held: 4, pool: 1 }, { kind: 'void' }],
    })
  })

  test('L7: in steady state a flush writes one record; what cancels out, and what only looks, writes none', async (scene) => {
    const owner = await scene.owner()
    await owner.row(entryOf('a', { policy: initialOf(1_000), hold: 40 }))
    const written = async (parts: Parameters<typeof entryOf>[1]): Promise<unknown> =>
      (await owner.apply({ entries: [entryOf('a', { known: true, ...parts })] })).written
    scene.expect(await written({ spent: 25, hold: 40 })).toEqual({ records: 1, leaseRecords: 0 })
    scene.expect(await written({ hold: 40 })).toEqual({ records: 0, leaseRecords: 0 })
    scene.expect(await written({ spent: 6, refund: 6, hold: 40 })).toEqual({ records: 0, leaseRecords: 0 })
    scene.expect(await written({ hold: 20 })).toEqual({ records: 0, leaseRecords: 2 })
    scene.expect(await written({ spent: 20, hold: 0 })).toEqual({ records: 1, leaseRecords: 1 })
  })

  test('S3: holds move after the takes, from what those leave; all leases come out of one pool', async (scene) => {
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
  })

  test('S3: a refund and a mint are there for the takes beside them', async (scene) => {
    const owner = await scene.owner()
    await owner.apply({ entries: [entryOf('a', { policy: initialOf(3) })], takes: [takeOf(0, 3)] })
    const entries = [entryOf('a', { known: true, refund: 2, mint: { units: 4, id: 'm' } })]
    scene.expect((await owner.apply({ entries, takes: [takeOf(0, 7), takeOf(0, 6)] })).granted).toEqual([0, 1])
  })
}
