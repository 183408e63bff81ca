import type { BudgetEntry } from '../../core/exchange.ts'
import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'

/** Units that are minted. */
export const mintTests: readonly ConformanceTest[] = [
  { title: 'L3: units are minted once per id, whichever owner sends the mint', run: oncePerId },
  { title: 'L3: one id for two periods of a budget in one batch mints once', run: oncePerBatch },
  {
    title: 'S6: units beyond 2^53 - 1 are answered for their entry, and the other entries are applied (scenario 30)',
    run: overflow,
  },
]

async function oncePerId(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const minting = (units: number, id: string): BudgetEntry =>
    entryOf('a', { policy: initialOf(0), mint: { units, id } })
  expect(await one.row(minting(30, 'order-1'))).toMatchObject({ mint: 'minted', minted: 30, pool: 30, limit: 0 })
  expect(await two.row(minting(30, 'order-1'))).toMatchObject({ mint: 'repeated', minted: 30 })
  expect(await two.row(minting(31, 'order-1'))).toMatchObject({ mint: 'id_conflict', minted: 30 })
  expect(await two.row(minting(12, 'order-2'))).toMatchObject({ mint: 'minted', minted: 42, pool: 42 })
  const otherKey = await two.row(entryOf('b', { policy: initialOf(1), mint: { units: 5, id: 'order-1' } }))
  expect(otherKey).toMatchObject({ mint: 'minted', minted: 6 })
}

async function overflow(scene: Scene): Promise<void> {
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
}

/** As at the end of a period: `mint` was called again, with the same id, before the first call was answered. */
async function oncePerBatch(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const mints = (id: string, units: readonly number[]): readonly BudgetEntry[] =>
    units.map((one, period) => entryOf('a', { period, policy: initialOf(10), mint: { units: one, id } }))
  const first = await owner.apply({ entries: mints('order-1', [5, 5]) })
  scene.expect(first.entries).toMatchObject([
    { mint: 'minted', minted: 15 },
    { mint: 'repeated', minted: 10 },
  ])
  const second = await owner.apply({ entries: mints('order-2', [5, 6]) })
  scene.expect(second.entries).toMatchObject([
    { mint: 'minted', minted: 20 },
    { mint: 'id_conflict', minted: 10 },
  ])
}
