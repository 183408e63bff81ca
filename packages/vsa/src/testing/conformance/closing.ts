import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { applied } from './test-owner.ts'

/** Epochs that are closed. */
export const closingTests: readonly ConformanceTest[] = [
  {
    title: 'S9: close settles, returns and closes in one batch; a repeated close is fenced with its own seq',
    run: closeInOneBatch,
  },
  {
    title: 'S9: a close of an epoch that was reaped is fenced with the last seq before it (scenario 31)',
    run: closeAfterReaping,
    passesMs: 500,
    leaseTtlMs: 400,
  },
]

async function closeInOneBatch(scene: Scene): Promise<void> {
  const { expect } = scene
  const [owner, other] = [await scene.owner(), await scene.owner(scene.other)]
  await owner.apply({ entries: [entryOf('a', { policy: initialOf(10), hold: 6 })] })
  const close = owner.next({
    entries: [entryOf('a', { known: true, spent: 5, refund: 1 })],
    takes: [takeOf(0, 2)],
    close: true,
  })
  const answer = applied(await owner.send(close), 'applied')
  expect([answer.granted, answer.entries]).toMatchObject([[1], [{ used: 6, held: 0, pool: 4 }]])
  for (const handle of [scene.store, scene.other]) {
    expect(await handle.exchange(close)).toMatchObject({
      kind: 'fenced',
      last: { seq: close.seq, outcome: { granted: [1] } },
    })
  }
  expect((await owner.send(owner.next({}))).kind).toEqual('fenced')
  expect(await other.row(entryOf('a', { hold: 9 }))).toMatchObject({ held: 4, burned: 0, used: 6 })
}

async function closeAfterReaping(scene: Scene): Promise<void> {
  const [owner, other] = [await scene.owner(), await scene.owner(scene.other)]
  await owner.row(entryOf('a', { policy: initialOf(10), hold: 6 }))
  await scene.pass(500)
  await other.apply({})
  const close = owner.next({ entries: [entryOf('a', { known: true, spent: 5 })], close: true })
  scene.expect(await owner.send(close)).toMatchObject({ kind: 'fenced', last: { seq: 1 } })
  scene.expect(await other.row(entryOf('a'))).toMatchObject({ used: 0, burned: 6, pool: 4 })
}
