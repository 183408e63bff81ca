import { entryOf, initialOf, takeOf } from './entries.ts'
import type { Scene, Test } from './scene.ts'
import { applied, budgetAnswer, type TestOwner } from './test-owner.ts'

const OWNERS = 8
const ROUNDS = 12

/** S1: many owners at once, over two handles. */
export function testCrowds(test: Test): void {
  test(
    'L1, L3, S1: owners that take at the same time share a budget to the unit',
    async (scene) => {
      const owners = await crowd(scene)
      const policy = initialOf(100)
      const taking = owners.map(async (owner) => {
        let granted = 0
        for (let round = 0; round < ROUNDS; round++) {
          const batch = owner.next({ entries: [entryOf('a', { policy })], takes: [takeOf(0, 3), takeOf(0, 1, 2)] })
          // Sent twice at once, as a driver would that re-sends by itself.
          const answers = await Promise.all([owner.send(batch), owner.send(batch)])
          const [first] = answers
          scene.expect(answers.map(({ kind }) => kind).toSorted()).toEqual(['applied', 'replayed'])
          const [three, ones] = applied(first, first.kind === 'replayed' ? 'replayed' : 'applied').granted
          granted += 3 * (three ?? 0) + (ones ?? 0)
        }
        return granted
      })
      const granted = (await Promise.all(taking)).reduce((sum, units) => sum + units, 0)
      scene.expect(granted).toEqual(100)
      scene
        .expect(await scene.store.read([{ key: 'a', period: 0 }]))
        .toMatchObject([{ minted: 100, used: 100, pool: 0 }])
    },
    { timeoutMs: 60_000 },
  )

  test(
    'L1, L2: owners that lease, spend and give back at the same time keep the books',
    async (scene) => {
      const owners = await crowd(scene)
      const policy = initialOf(500)
      const spending = owners.map(async (owner, number) => {
        let [held, spent] = [0, 0]
        for (let round = 0; round < ROUNDS; round++) {
          const spend = Math.min(held, (number + round) % 5)
          const refund = round % 4 === 3 ? 1 : 0
          const answer = await owner.apply({
            entries: [entryOf('a', { policy, spent: spend, refund, hold: round % 3 === 0 ? 2 : 12 })],
          })
          const row = budgetAnswer(answer, 0)
          spent += spend - row.refunded
          held = row.held
        }
        return { held, spent }
      })
      const ends = await Promise.all(spending)
      const sum = (field: 'held' | 'spent'): number => ends.reduce((total, end) => total + end[field], 0)
      const rows = await scene.rows()
      scene
        .expect(rows)
        .toMatchObject([
          { budget: { minted: 500, used: sum('spent'), burned: 0, pool: 500 - sum('spent') - sum('held') } },
        ])
    },
    { timeoutMs: 60_000 },
  )

  test('scenario 6: joins at the same time give epochs of their own, and one row is made once', async (scene) => {
    const owners = await crowd(scene)
    scene.expect(new Set(owners.map(({ epoch }) => epoch)).size).toEqual(OWNERS)
    const answers = await Promise.all(
      owners.map((owner) => owner.row(entryOf('a', { policy: initialOf(20), hold: 3 }))),
    )
    scene.expect(answers.map(({ held }) => held).toSorted((a, b) => b - a)).toEqual([3, 3, 3, 3, 3, 3, 2, 0])
  })
}

function crowd(scene: Scene): Promise<readonly TestOwner[]> {
  return Promise.all(
    Array.from({ length: OWNERS }, (_, index) => scene.owner(index % 2 === 0 ? scene.store : scene.other)),
  )
}
