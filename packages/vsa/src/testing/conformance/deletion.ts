import { invariant } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import {
  admissionOf,
  entryOf,
  initialOf,
  rememberedWaterfallOf,
  addTo,
  reservationOf,
  settleOf,
  takeOf,
  windowOf,
} from './entries.ts'
import { applied } from './test-owner.ts'
import type { ConformanceTest, Scene } from './scene.ts'

/** In a test, before it is stretched where time is real. */
const TTL_MS = 400
const PAST_TTL_MS = 500
const DAY_MS = 86_400_000
/** More than one transaction deletes. */
const MANY = 250

/** What becomes of a key that is deleted, and of the owners that knew it. Only of stores that have `delete`. */
export const deletionTests: readonly ConformanceTest[] = [
  { title: 'P6: all that there is of the key goes, and the next request makes a fresh row', run: allOfTheKey },
  { title: 'P6: every period of the key goes', run: everyPeriod },
  { title: 'P6, L2: an owner that held a lease hears of it; what it spent since is in no account', run: leaseholder },
  { title: 'P6, L2: it hears of it although another owner has made a fresh row', run: freshRow },
  { title: 'P6, R2: it settles a reservation of that row in the same batch', run: settledUnheard },
  {
    title: 'P6, S4: an owner that knew the row without a lease hears of it; a row that is lost is not deleted',
    run: known,
  },
  { title: 'P6, S2: what was applied before, and what was answered since, is repeated as it was', run: replays },
  {
    title: 'P6, R2: of a reservation over several budgets the others get back what it had set aside',
    run: otherBudgets,
  },
  { title: 'P6, R3: what an expired one kept of the other budgets is used', run: captured, passesMs: PAST_TTL_MS },
  { title: 'P6, R3: so is what an overdue one kept', run: (scene) => captured(scene, false), passesMs: PAST_TTL_MS },
  {
    title: 'P6, S8: of an owner that died, nothing of the deleted row burns',
    run: deadOwner,
    passesMs: PAST_TTL_MS,
    leaseTtlMs: TTL_MS,
  },
  { title: 'P6: what is more than one transaction deletes goes in several', run: many },
  { title: 'P6: a key may be deleted again, and when there is nothing of it', run: again },
  {
    title: 'P6, S4: 7 days after the last deletion of a key a row of it that is not there is lost',
    run: keptForAWeek,
    passesMs: 9 * DAY_MS,
  },
]

/** Until nothing is left. @returns how many calls it took */
async function remove(store: Store, key: string): Promise<number> {
  invariant(store.delete !== undefined, 'a store that is tested with deletes has delete')
  let calls = 1
  while (!(await store.delete(key))) calls += 1
  return calls
}

async function allOfTheKey(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const mint = { units: 5, id: 'm' }
  const policy = initialOf(10)
  const entries = [entryOf('a', { policy, mint, hold: 4 }), entryOf('ab', { policy, mint, hold: 1 })]
  const takes = [reservationOf('r', [3]), admissionOf('d', [2])]
  await owner.apply({ entries, takes })
  expect(await remove(scene.other, 'a')).toEqual(1)
  expect(await scene.rows()).toMatchObject([{ budget: { key: 'ab', minted: 15 }, leases: [{ held: 1 }] }])
  const other = await scene.owner(scene.other)
  const answer = await other.apply({
    entries: [entryOf('a', { policy, mint }), entryOf('ab', { known: true, mint })],
    takes: [admissionOf('d', [2])],
    changes: [settleOf('a', 'r', 3)],
  })
  expect([answer.granted, answer.credits?.changes, answer.entries]).toMatchObject([
    [1],
    [{ kind: 'unknown' }],
    [
      { minted: 15, used: 2, pool: 13, mint: 'minted', others: 0 },
      { minted: 15, mint: 'repeated' },
    ],
  ])
}

async function everyPeriod(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const [first, second] = [owner.time - 1_000, owner.time + 1_000]
  await owner.apply({
    entries: [
      entryOf('a', { period: first, policy: windowOf(9, first + 2_000), hold: 2 }),
      entryOf('a', { period: second, policy: windowOf(9, second + 2_000), hold: 2 }),
      entryOf('b', { period: first, policy: windowOf(9, first + 2_000), hold: 2 }),
    ],
  })
  await remove(scene.store, 'a')
  scene.expect(await scene.rows()).toMatchObject([{ budget: { key: 'b' } }])
}

async function leaseholder(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const policy = initialOf(10)
  await owner.apply({ entries: [entryOf('a', { policy, hold: 4 }), entryOf('b', { policy, hold: 4 })] })
  await remove(scene.other, 'a')
  const answer = await owner.apply({
    entries: [entryOf('a', { known: true, spent: 3, hold: 4 }), entryOf('b', { known: true, spent: 3, hold: 4 })],
    takes: [
      takeOf(0, 1),
      {
        need: [
          [1, 1],
          [0, 1],
        ],
        n: 1,
      },
    ],
  })
  expect([answer.granted, answer.entries]).toMatchObject([
    [0, 0],
    [{ kind: 'deleted' }, { used: 3, held: 4, pool: 3 }],
  ])
  expect(answer.entries[0]).toEqual({ kind: 'deleted' })
  expect(await scene.rows()).toMatchObject([{ budget: { key: 'b' } }])
  const fresh = await owner.apply({ entries: [entryOf('a', { policy, hold: 4 })] })
  expect(fresh.entries).toMatchObject([{ minted: 10, used: 0, held: 4, pool: 6, others: 0 }])
  expect(await owner.row(entryOf('a', { known: true, spent: 4 }))).toMatchObject({ used: 4, held: 0, pool: 6 })
}

async function freshRow(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, other] = [await scene.owner(), await scene.owner(scene.other)]
  const policy = initialOf(10)
  await one.row(entryOf('a', { policy, hold: 4 }))
  await remove(scene.store, 'a')
  await other.row(entryOf('a', { policy, hold: 2 }))
  // It spent nothing: without hearing, it would count on units that it does not hold.
  const answer = await one.apply({ entries: [entryOf('a', { known: true, hold: 4 })] })
  expect(answer.entries).toEqual([{ kind: 'deleted' }])
  expect(await one.row(entryOf('a', { policy, hold: 3 }))).toMatchObject({ held: 3, othersHeld: 2, pool: 5, used: 0 })
  expect(await other.row(entryOf('a', { known: true, spent: 2 }))).toMatchObject({ used: 2, othersHeld: 3, pool: 5 })
}

async function settledUnheard(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, other] = [await scene.owner(), await scene.owner(scene.other)]
  const policy = initialOf(10)
  await one.row(entryOf('a', { policy, hold: 4 }))
  await remove(scene.store, 'a')
  await other.apply({ entries: [entryOf('a', { policy })], takes: [reservationOf('r', [5])] })
  const answer = await one.apply({ entries: [entryOf('a', { known: true })], changes: [settleOf('a', 'r', 2)] })
  expect([answer.entries, answer.written.records]).toEqual([[{ kind: 'deleted' }], 2])
  expect(await scene.rows()).toMatchObject([{ budget: { used: 2, reserved: 0, pool: 8 } }])
}

async function known(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, other] = [await scene.owner(), await scene.owner(scene.other)]
  const policy = initialOf(10)
  await one.row(entryOf('a', { policy }))
  await other.row(entryOf('a', { policy }))
  await remove(scene.store, 'a')
  const entries = [entryOf('a', { known: true, refund: 2 }), entryOf('b', { known: true })]
  expect((await one.apply({ entries })).entries).toEqual([{ kind: 'deleted' }, { kind: 'row_lost' }])
  await one.row(entryOf('a', { policy }))
  // It held nothing, so that it goes on with the fresh row.
  const answer = await other.apply({ entries: [entryOf('a', { known: true })], takes: [takeOf(0, 3)] })
  expect([answer.granted, answer.entries]).toMatchObject([[1], [{ minted: 10, used: 3, pool: 7 }]])
}

async function replays(scene: Scene): Promise<void> {
  const { expect } = scene
  const [owner, other] = [await scene.owner(), await scene.owner(scene.other)]
  const policy = initialOf(10)
  await owner.row(entryOf('a', { policy, hold: 4 }))
  const before = owner.next({ entries: [entryOf('a', { known: true, spent: 2, refund: 1, hold: 4 })] })
  applied(await owner.send(before), 'applied')
  await remove(scene.store, 'a')
  const gone = [{ kind: 'removed', refunded: 1 }]
  expect(applied(await owner.send(before), 'replayed').entries).toEqual(gone)
  await other.row(entryOf('a', { policy, hold: 1 }))
  expect(applied(await owner.send(before), 'replayed').entries).toEqual(gone)
  const after = owner.next({ entries: [entryOf('a', { known: true, spent: 1, hold: 4 })] })
  expect(applied(await owner.send(after), 'applied').entries).toEqual([{ kind: 'deleted' }])
  expect(applied(await owner.send(after), 'replayed').entries).toEqual([{ kind: 'deleted' }])
  expect(await owner.row(entryOf('a', { policy, hold: 2 }))).toMatchObject({ held: 2, othersHeld: 1, used: 0 })
}

async function otherBudgets(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const policy = initialOf(10)
  await owner.apply({
    entries: [entryOf('a', { policy }), entryOf('b', { policy })],
    takes: [reservationOf('r', [2, 3])],
  })
  const sources = [entryOf('b', { known: true }), entryOf('a', { known: true }), addTo('over', 0)]
  const takes = [rememberedWaterfallOf('w', 3, 20)]
  await owner.apply({ entries: sources, takes })
  expect(await scene.rows()).toMatchObject([{ budget: { reserved: 10 } }, { budget: { reserved: 10 } }])
  await remove(scene.store, 'a')
  const [row] = await scene.rows()
  expect(row).toMatchObject({ budget: { key: 'b', used: 0, reserved: 0, pool: 10 } })
  const answer = await owner.apply({ entries: [addTo('over', 0)], changes: [settleOf('b', 'w', 9)] })
  expect([answer.entries, answer.credits?.changes]).toMatchObject([[{ value: 0 }], [{ kind: 'unknown' }]])
}

/** @param isTouched between its end and the deletion */
async function captured(scene: Scene, isTouched = true): Promise<void> {
  const owner = await scene.owner()
  const policy = initialOf(10)
  await owner.apply({
    entries: [entryOf('a', { policy }), entryOf('b', { policy })],
    takes: [reservationOf('r', [2, 3], { onExpire: 'capture', ttlMs: scene.ms(TTL_MS) })],
  })
  await scene.pass(PAST_TTL_MS)
  const takes = [reservationOf('r', [2])]
  if (isTouched) await owner.apply({ entries: [entryOf('a', { known: true })], takes })
  await remove(scene.other, 'a')
  scene.expect(await scene.rows()).toMatchObject([{ budget: { key: 'b', used: 3, reserved: 0, pool: 7 } }])
}

async function deadOwner(scene: Scene): Promise<void> {
  const silent = await scene.owner()
  const policy = initialOf(10)
  await silent.apply({ entries: [entryOf('a', { policy, hold: 4 }), entryOf('b', { policy, hold: 4 })] })
  await remove(scene.store, 'a')
  const other = await scene.owner(scene.other)
  await other.row(entryOf('a', { policy, hold: 1 }))
  await scene.pass(PAST_TTL_MS)
  const living = await scene.owner(scene.other)
  const answer = await living.apply({ entries: [entryOf('a', { policy }), entryOf('b', { known: true })] })
  scene.expect(answer.entries).toMatchObject([
    { minted: 10, burned: 1, pool: 9 },
    { burned: 4, pool: 6 },
  ])
}

async function many(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const policy = initialOf(MANY)
  const ids = Array.from({ length: MANY }, (_, at) => `${at}`)
  const entries = [entryOf('a', { policy, hold: 0 }), entryOf('b', { policy })]
  await owner.apply({ entries, takes: ids.map((id) => reservationOf(id, [1, 1])) })
  for (const id of ids.slice(0, 3))
    await owner.apply({ entries: [entryOf('a', { known: true, mint: { units: 1, id } })] })
  const calls = await remove(scene.store, 'a')
  expect(calls > 1).toEqual(true)
  expect(await scene.rows()).toMatchObject([{ budget: { key: 'b', reserved: 0, pool: MANY } }])
  const answer = await owner.apply({ changes: ids.slice(0, 9).map((id) => settleOf('b', id, 1)) })
  expect(answer.credits?.changes.map(({ kind }) => kind)).toEqual(ids.slice(0, 9).map(() => 'unknown'))
}

async function again(scene: Scene): Promise<void> {
  const { expect } = scene
  expect(await remove(scene.store, 'a')).toEqual(1)
  const owner = await scene.owner()
  const policy = initialOf(10)
  await owner.row(entryOf('a', { policy, hold: 4 }))
  await remove(scene.store, 'a')
  await remove(scene.other, 'a')
  expect((await owner.apply({ entries: [entryOf('a', { known: true, hold: 4 })] })).entries).toEqual([
    { kind: 'deleted' },
  ])
  await owner.row(entryOf('a', { policy, hold: 4 }))
  await remove(scene.other, 'a')
  expect((await owner.apply({ entries: [entryOf('a', { known: true, hold: 4 })] })).entries).toEqual([
    { kind: 'deleted' },
  ])
  expect(await scene.rows()).toEqual([])
}

async function keptForAWeek(scene: Scene): Promise<void> {
  const { store, other, expect } = scene
  await remove(store, 'a')
  await remove(store, 'b')
  await scene.pass(4 * DAY_MS)
  expect(await claimed(scene)).toEqual(['deleted', 'deleted', 'row_lost'])
  await remove(other, 'a')
  await scene.pass(4 * DAY_MS)
  expect(await claimed(scene)).toEqual(['deleted', 'row_lost', 'row_lost'])
  // Whatever a deletion forgets of others, it is the one of these keys that is past.
  await remove(store, 'c')
  expect(await claimed(scene)).toEqual(['deleted', 'row_lost', 'deleted'])
}

/** What an owner hears that claims to know rows that are not there. It is a new one, because time has passed. */
async function claimed(scene: Scene): Promise<readonly string[]> {
  const owner = await scene.owner()
  const entries = ['a', 'b', 'c'].map((key) => entryOf(key, { known: true }))
  return (await owner.apply({ entries })).entries.map(({ kind }) => kind)
}
