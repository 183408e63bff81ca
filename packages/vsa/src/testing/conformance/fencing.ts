import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { applied } from './test-owner.ts'

/** Batches that are out of sequence, or of an epoch that is unknown or closed. */
export const fencingTests: readonly ConformanceTest[] = [
  { title: 'S2: an older seq is stale, a seq beyond the next is lost, and both change nothing', run: staleAndLostSeqs },
  { title: 'S2: an epoch that the store never issued is fenced, without a last seq', run: unknownEpoch },
  {
    title: 'S2, L1, L3: a batch with another token is no replay of the owner of that epoch, and changes nothing',
    run: anotherToken,
  },
  { title: 'S2: every join gets a token of its own, which the owner row keeps', run: tokens },
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
  expect((await fresh.send({ ...fresh.next({}), seq: 2 })).kind).toEqual('lost')
}

async function unknownEpoch(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const batch = {
    ...owner.next({ entries: [entryOf('a', { policy: initialOf(10), hold: 10 })] }),
    epoch: owner.epoch + 1,
  }
  scene.expect(await owner.send(batch)).toMatchObject({ kind: 'fenced', last: null, forgot: true })
  scene.expect(await scene.rows()).toEqual([])
}

/** As after the restore of a backup: two owners have one epoch number, and send the same seq. */
async function anotherToken(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const take = { entries: [entryOf('a', { policy: initialOf(2), hold: 1 })], takes: [takeOf(0, 1)] }
  await owner.apply(take)
  const rows = await scene.rows()
  const strange = { ...owner.again(take), token: `not ${owner.token}` }
  for (const seq of [1, 2, 9]) {
    const answer = await scene.other.exchange({ ...strange, seq, close: seq === 2 })
    expect(answer).toMatchObject({ kind: 'fenced', last: null, forgot: true })
  }
  expect(await scene.rows()).toEqual(rows)
  expect((await owner.apply({ entries: [entryOf('a', { known: true, hold: 1 })] })).kind).toEqual('applied')
  await owner.apply({ close: true })
  expect(await owner.send({ ...owner.next({}), token: strange.token })).toMatchObject({ last: null, forgot: true })
}

async function tokens(scene: Scene): Promise<void> {
  const owners = [await scene.owner(), await scene.owner(scene.other), await scene.owner()]
  scene.expect(new Set(owners.map(({ token }) => token)).size).toEqual(3)
  const stored = (await scene.store.owners()).toSorted((a, b) => a.epoch - b.epoch)
  scene.expect(stored.map(({ token }) => token)).toEqual(owners.map(({ token }) => token))
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
