import { addTo, entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { applied, budgetAnswer } from './test-owner.ts'

/** A batch that is sent again. */
export const replayTests: readonly ConformanceTest[] = [
  { title: 'S2, L3: a repeated batch changes nothing and gets the same answer', run: repeatedBatch },
  {
    title: 'S2, S7: a replay answers with the rows as they are now and with what its own seq was granted',
    run: replayAfterOthers,
  },
  {
    title: 'S2: a replay repeats id conflicts, overflows, accepted refunds and rows that were not created',
    run: replayedOutcome,
  },
]

async function repeatedBatch(scene: Scene): Promise<void> {
  const { expect, other } = scene
  const owner = await scene.owner()
  await owner.apply({
    entries: [entryOf('a', { policy: initialOf(100), hold: 30 }), entryOf('b', { policy: initialOf(5) })],
  })
  const batch = owner.next({
    entries: [
      entryOf('a', { known: true, spent: 12, refund: 4, hold: 25 }),
      entryOf('b', { known: true, mint: { units: 7, id: 'm' } }),
      addTo('c', -3),
      entryOf('lost', { known: true }),
    ],
    takes: [takeOf(0, 5, 3), takeOf(1, 4, 9)],
  })
  const first = applied(await owner.send(batch), 'applied')
  // a: 100 minted, lease 30 - 12, used 12 - 4, pool 74; takes: 3 of 5 leave 59; the lease grows by 7.
  expect(budgetAnswer(first, 0)).toMatchObject({ minted: 100, used: 23, pool: 52, held: 25, refunded: 4 })
  expect(budgetAnswer(first, 1)).toMatchObject({ minted: 12, used: 12, pool: 0, held: 0, mint: 'minted' })
  expect(first.entries.slice(2)).toEqual([{ kind: 'counter', value: -3, overflow: false }, { kind: 'row_lost' }])
  expect(first.granted).toEqual([3, 3])
  const rows = await scene.rows()
  expect({ ...first, kind: 'replayed' }).toEqual(atTimeOf(first, applied(await owner.send(batch), 'replayed')))
  expect({ ...first, kind: 'replayed' }).toEqual(atTimeOf(first, applied(await other.exchange(batch), 'replayed')))
  expect(await scene.rows()).toEqual(rows)
}

async function replayAfterOthers(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const batch = one.next({ entries: [entryOf('a', { policy: initialOf(10) })], takes: [takeOf(0, 2, 2)] })
  await one.send(batch)
  await two.apply({ entries: [entryOf('a', { known: true, hold: 3 })], takes: [takeOf(0, 1)] })
  const replay = applied(await one.send(batch), 'replayed')
  expect(replay.granted).toEqual([2])
  expect(budgetAnswer(replay, 0)).toMatchObject({ used: 5, pool: 2, held: 0, others: 1, othersHeld: 3 })
}

async function replayedOutcome(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  await owner.apply({
    entries: [entryOf('a', { policy: initialOf(9), mint: { units: 1, id: 'm' } }), addTo('c', Number.MAX_SAFE_INTEGER)],
    takes: [takeOf(0, 6)],
  })
  const batch = owner.next({
    entries: [
      entryOf('a', { known: true, refund: 8, mint: { units: 2, id: 'm' } }),
      addTo('c', 1),
      entryOf('w', { period: owner.time - 200_000, policy: windowOf(5, owner.time - 100_000) }),
      { kind: 'void' },
    ],
  })
  const answer = applied(await owner.send(batch), 'applied')
  expect(answer.entries).toMatchObject([
    { kind: 'budget', refunded: 6, used: 0, pool: 10, mint: 'id_conflict' },
    { kind: 'counter', value: Number.MAX_SAFE_INTEGER, overflow: true },
    { kind: 'period_closed' },
    { kind: 'void' },
  ])
  expect(applied(await owner.send(batch), 'replayed').entries).toEqual(answer.entries)
}

/** `answer` with the times of `first`: the only fields that a replay may change. */
function atTimeOf<T extends { readonly time: number; readonly expiresAt: number }>(first: T, answer: T): T {
  return { ...answer, time: first.time, expiresAt: first.expiresAt }
}
