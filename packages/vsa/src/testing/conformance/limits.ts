import type { BudgetAnswer, BudgetEntry } from '../../core/exchange.ts'
import { entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

/** Limits that change. */
export const limitTests: readonly ConformanceTest[] = [
  {
    title: 'S3: the limit of the highest version holds, whichever process exchanges last (scenario 23)',
    run: highestVersion,
  },
  {
    title: 'L1: a limit below what is used and leased admits nothing until spending fits (scenario 16)',
    run: loweredLimit,
  },
  { title: 'L1: five rolling restarts of two versions do not raise minted (scenario 28)', run: rollingRestarts },
  {
    title: 'S3: an initial policy only creates; another number later changes nothing, at any version',
    run: initialOnlyCreates,
  },
]

async function highestVersion(scene: Scene): Promise<void> {
  const [older, newer] = [await scene.owner(), await scene.owner(scene.other)]
  const period = older.time
  const ask = (owner: typeof older, limit: number, version: number): Promise<BudgetAnswer> =>
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
}

async function loweredLimit(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const period = owner.time
  const entry = (limit: number, version: number, parts: Parameters<typeof entryOf>[1]): BudgetEntry =>
    entryOf('a', { period, policy: windowOf(limit, period + 60_000, { version }), ...parts })
  await owner.apply({ entries: [entry(100, 1, { hold: 30 })], takes: [takeOf(0, 50)] })
  const lowered = await owner.apply({ entries: [entry(40, 2, { spent: 10, hold: 30 })], takes: [takeOf(0, 1)] })
  expect(lowered.granted).toEqual([0])
  expect(budgetAnswer(lowered, 0)).toMatchObject({ minted: 40, used: 60, held: 20, pool: -40 })
  expect(await owner.row(entry(40, 2, { hold: 0 }))).toMatchObject({ held: 0, pool: -20, used: 60 })
  const fits = await owner.apply({ entries: [entry(40, 2, { refund: 23 })], takes: [takeOf(0, 4), takeOf(0, 3)] })
  expect(fits.granted).toEqual([0, 1])
  expect(budgetAnswer(fits, 0)).toMatchObject({ minted: 40, used: 40, pool: 0 })
}

async function rollingRestarts(scene: Scene): Promise<void> {
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
}

async function initialOnlyCreates(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.row(entryOf('a', { policy: initialOf(10, { version: 1 }) }))
  scene
    .expect(await owner.row(entryOf('a', { policy: initialOf(99, { version: 9 }), hold: 20 })))
    .toMatchObject({ minted: 10, limit: 10, held: 10, pool: 0, version: 1 })
}
