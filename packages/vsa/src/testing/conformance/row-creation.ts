import type { AppliedAnswer, BudgetEntry } from '../../core/exchange.ts'
import { entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

const MINUTE_MS = 60_000

/** When a row is created, and when it is not. */
export const rowCreationTests: readonly ConformanceTest[] = [
  { title: 'S4: a policy creates the row on first sight, and the answer has absolute values', run: firstSight },
  { title: 'S4, L1: a known row that is gone is answered row_lost and never created again', run: lostRow },
  { title: 'S4: a row may be created until one minute after its period ends', run: createdAfterEnd },
  { title: 'S4: the bounds of creation hold to the millisecond', run: creationBounds, passesMs: Infinity },
  { title: 'S4: a period may begin ahead by its own length, and at most by one minute', run: createdAhead },
  {
    title: 'S4: an existing row is settled after its period has ended (scenario 14)',
    run: settledAfterEnd,
    passesMs: 10 * MINUTE_MS,
    leaseTtlMs: 20 * MINUTE_MS,
  },
  { title: 'S3: each period of a key has its own row', run: rowPerPeriod },
]

async function firstSight(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const policy = initialOf(50, { version: owner.epoch })
  scene.expect(await owner.row(entryOf('a', { policy, hold: 20 }))).toEqual({
    kind: 'budget',
    held: 20,
    pool: 30,
    used: 0,
    burned: 0,
    minted: 50,
    limit: 50,
    version: owner.epoch,
    others: 0,
    othersHeld: 0,
    refunded: 0,
  })
  scene.expect(await owner.row(entryOf('a', { policy, hold: 20 }))).toMatchObject({ minted: 50, held: 20, pool: 30 })
}

async function lostRow(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries: [entryOf('a', { known: true, policy: initialOf(50), hold: 5 }), entryOf('b', { hold: 5 })],
    takes: [takeOf(0, 1), takeOf(1, 1)],
  })
  scene.expect(answer.entries).toEqual([{ kind: 'row_lost' }, { kind: 'row_lost' }])
  scene.expect(answer.granted).toEqual([0, 0])
  scene.expect(await scene.rows()).toEqual([])
}

async function createdAfterEnd(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const period = owner.time - 10 * MINUTE_MS
  const made = (key: string, endsAt: number): Promise<AppliedAnswer> =>
    owner.apply({ entries: [entryOf(key, { period, policy: windowOf(5, endsAt), hold: 1 })] })
  scene.expect((await made('late', owner.time - 55_000)).entries).toMatchObject([{ kind: 'budget', held: 1 }])
  scene.expect((await made('too late', owner.time - MINUTE_MS)).entries).toEqual([{ kind: 'period_closed' }])
  scene.expect((await scene.rows()).map(({ budget }) => budget.key)).toEqual(['late'])
}

async function creationBounds(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const period = owner.time - 10 * MINUTE_MS
  const entries = [1, 0].map((ms) =>
    entryOf(`${ms}`, { period, policy: windowOf(5, owner.time - MINUTE_MS + ms), hold: 1 }),
  )
  const ahead = [0, 1].map((ms) =>
    entryOf(`long ${ms}`, {
      period: owner.time + MINUTE_MS + ms,
      policy: windowOf(5, owner.time + 10 * MINUTE_MS),
    }),
  )
  const short = [0, 1].map((ms) =>
    entryOf(`short ${ms}`, { period: owner.time + 1_000 + ms, policy: windowOf(5, owner.time + 2_000 + ms) }),
  )
  const answer = await owner.apply({ entries: [...entries, ...ahead, ...short] })
  scene
    .expect(answer.entries.map(({ kind }) => kind))
    .toEqual(['budget', 'period_closed', 'budget', 'period_closed', 'budget', 'period_closed'])
}

async function createdAhead(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const second = (startsIn: number): BudgetEntry =>
    entryOf('second', { period: owner.time + startsIn, policy: windowOf(5, owner.time + startsIn + 1_000) })
  const month = (startsIn: number): BudgetEntry =>
    entryOf('month', { period: owner.time + startsIn, policy: windowOf(5, owner.time + startsIn + 30 * 86_400_000) })
  const answer = await owner.apply({ entries: [second(900), second(5_000), month(50_000), month(70_000)] })
  scene.expect(answer.entries.map(({ kind }) => kind)).toEqual(['budget', 'period_closed', 'budget', 'period_closed'])
}

async function settledAfterEnd(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const period = owner.time
  const policy = windowOf(10, owner.time + 1_000)
  await owner.row(entryOf('a', { period, policy, hold: 6 }))
  await scene.pass(10 * MINUTE_MS)
  const settled = await owner.row(entryOf('a', { period, known: true, policy, spent: 4, refund: 1 }))
  scene.expect(settled).toMatchObject({ used: 3, held: 0, pool: 7, refunded: 1 })
}

async function rowPerPeriod(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const policy = windowOf(10, owner.time + 60_000)
  const entries = [
    entryOf('a', { period: owner.time - 1, policy, hold: 3 }),
    entryOf('a', { period: owner.time, policy, hold: 4 }),
  ]
  const answer = await owner.apply({ entries, takes: [takeOf(1, 6), takeOf(0, 6)] })
  scene.expect(answer.granted).toEqual([1, 1])
  scene.expect([budgetAnswer(answer, 0), budgetAnswer(answer, 1)]).toMatchObject([
    { used: 6, held: 3, pool: 1 },
    { used: 6, held: 4, pool: 0 },
  ])
}
