import type { Take } from '../../core/exchange.ts'
import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

/** Durable admissions. */
export const takeTests: readonly ConformanceTest[] = [
  { title: 'S3: takes are granted in order of arrival, run by run', run: arrivalOrder },
  { title: 'L4, L6: a take that cannot be granted whole takes nothing (scenario 26)', run: wholeOrNothing },
  { title: 'L6: a take of several budgets is all or nothing (scenario 17)', run: severalBudgets },
  { title: 'S3, L6: takes are granted from the pool alone, and a denied take changes no value', run: fromThePool },
  { title: 'L1: a run of 2^53 - 1 requests is granted what the pool has', run: longestRun },
  { title: 'S3: units refunded or minted in a batch are available to its takes', run: afterRefundAndMint },
]

async function arrivalOrder(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries: [entryOf('a', { policy: initialOf(20) })],
    takes: [takeOf(0, 1, 5), takeOf(0, 4, 5), takeOf(0, 2, 9), takeOf(0, 1, 9)],
  })
  // 5 of 1, 3 of 4, then 1 of 2 from the 3 that are left, then 1 of 1.
  scene.expect(answer.granted).toEqual([5, 3, 1, 1])
  scene.expect(budgetAnswer(answer, 0)).toMatchObject({ used: 20, pool: 0 })
}

async function wholeOrNothing(scene: Scene): Promise<void> {
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const answer = await one.apply({
    entries: [entryOf('a', { policy: initialOf(5) })],
    takes: [takeOf(0, 3), takeOf(0, 4)],
  })
  scene.expect(answer.granted).toEqual([1, 0])
  scene.expect(budgetAnswer(answer, 0)).toMatchObject({ used: 3, pool: 2 })
  scene
    .expect((await two.apply({ entries: [entryOf('a')], takes: [takeOf(0, 2), takeOf(0, 1)] })).granted)
    .toEqual([1, 0])
}

async function severalBudgets(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const entries = [
    entryOf('a', { policy: initialOf(10) }),
    entryOf('b', { policy: initialOf(4) }),
    entryOf('gone', { known: true }),
  ]
  const answer = await owner.apply({
    entries,
    takes: [both([0, 2], [1, 3], 3), both([0, 1], [2, 1], 1), both([1, 1], [0, 8], 1), takeOf(0, 9)],
  })
  scene.expect(answer.granted).toEqual([1, 0, 1, 0])
  scene.expect([budgetAnswer(answer, 0), budgetAnswer(answer, 1)]).toMatchObject([
    { used: 10, pool: 0 },
    { used: 4, pool: 0 },
  ])
}

function both(first: Take['need'][number], second: Take['need'][number], n: number): Take {
  return { need: [first, second], n }
}

async function fromThePool(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.row(entryOf('a', { policy: initialOf(10), hold: 8 }))
  const rows = await scene.rows()
  const answer = await owner.apply({ entries: [entryOf('a', { known: true, hold: 8 })], takes: [takeOf(0, 3, 2)] })
  scene.expect(answer.granted).toEqual([0])
  scene.expect(answer.written).toEqual({ records: 0, leaseRecords: 0 })
  scene.expect(await scene.rows()).toEqual(rows)
}

async function longestRun(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries: [entryOf('a', { policy: initialOf(Number.MAX_SAFE_INTEGER) }), entryOf('b', { policy: initialOf(7) })],
    takes: [takeOf(1, 2, Number.MAX_SAFE_INTEGER), takeOf(0, Number.MAX_SAFE_INTEGER, 2), takeOf(0, 1, 5)],
  })
  scene.expect(answer.granted).toEqual([3, 1, 0])
}

async function afterRefundAndMint(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.apply({ entries: [entryOf('a', { policy: initialOf(3) })], takes: [takeOf(0, 3)] })
  const entries = [entryOf('a', { known: true, refund: 2, mint: { units: 4, id: 'm' } })]
  scene.expect((await owner.apply({ entries, takes: [takeOf(0, 7), takeOf(0, 6)] })).granted).toEqual([0, 1])
}
