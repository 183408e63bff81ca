import type { BudgetAnswer } from '../../core/exchange.ts'
import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'

/** Spending, refunds, breaches, and the records that are written. */
export const settlingTests: readonly ConformanceTest[] = [
  { title: 'S3: spending moves units from the lease to used, and the lease is filled up from the pool', run: spending },
  {
    title: 'S3, L2: a refund is accepted up to the units used, and spending in the same entry counts first',
    run: refund,
  },
  {
    title: 'O4: an owner may refund units that another owner spent, up to the units used (scenario 12)',
    run: refundByOtherOwner,
  },
  {
    title:
      'S6, L2: spending more than the lease is a breach: the row is named, nothing is applied, the other entries can be sent again',
    run: breach,
  },
  {
    title: 'L7: in steady state a flush writes one record; a net delta of zero and a look write none',
    run: recordsWritten,
  },
]

async function spending(scene: Scene): Promise<void> {
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
}

async function refund(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.row(entryOf('a', { policy: initialOf(100), hold: 10 }))
  const refund = (spent: number, units: number): Promise<BudgetAnswer> =>
    owner.row(entryOf('a', { known: true, spent, refund: units, hold: 10 }))
  scene.expect(await refund(0, 5)).toMatchObject({ refunded: 0, used: 0, pool: 90, held: 10 })
  scene.expect(await refund(3, 5)).toMatchObject({ refunded: 3, used: 0, pool: 90, held: 10 })
  scene.expect(await refund(8, 5)).toMatchObject({ refunded: 5, used: 3, pool: 87, held: 10 })
}

async function refundByOtherOwner(scene: Scene): Promise<void> {
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
}

async function breach(scene: Scene): Promise<void> {
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
}

async function recordsWritten(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.row(entryOf('a', { policy: initialOf(1_000), hold: 40 }))
  const written = async (parts: Parameters<typeof entryOf>[1]): Promise<unknown> =>
    (await owner.apply({ entries: [entryOf('a', { known: true, ...parts })] })).written
  scene.expect(await written({ spent: 25, hold: 40 })).toEqual({ records: 1, leaseRecords: 0 })
  scene.expect(await written({ hold: 40 })).toEqual({ records: 0, leaseRecords: 0 })
  scene.expect(await written({ spent: 6, refund: 6, hold: 40 })).toEqual({ records: 0, leaseRecords: 0 })
  scene.expect(await written({ hold: 20 })).toEqual({ records: 0, leaseRecords: 2 })
  scene.expect(await written({ spent: 20, hold: 0 })).toEqual({ records: 1, leaseRecords: 1 })
}
