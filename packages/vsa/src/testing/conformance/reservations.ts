import type { Take } from '../../core/exchange.ts'
import { ID_LENGTH_MAX } from '../../core/grant-takes.ts'
import { admissionOf, entryOf, initialOf, rememberedWaterfallOf, reservationOf, takeOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { budgetAnswer } from './test-owner.ts'

/** Takes that are remembered under an id. */
export const reservationTests: readonly ConformanceTest[] = [
  {
    title: 'R1: the same id again, by another owner and in another period, moves nothing and is answered from the row',
    run: sameRequest,
  },
  {
    title: 'R1: another kind, form, list or number of units under a known id is an id_conflict, and moves nothing',
    run: otherRequests,
  },
  { title: 'R1: an id is of its keys, and of each character', run: idsOfKeys },
  { title: 'R1, L4: a refusal takes nothing and leaves nothing: the id may be used again', run: refusal },
  {
    title: 'R1: a reservation of several budgets is all or nothing, and any of its keys finds it',
    run: severalBudgets,
  },
  { title: 'R1, S3: of two requests with one id in one batch, the second is a repeat', run: twiceInOneBatch },
  { title: 'R2, L2: what is reserved is no part of used or pool, and leases stay beside it', run: inTheBooks },
  { title: 'R2, S9: a reservation outlives the epoch that made it', run: outlivesEpoch },
  { title: 'R1, S7: reservations of up to 2^53 - 1 units, and ids of 256 characters', run: largest },
]

async function sameRequest(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const takes = [reservationOf('r', [4])]
  const first = await one.apply({ entries: [entryOf('a', { policy: initialOf(10) })], takes })
  expect([first.granted, first.credits]).toMatchObject([
    [1],
    { takes: { 0: { kind: 'remembered', state: 'open', charged: [4], units: 4, repeated: false } }, changes: [] },
  ])
  expect(first.written).toEqual({ records: 2, leaseRecords: 0 })
  const again = await two.apply({ entries: [entryOf('a', { known: true })], takes })
  expect(again.credits).toEqual({ takes: { 0: { ...first.credits?.takes[0], repeated: true } }, changes: [] })
  expect([again.granted, again.written, budgetAnswer(again, 0)]).toMatchObject([
    [0],
    { records: 0, leaseRecords: 0 },
    { used: 0, reserved: 4, pool: 6 },
  ])
  const period = two.time
  const later = await two.apply({ entries: [entryOf('a', { period, policy: windowOf(5, period + 60_000) })], takes })
  expect([later.granted, later.credits, later.entries]).toMatchObject([
    [0],
    { takes: { 0: { kind: 'remembered', state: 'open', charged: [4], repeated: true } } },
    [{ pool: 5, used: 0 }],
  ])
}

async function otherRequests(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(50) }), entryOf('b', { policy: initialOf(50) })]
  await owner.apply({ entries, takes: [reservationOf('r', [4])] })
  const rows = await scene.rows()
  const others: readonly Take[] = [
    reservationOf('r', [5]),
    admissionOf('r', [4]),
    reservationOf('r', [4, 4]),
    rememberedWaterfallOf('r', 1, 4),
    rememberedWaterfallOf('r', 2, 4),
  ]
  const answer = await owner.apply({ entries, takes: others })
  expect(answer.granted).toEqual(others.map(() => 0))
  expect(answer.credits?.takes).toEqual(Object.fromEntries(others.map((_, at) => [at, { kind: 'id_conflict' }])))
  expect(await scene.rows()).toEqual(rows)
  // The end may be another one: a repeat does not move it.
  const repeat = await owner.apply({ entries, takes: [reservationOf('r', [4], { ttlMs: 9, onExpire: 'capture' })] })
  expect(repeat.credits).toMatchObject({ takes: { 0: { kind: 'remembered', repeated: true } } })
}

async function idsOfKeys(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const ids = ['r', 'R', ' r', '1', '\0', '🦀', '%', '__proto__', 'a\u0301', 'á', '\uFFFF']
  const entries = ['a', 'b'].map((key) => entryOf(key, { policy: initialOf(50) }))
  const onOther = (id: string): Take => ({ ...reservationOf(id, [2]), need: [[1, 2]] })
  const takes = ids.flatMap((id) => [reservationOf(id, [1]), onOther(id)])
  const answer = await owner.apply({ entries, takes })
  expect(answer.granted).toEqual(takes.map(() => 1))
  const again = await owner.apply({ entries, takes })
  expect(again.granted).toEqual(takes.map(() => 0))
  expect(again.credits?.takes).toMatchObject(
    Object.fromEntries(takes.map((_, at) => [at, { repeated: true, charged: [at % 2 === 0 ? 1 : 2] }])),
  )
  expect(again.entries).toMatchObject([{ reserved: ids.length }, { reserved: 2 * ids.length }])
}

async function refusal(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const takes = [reservationOf('r', [4]), admissionOf('s', [5])]
  const refused = await owner.apply({ entries: [entryOf('a', { policy: initialOf(3) })], takes })
  expect([refused.granted, refused.credits === undefined]).toEqual([[0, 0], true])
  expect(budgetAnswer(refused, 0)).toMatchObject({ used: 0, pool: 3 })
  const entries = [entryOf('a', { known: true, mint: { id: 'm', units: 6 } })]
  const granted = await owner.apply({ entries, takes })
  expect([granted.granted, granted.credits, granted.entries]).toMatchObject([
    [1, 1],
    { takes: { 0: { state: 'open', repeated: false }, 1: { state: 'final', charged: [5], repeated: false } } },
    [{ used: 5, reserved: 4, pool: 0 }],
  ])
}

async function severalBudgets(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const entries = [entryOf('a', { policy: initialOf(9) }), entryOf('b', { policy: initialOf(3) })]
  const takes = [reservationOf('r', [2, 4]), reservationOf('s', [2, 3])]
  const answer = await one.apply({ entries, takes })
  expect([answer.granted, answer.credits?.takes, answer.entries]).toMatchObject([
    [0, 1],
    { 1: { charged: [2, 3], units: 5 } },
    [
      { reserved: 2, pool: 7 },
      { reserved: 3, pool: 0 },
    ],
  ])
  const onlyLast = await two.apply({ entries: [entryOf('b', { known: true })], takes: [reservationOf('s', [3])] })
  expect(onlyLast.credits).toEqual({ takes: { 0: { kind: 'id_conflict' } }, changes: [] })
  const known = entries.map(({ key }) => entryOf(key, { known: true }))
  const repeat = await two.apply({ entries: known, takes: [reservationOf('s', [2, 3])] })
  expect([repeat.granted, repeat.credits]).toMatchObject([[0], { takes: { 0: { charged: [2, 3], repeated: true } } }])
}

async function twiceInOneBatch(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries: [entryOf('a', { policy: initialOf(9) })],
    takes: [reservationOf('r', [4]), reservationOf('r', [4]), reservationOf('r', [3]), takeOf(0, 1, 9)],
  })
  scene
    .expect([answer.granted, answer.credits, answer.entries])
    .toMatchObject([
      [1, 0, 0, 5],
      { takes: { 0: { repeated: false }, 1: { repeated: true }, 2: { kind: 'id_conflict' } } },
      [{ used: 5, reserved: 4, pool: 0 }],
    ])
}

async function inTheBooks(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  await one.row(entryOf('a', { policy: initialOf(20), hold: 5 }))
  const answer = await two.apply({
    entries: [entryOf('a', { known: true, hold: 3 })],
    takes: [takeOf(0, 2), reservationOf('r', [4])],
  })
  expect(answer.entries).toMatchObject([
    { minted: 20, used: 2, reserved: 4, pool: 6, burned: 0, held: 3, others: 1, othersHeld: 5 },
  ])
  const budget = { key: 'a', minted: 20, used: 2, reserved: 4, pool: 6, burned: 0 }
  expect(await scene.store.read([{ key: 'a', period: 0 }])).toMatchObject([budget])
  expect(await scene.rows()).toMatchObject([{ budget, leases: [{ held: 5 }, { held: 3 }] }])
  // A refund of what is used takes nothing of what is reserved.
  expect(await one.row(entryOf('a', { known: true, refund: 9, hold: 5 }))).toMatchObject({
    refunded: 2,
    used: 0,
    reserved: 4,
  })
}

async function outlivesEpoch(scene: Scene): Promise<void> {
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const takes = [reservationOf('r', [4])]
  await one.apply({ entries: [entryOf('a', { policy: initialOf(10), hold: 2 })], takes })
  await one.apply({ entries: [entryOf('a', { known: true })], close: true })
  const answer = await two.apply({ entries: [entryOf('a', { known: true })], takes })
  scene
    .expect([answer.credits, answer.entries])
    .toMatchObject([
      { takes: { 0: { state: 'open', charged: [4], repeated: true } } },
      [{ reserved: 4, pool: 6, burned: 0 }],
    ])
}

async function largest(scene: Scene): Promise<void> {
  const [max, id] = [Number.MAX_SAFE_INTEGER, '🦀'.repeat(ID_LENGTH_MAX / 2)]
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries: [entryOf('a', { policy: initialOf(max) })],
    takes: [reservationOf(id, [max])],
  })
  scene.expect(answer.entries).toMatchObject([{ reserved: max, pool: 0, used: 0 }])
  const again = await owner.apply({ entries: [entryOf('a', { known: true })], takes: [reservationOf(id, [max])] })
  scene.expect(again.credits).toMatchObject({ takes: { 0: { charged: [max], units: max, repeated: true } } })
}
