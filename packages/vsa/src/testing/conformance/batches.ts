import { BATCH_ENTRIES_MAX } from '../../core/exchange.ts'
import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { applied } from './test-owner.ts'

/** Batches at their limits. */
export const batchTests: readonly ConformanceTest[] = [
  {
    title: 'S2, L7: a batch of 1,000 entries and 1,000 runs of takes is applied and replayed whole',
    run: fullBatch,
    timeoutMs: 30_000,
  },
  { title: 'S1: a batch of 1,001 entries or 1,001 runs is refused whole', run: oversizeBatch },
]

async function fullBatch(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const indexes = Array.from({ length: BATCH_ENTRIES_MAX }, (_, index) => index)
  const batch = owner.next({
    entries: indexes.map((index) => entryOf(`k${index}`, { policy: initialOf(index), hold: 2 })),
    takes: indexes.map((index) => ({
      need: [
        [index, 3],
        [(index + 1) % BATCH_ENTRIES_MAX, 1],
      ],
      n: 2,
    })),
  })
  const answer = applied(await owner.send(batch), 'applied')
  // Row i has i units. Run i takes 3 of row i and 1 of row i + 1, twice: run i - 1 takes from row i before run i does.
  expect(answer.granted.slice(0, 8)).toEqual([0, 0, 0, 1, 1, 1, 1, 2])
  expect(answer.granted.reduce((sum, granted) => sum + granted, 0)).toEqual(4 + 2 * 992)
  const again = applied(await scene.other.exchange(batch), 'replayed')
  expect(again.granted).toEqual(answer.granted)
  expect(again.entries).toEqual(answer.entries)
}

async function oversizeBatch(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const many = Array.from({ length: BATCH_ENTRIES_MAX + 1 }, (_, index) =>
    entryOf(`k${index}`, { policy: initialOf(1) }),
  )
  const runs = many.map(() => takeOf(0, 1))
  for (const parts of [{ entries: many }, { entries: many.slice(0, 1), takes: runs }]) {
    const refused = await owner.send({ ...owner.again(parts), seq: 1 }).then(
      () => 'answered',
      () => 'refused',
    )
    scene.expect(refused).toEqual('refused')
  }
  scene.expect(await scene.rows()).toEqual([])
  scene.expect((await owner.apply({})).kind).toEqual('applied')
}
