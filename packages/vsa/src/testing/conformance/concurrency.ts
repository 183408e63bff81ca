import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { applied, type TestOwner } from './test-owner.ts'

const OWNERS = 8
const ROUNDS = 12

/** Many owners at the same time, on both handles. */
export const concurrencyTests: readonly ConformanceTest[] = [
  {
    title: 'L1, L3, S1: owners that take concurrently share a budget to the unit',
    run: concurrentTakes,
    timeoutMs: 60_000,
  },
  {
    title: 'L1, L2: rows balance when owners lease, spend and refund concurrently',
    run: concurrentLeases,
    timeoutMs: 60_000,
  },
  {
    title: 'S1, S4: concurrent joins get different epochs, and a row is created once (scenario 6)',
    run: concurrentJoins,
  },
]

async function concurrentTakes(scene: Scene): Promise<void> {
  const owners = await manyOwners(scene)
  const granted = await Promise.all(owners.map((owner) => unitsTaken(scene, owner)))
  scene.expect(granted.reduce((sum, units) => sum + units, 0)).toEqual(100)
  scene.expect(await scene.store.read([{ key: 'a', period: 0 }])).toMatchObject([{ minted: 100, used: 100, pool: 0 }])
}

/** Takes 3 units once and 1 unit twice in each round. Every batch is sent twice at once, as a driver may that sends again by itself. */
async function unitsTaken({ expect }: Scene, owner: TestOwner): Promise<number> {
  let units = 0
  for (let round = 0; round < ROUNDS; round++) {
    const entries = [entryOf('a', { policy: initialOf(100) })]
    const batch = owner.next({ entries, takes: [takeOf(0, 3), takeOf(0, 1, 2)] })
    const [first, second] = await Promise.all([owner.send(batch), owner.send(batch)])
    expect([first.kind, second.kind].toSorted()).toEqual(['applied', 'replayed'])
    const [threes, ones] = applied(first, first.kind === 'replayed' ? 'replayed' : 'applied').granted
    units += 3 * (threes ?? 0) + (ones ?? 0)
  }
  return units
}

async function concurrentLeases(scene: Scene): Promise<void> {
  const owners = await manyOwners(scene)
  const ends = await Promise.all(owners.map(leaseAndSpend))
  const sum = (field: 'held' | 'spent'): number => ends.reduce((total, end) => total + end[field], 0)
  const used = sum('spent')
  scene
    .expect(await scene.rows())
    .toMatchObject([{ budget: { minted: 500, used, burned: 0, pool: 500 - used - sum('held') } }])
}

/** Spends from a lease that grows and shrinks, and refunds one unit in every fourth round. */
async function leaseAndSpend(owner: TestOwner, number: number): Promise<{ held: number; spent: number }> {
  let [held, net] = [0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    const spent = Math.min(held, (number + round) % 5)
    const refund = round % 4 === 3 ? 1 : 0
    const hold = round % 3 === 0 ? 2 : 12
    const row = await owner.row(entryOf('a', { policy: initialOf(500), spent, refund, hold }))
    net += spent - row.refunded
    held = row.held
  }
  return { held, spent: net }
}

async function concurrentJoins(scene: Scene): Promise<void> {
  const owners = await manyOwners(scene)
  scene.expect(new Set(owners.map(({ epoch }) => epoch)).size).toEqual(OWNERS)
  const answers = await Promise.all(owners.map((owner) => owner.row(entryOf('a', { policy: initialOf(20), hold: 3 }))))
  scene.expect(answers.map(({ held }) => held).toSorted((a, b) => b - a)).toEqual([3, 3, 3, 3, 3, 3, 2, 0])
}

function manyOwners(scene: Scene): Promise<readonly TestOwner[]> {
  const handles = Array.from({ length: OWNERS }, (_, index) => (index % 2 === 0 ? scene.store : scene.other))
  return Promise.all(handles.map((handle) => scene.owner(handle)))
}
