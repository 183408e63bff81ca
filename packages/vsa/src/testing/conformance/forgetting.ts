import {
  addTo,
  admissionOf,
  entryOf,
  extendOf,
  initialOf,
  refundOf,
  reservationOf,
  settleOf,
  takeOf,
  waterfallOf,
} from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import type { TestOwner } from './test-owner.ts'

const POLICY = initialOf(5)
const LEASE_TTL_MS = 1_000
/** The freeze, and a little more. */
const THAW_MS = 1_200

/** A store that loses the last part of what it acknowledged. Only for stores that may. */
export const forgettingTests: readonly ConformanceTest[] = [
  { title: 'F1, F2: a batch of before the loss applies nothing, and its epoch ends', run: olderIncarnation },
  {
    title: 'F2: an epoch whose join was lost tells nothing; its number may come again, with another token',
    run: lostJoin,
  },
  { title: 'F2, L3: the seq that survived is told with its outcome; the one that was lost is not', run: lostSeq },
  { title: 'F3: nothing is granted for one lease lifetime after the loss, then again', run: freeze, passesMs: THAW_MS },
  { title: 'F3, S3: while frozen, the store settles, refunds, mints, makes rows and takes leases back', run: goesOn },
  {
    title: 'F3, R4, I2: while frozen, nothing is reserved, drawn or extended; settlements and refunds give units back',
    run: frozenCredits,
  },
  { title: 'F5, L1: what was lost and is restated burns, and is not granted again', run: restating, passesMs: THAW_MS },
  { title: 'F7: the fenced answer to the last batch tells what is gone of its rows', run: goneOfFenced },
  {
    title: 'F10: a second loss starts the freeze anew, and what was restated is restated again',
    run: twice,
    passesMs: 2 * THAW_MS,
  },
].map((test) => ({ ...test, leaseTtlMs: LEASE_TTL_MS }))

async function olderIncarnation(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  await owner.row(entryOf('a', { policy: POLICY, hold: 3 }))
  const lose = await scene.startLosing()
  await lose()
  const batch = owner.next({ entries: [entryOf('a', { known: true, spent: 1, hold: 2 })], takes: [takeOf(0, 1)] })
  for (let times = 0; times < 2; times += 1)
    expect(await owner.send(batch)).toMatchObject({ kind: 'fenced', forgot: true, last: { seq: 1 } })
  const next = await scene.owner(scene.other)
  expect(next.incarnation === owner.incarnation).toEqual(false)
  expect(await next.row(entryOf('a', { known: true }))).toMatchObject({ used: 0, burned: 3, pool: 2 })
}

async function lostJoin(scene: Scene): Promise<void> {
  const { expect } = scene
  const lose = await scene.startLosing()
  const first = await scene.owner()
  await lose()
  const second = await scene.owner()
  expect([second.epoch === first.epoch, second.token === first.token]).toEqual([true, false])
  const batch = first.next({ entries: [entryOf('a', { policy: POLICY })] })
  expect(await first.send(batch)).toMatchObject({ kind: 'fenced', forgot: true, last: null, gone: [null] })
  expect(await scene.rows()).toEqual([])
  expect((await second.apply({})).kind).toEqual('applied')
}

async function lostSeq(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.apply({ entries: [entryOf('a', { policy: POLICY })], takes: [takeOf(0, 1)] })
  const lose = await scene.startLosing()
  await owner.apply({ entries: [entryOf('a', { known: true })], takes: [takeOf(0, 1)] })
  await lose()
  const answer = await owner.send(owner.next({}))
  scene.expect(answer).toMatchObject({ kind: 'fenced', forgot: true, last: { seq: 1, outcome: { granted: [1] } } })
}

async function freeze(scene: Scene): Promise<void> {
  const { expect } = scene
  await scene.owner()
  const lose = await scene.startLosing()
  await lose()
  const owner = await scene.owner()
  const asks = { entries: [entryOf('a', { policy: POLICY, hold: 2 })], takes: [takeOf(0, 1)] }
  const frozen = await owner.apply(asks)
  expect(frozen).toMatchObject({ granted: [0], entries: [{ held: 0, pool: 5 }] })
  expect(frozen.frozenUntil > frozen.time && frozen.frozenUntil <= frozen.time + owner.leaseTtlMs).toEqual(true)
  await scene.pass(scene.ms(THAW_MS))
  expect(await owner.apply(asks)).toMatchObject({ frozenUntil: 0, granted: [1], entries: [{ held: 2, pool: 2 }] })
}

async function goesOn(scene: Scene): Promise<void> {
  const { expect } = scene
  const before = await scene.owner()
  await before.apply({ entries: [entryOf('a', { policy: POLICY })], takes: [takeOf(0, 2)] })
  const lose = await scene.startLosing()
  await lose()
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries: [
      entryOf('a', { known: true, refund: 1, mint: { id: 'm', units: 3 } }),
      entryOf('b', { policy: POLICY }),
      { kind: 'counter', key: 'c', add: 7 },
    ],
  })
  expect(answer.entries).toMatchObject([{ refunded: 1, used: 1, minted: 8, pool: 7 }, { pool: 5 }, { value: 7 }])
}

async function frozenCredits(scene: Scene): Promise<void> {
  const { expect } = scene
  const before = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(20) }), addTo('over', 0)]
  const ids = ['less', 'more', 'extended']
  await before.apply({ entries, takes: [...ids.map((id) => reservationOf(id, [3])), admissionOf('refunded', [4])] })
  const lose = await scene.startLosing()
  await lose()
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries,
    changes: [
      settleOf('a', 'less', 1),
      settleOf('a', 'more', 5),
      extendOf('a', 'extended', 4),
      refundOf('a', 'refunded', 3),
    ],
    takes: [reservationOf('r', [1]), admissionOf('i', [1]), waterfallOf(2, 1, 3), reservationOf('less', [3])],
  })
  expect([answer.granted, answer.credits, answer.entries]).toMatchObject([
    [0, 0, 0, 0],
    {
      takes: { 3: { kind: 'remembered', charged: [1], repeated: true } },
      changes: [
        { settled: 1, uncovered: 0 },
        { settled: 3, uncovered: 2 },
        { kind: 'refused' },
        { kind: 'refunded', units: 3 },
      ],
    },
    [{ used: 5, reserved: 3, pool: 12 }, { value: 0 }],
  ])
  expect(Object.keys(answer.credits?.takes ?? {})).toEqual(['3'])
}

async function restating(scene: Scene): Promise<void> {
  const { expect } = scene
  await scene.owner()
  const before = await scene.owner()
  const lose = await scene.startLosing()
  const taken = await before.row(entryOf('a', { policy: POLICY, hold: 4 }))
  await lose()
  const owner = await scene.owner()
  const restated = entryOf('a', { policy: POLICY, gone: taken.minted - taken.pool })
  for (let times = 0; times < 2; times += 1)
    expect(await owner.row(restated)).toMatchObject({ minted: 5, burned: 4, pool: 1 })
  await scene.pass(scene.ms(THAW_MS))
  expect(await grantedTo(owner)).toEqual(1)
}

async function goneOfFenced(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const last = owner.next({ entries: [entryOf('a', { policy: POLICY })], takes: [takeOf(0, 2)], close: true })
  await owner.send(last)
  scene.expect(await owner.send(last)).toMatchObject({ kind: 'fenced', forgot: false, gone: [2] })
}

async function twice(scene: Scene): Promise<void> {
  const { expect } = scene
  await scene.owner()
  const before = await scene.owner()
  const lose = await scene.startLosing()
  const taken = await before.row(entryOf('a', { policy: POLICY, hold: 5 }))
  await lose()
  const restated = entryOf('a', { policy: POLICY, gone: taken.minted - taken.pool })
  const loseAgain = await scene.startLosing()
  await (await scene.owner()).row(restated)
  await scene.pass(scene.ms(THAW_MS / 2))
  await loseAgain()
  const owner = await scene.owner()
  await scene.pass(scene.ms(THAW_MS / 2))
  expect(await grantedTo(owner)).toEqual(0)
  await owner.row(restated)
  await scene.pass(scene.ms(THAW_MS))
  expect(await grantedTo(owner)).toEqual(0)
}

async function grantedTo(owner: TestOwner): Promise<number | undefined> {
  const entries = [entryOf('a', { policy: POLICY })]
  return (await owner.apply({ entries, takes: [takeOf(0, 1, 9)] })).granted[0]
}
