import { entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { Test } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

const MINUTE_MS = 60_000

/** S4: when a row is made, and when it never is. */
export function testRows(test: Test): void {
  test('S4: a policy makes the row on first sight; the answer holds its absolute figures', async (scene) => {
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
  })

  test('S4, L1: a row that was known and is gone is lost, never a fresh budget', async (scene) => {
    const owner = await scene.owner()
    const answer = await owner.apply({
      entries: [entryOf('a', { known: true, policy: initialOf(50), hold: 5 }), entryOf('b', { hold: 5 })],
      takes: [takeOf(0, 1), takeOf(1, 1)],
    })
    scene.expect(answer.entries).toEqual([{ kind: 'row_lost' }, { kind: 'row_lost' }])
    scene.expect(answer.granted).toEqual([0, 0])
    scene.expect(await scene.rows()).toEqual([])
  })

  test('S4: a row may be made until a minute after its period, and not later', async (scene) => {
    const owner = await scene.owner()
    const period = owner.time - 10 * MINUTE_MS
    const made = (key: string, endsAt: number): ReturnType<typeof owner.apply> =>
      owner.apply({ entries: [entryOf(key, { period, policy: windowOf(5, endsAt), hold: 1 })] })
    scene.expect((await made('late', owner.time - 55_000)).entries).toMatchObject([{ kind: 'budget', held: 1 }])
    scene.expect((await made('too late', owner.time - MINUTE_MS)).entries).toEqual([{ kind: 'period_closed' }])
    scene.expect((await scene.rows()).map(({ budget }) => budget.key)).toEqual(['late'])
  })

  test(
    'S4: to the millisecond',
    async (scene) => {
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
    },
    { passesMs: Infinity },
  )

  test('S4: a period may begin as far ahead as it is long, and at most a minute', async (scene) => {
    const owner = await scene.owner()
    const second = (startsIn: number): ReturnType<typeof entryOf> =>
      entryOf('second', { period: owner.time + startsIn, policy: windowOf(5, owner.time + startsIn + 1_000) })
    const month = (startsIn: number): ReturnType<typeof entryOf> =>
      entryOf('month', { period: owner.time + startsIn, policy: windowOf(5, owner.time + startsIn + 30 * 86_400_000) })
    const answer = await owner.apply({ entries: [second(900), second(5_000), month(50_000), month(70_000)] })
    scene.expect(answer.entries.map(({ kind }) => kind)).toEqual(['budget', 'period_closed', 'budget', 'period_closed'])
  })

  test(
    'S4, scenario 14: settling a row whose period has ended always works',
    async (scene) => {
      const owner = await scene.owner()
      const period = owner.time
      const policy = windowOf(10, owner.time + 1_000)
      await owner.row(entryOf('a', { period, policy, hold: 6 }))
      await scene.pass(10 * MINUTE_MS)
      const settled = await owner.row(entryOf('a', { period, known: true, policy, spent: 4, refund: 1 }))
      scene.expect(settled).toMatchObject({ used: 3, held: 0, pool: 7, refunded: 1 })
    },
    { passesMs: 10 * MINUTE_MS, leaseTtlMs: 20 * MINUTE_MS },
  )

  test('S3: periods of one key are rows of their own', async (scene) => {
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
  })
}
