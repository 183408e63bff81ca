import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { applied } from './test-owner.ts'

/** Batches that are out of sequence, or of an epoch that is unknown or closed. */
export const fencingTests: readonly ConformanceTest[] = [
  { title: 'S2: an older seq is stale, a seq beyond the next is lost, and both change nothing', run: staleAndLostSeqs },
  { title: 'S2: an epoch that the store never issued is fenced, without a last seq', run: unknownEpoch },
  { title: 'S2, O5: a closed epoch is fenced with its last seq and the outcome of that seq', run: closedEpoch },
  { title: 'S2: epochs only increase, whichever handle joins', run: increasingEpochs },
]

async function staleAndLostSeqs(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const old = owner.next({ entries: [entryOf('a', { policy: initialOf(10) })], takes: [takeOf(0, 1)] })
  await owner.send(old)
  await owner.apply({ entries: [entryOf('a', { known: true })], takes: [takeOf(0, 1)] })
  const rows = await scene.rows()
  expect((await owner.send(old)).kind).toEqual('stale')
  expect((await owner.send({ ...old, seq: 4 })).kind).toEqual('lost')
  expect((await owner.send({ ...old, seq: Number.MAX_SAFE_INTEGER })).kind).toEqual('lost')
  expect(await scene.rows()).toEqual(rows)
  const fresh = await scene.owner()
  expect((await fresh.send({ ...old, epoch: fresh.epoch, seq: 2 })).kind).toEqual('lost')
}

async function unknownEpoch(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const batch = {
    ...owner.next({ entries: [entryOf('a', { policy: initialOf(10), hold: 10 })] }),
    epoch: owner.epoch + 1,
  }
  scene.expect(await owner.send(batch)).toMatchObject({ kind: 'fenced', last: null })
  scene.expect(await scene.rows()).toEqual([])
}

async function closedEpoch(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const last = owner.next({
    entries: [entryOf('a', { policy: initialOf(5), mint: { units: 2, id: 'm' } })],
    takes: [takeOf(0, 3, 4)],
    close: true,
  })
  const answer = applied(await owner.send(last), 'applied')
  expect(answer.granted).toEqual([2])
  const rows = await scene.rows()
  const outcome = { granted: [2], notes: { 0: { refunded: 0, mint: 'minted' } }, written: answer.written }
  for (const seq of [1, 2, 9]) {
    expect(await scene.other.exchange({ ...last, seq })).toMatchObject({ kind: 'fenced', last: { seq: 1, outcome } })
  }
  expect(await scene.rows()).toEqual(rows)
}

async function increasingEpochs(scene: Scene): Promise<void> {
  const epochs: number[] = []
  for (const handle of [scene.store, scene.other, scene.store]) epochs.push((await scene.owner(handle)).epoch)
  scene.expect(epochs.toSorted((a, b) => a - b)).toEqual(epochs)
  scene.expect(new Set(epochs).size).toEqual(3)
}
