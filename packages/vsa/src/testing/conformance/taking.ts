import { entryOf, initialOf, takeOf } from './entries.ts'
import type { Test } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

/** S3: durable admissions. */
export function testTaking(test: Test): void {
  test('S3: takes are granted in the order of arrival, by run length', async (scene) => {
    const owner = await scene.owner()
    const answer = await owner.apply({
      entries: [entryOf('a', { policy: initialOf(20) })],
      takes: [takeOf(0, 1, 5), takeOf(0, 4, 5), takeOf(0, 2, 9), takeOf(0, 1, 9)],
    })
    // 5 of 1, 3 of 4, then 1 of 2 from the 3 that are left, then 1 of 1.
    scene.expect(answer.granted).toEqual([5, 3, 1, 1])
    scene.expect(budgetAnswer(answer, 0)).toMatchObject({ used: 20, pool: 0 })
  })

  test('L4, L6, scenario 26: what cannot be granted whole takes nothing, and leaves it to others', async (scene) => {
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
  })

  test('L6, scenario 17: a take of several budgets is all or nothing', async (scene) => {
    const owner = await scene.owner()
    const entries = [
      entryOf('a', { policy: initialOf(10) }),
      entryOf('b', { policy: initialOf(4) }),
      entryOf('gone', { known: true }),
    ]
    const answer = await owner.apply({
      entries,
      takes: [
        {
          need: [
            [0, 2],
            [1, 3],
          ],
          n: 3,
        },
        {
          need: [
            [0, 1],
            [2, 1],
          ],
          n: 1,
        },
        {
          need: [
            [1, 1],
            [0, 8],
          ],
          n: 1,
        },
        { need: [[0, 9]], n: 1 },
      ],
    })
    scene.expect(answer.granted).toEqual([1, 0, 1, 0])
    scene.expect([budgetAnswer(answer, 0), budgetAnswer(answer, 1)]).toMatchObject([
      { used: 10, pool: 0 },
      { used: 4, pool: 0 },
    ])
  })

  test('S3, L6: a take comes from the pool alone; a denied one changes no figure', async (scene) => {
    const owner = await scene.owner()
    await owner.row(entryOf('a', { policy: initialOf(10), hold: 8 }))
    const rows = await scene.rows()
    const answer = await owner.apply({ entries: [entryOf('a', { known: true, hold: 8 })], takes: [takeOf(0, 3, 2)] })
    scene.expect(answer.granted).toEqual([0])
    scene.expect(answer.written).toEqual({ records: 0, leaseRecords: 0 })
    scene.expect(await scene.rows()).toEqual(rows)
  })

  test('L1: a run of 2^53 - 1 requests gets what there is', async (scene) => {
    const owner = await scene.owner()
    const answer = await owner.apply({
      entries: [entryOf('a', { policy: initialOf(Number.MAX_SAFE_INTEGER) }), entryOf('b', { policy: initialOf(7) })],
      takes: [takeOf(1, 2, Number.MAX_SAFE_INTEGER), takeOf(0, Number.MAX_SAFE_INTEGER, 2), takeOf(0, 1, 5)],
    })
    scene.expect(answer.granted).toEqual([3, 1, 0])
  })
}
