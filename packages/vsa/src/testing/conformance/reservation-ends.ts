import type { OnExpire } from '../../core/reservations/messages.ts'
import { entryOf, extendOf, initialOf, reservationOf, settleOf, takeOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import type { TestOwner } from './test-owner.ts'

/** In a test, before it is stretched where time is real. */
const TTL_MS = 400
const PAST_TTL_MS = 500

/** How reservations end, by themselves and by settlement. */
export const reservationEndTests: readonly ConformanceTest[] = [
  {
    title: 'R3: a returned reservation is over before anything else of the batch that names it',
    run: returnedAtTouch,
    passesMs: PAST_TTL_MS,
  },
  {
    title: 'R3: a reservation that ended a moment ago, before any upkeep, is over when it is named',
    run: endedJustNow,
    passesMs: 60,
  },
  {
    title: 'R3: a captured reservation stays reserved after its end, and a repeat tells so',
    run: capturedAtTouch,
    passesMs: PAST_TTL_MS,
  },
  { title: 'R3: upkeep returns what is not touched', run: returnedByUpkeep, passesMs: 2 * PAST_TTL_MS },
  { title: 'R4: a settlement for less gives the rest back; a second one changes nothing, whatever it asks', run: less },
  { title: 'R4: a settlement for more takes what the pool has, and tells what is uncovered', run: more },
  {
    title: 'R4: an expired reservation is settled once: a returned one is charged, a captured one gets its rest back',
    run: afterExpiry,
    passesMs: PAST_TTL_MS,
  },
  {
    title:
      'R4, L1: a settlement of a row whose limit was lowered below what is used gives its rest back, and takes nothing',
    run: negativePool,
  },
  { title: 'R4, R5: an id that was never granted is unknown', run: unknown },
  { title: 'R4: the budgets of one request settle each by itself', run: eachByItself },
  { title: 'R5: an extension is to a total and a time, so a repeat changes nothing', run: extension },
  { title: 'R5: an extension is all or nothing, and only of an open one', run: noExtension, passesMs: PAST_TTL_MS },
  { title: 'R7: a settlement finds the period of its reservation, also without an entry', run: period },
]

/** 10 units, of which 4 are reserved. */
async function reserved(scene: Scene, onExpire: OnExpire = 'return', ttlMs = scene.ms(TTL_MS)): Promise<TestOwner> {
  const owner = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(10) })]
  const takes = [reservationOf('r', [4], { onExpire, ttlMs })]
  scene.expect((await owner.apply({ entries, takes })).granted).toEqual([1])
  return owner
}

async function returnedAtTouch(scene: Scene): Promise<void> {
  const owner = await reserved(scene)
  await scene.pass(PAST_TTL_MS)
  const answer = await owner.apply({
    entries: [entryOf('a', { known: true })],
    takes: [reservationOf('r', [4]), takeOf(0, 10)],
  })
  scene
    .expect([answer.granted, answer.credits?.takes, answer.entries])
    .toMatchObject([
      [0, 1],
      { 0: { kind: 'remembered', state: 'expired', charged: [0], repeated: true } },
      [{ used: 10, pool: 0 }],
    ])
  scene.expect(await scene.rows()).toMatchObject([{ budget: { reserved: 0, used: 10 } }])
}

async function endedJustNow(scene: Scene): Promise<void> {
  const owner = await reserved(scene, 'return', scene.ms(50))
  await scene.pass(60)
  const change = extendOf('a', 'r', 9)
  const answer = await owner.apply({
    entries: [entryOf('a', { known: true })],
    takes: [takeOf(0, 10)],
    changes: [change],
  })
  scene
    .expect([answer.granted, answer.credits?.changes, answer.entries])
    .toMatchObject([[1], [{ kind: 'not_open', state: 'expired' }], [{ used: 10, pool: 0 }]])
}

async function capturedAtTouch(scene: Scene): Promise<void> {
  const owner = await reserved(scene, 'capture')
  await scene.pass(PAST_TTL_MS)
  const answer = await owner.apply({ entries: [entryOf('a', { known: true })], takes: [reservationOf('r', [4])] })
  scene
    .expect([answer.credits?.takes, answer.entries])
    .toMatchObject([{ 0: { state: 'expired', charged: [4], repeated: true } }, [{ used: 0, reserved: 4, pool: 6 }]])
}

async function returnedByUpkeep(scene: Scene): Promise<void> {
  await reserved(scene)
  await scene.pass(PAST_TTL_MS)
  const other = await scene.owner(scene.other)
  await other.apply({})
  await scene.pass(PAST_TTL_MS)
  await other.apply({})
  scene.expect(await scene.rows()).toMatchObject([{ budget: { reserved: 0, used: 0, pool: 10 } }])
}

async function less(scene: Scene): Promise<void> {
  const { expect } = scene
  await reserved(scene, 'return', 3_600_000)
  const other = await scene.owner(scene.other)
  const settled = { kind: 'settled', settled: 1, uncovered: 0 }
  const answer = await other.apply({ entries: [entryOf('a', { known: true })], changes: [settleOf('a', 'r', 1)] })
  expect(answer.credits).toEqual({ takes: {}, changes: [{ ...settled, repeated: false }] })
  expect(answer.entries).toMatchObject([{ used: 1, pool: 9 }])
  const again = await other.apply({ changes: [settleOf('a', 'r', 0), settleOf('a', 'r', 9)] })
  expect(again.credits?.changes).toEqual([
    { ...settled, repeated: true },
    { ...settled, repeated: true },
  ])
  expect(again.written).toEqual({ records: 0, leaseRecords: 0 })
  expect(await scene.rows()).toMatchObject([{ budget: { used: 1, reserved: 0, pool: 9 } }])
}

async function more(scene: Scene): Promise<void> {
  const owner = await reserved(scene)
  await owner.apply({ entries: [entryOf('a', { known: true })], takes: [reservationOf('s', [3])] })
  const answer = await owner.apply({
    entries: [entryOf('a', { known: true })],
    changes: [settleOf('a', 'r', 5), settleOf('a', 's', 8)],
  })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [
      { settled: 5, uncovered: 0 },
      { settled: 5, uncovered: 3 },
    ],
    [{ used: 10, pool: 0 }],
  ])
  const again = await owner.apply({ changes: [settleOf('a', 's', 0)] })
  scene.expect(again.credits?.changes).toEqual([{ kind: 'settled', settled: 5, uncovered: 3, repeated: true }])
}

async function afterExpiry(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await reserved(scene)
  const takes = [reservationOf('c', [4], { onExpire: 'capture', ttlMs: scene.ms(TTL_MS) })]
  await owner.apply({ entries: [entryOf('a', { known: true })], takes })
  await scene.pass(PAST_TTL_MS)
  const entries = [entryOf('a', { known: true })]
  const late = await owner.apply({ entries, changes: [settleOf('a', 'r', 7), settleOf('a', 'c', 1)] })
  // The pool had 2 units, and 4 that were returned.
  expect([late.credits?.changes, late.entries]).toMatchObject([
    [
      { settled: 6, uncovered: 1, repeated: false },
      { settled: 1, uncovered: 0, repeated: false },
    ],
    [{ used: 7, pool: 3 }],
  ])
  const again = await owner.apply({ entries, changes: [settleOf('a', 'r', 0), settleOf('a', 'c', 4)] })
  expect(again.credits?.changes).toMatchObject([
    { settled: 6, repeated: true },
    { settled: 1, repeated: true },
  ])
}

async function negativePool(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const start = owner.time
  const entry = (limit: number, version: number): ReturnType<typeof entryOf> =>
    entryOf('a', { period: start, policy: windowOf(limit, start + 60_000, { version }) })
  const takes = [reservationOf('less', [4]), reservationOf('more', [4])]
  await owner.apply({ entries: [entry(10, 1)], takes })
  const changes = [settleOf('a', 'less', 3), settleOf('a', 'more', 6)]
  const answer = await owner.apply({ entries: [entry(2, 2)], changes })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [
      { kind: 'settled', settled: 3, uncovered: 0 },
      { kind: 'settled', settled: 4, uncovered: 2 },
    ],
    [{ minted: 2, used: 7, pool: -5 }],
  ])
  scene.expect(await scene.rows()).toMatchObject([{ budget: { reserved: 0 } }])
}

async function unknown(scene: Scene): Promise<void> {
  const owner = await reserved(scene)
  const changes = [settleOf('a', 's', 1), settleOf('b', 'r', 1), extendOf('a', 's', 9), extendOf('b', 'r', 9)]
  const answer = await owner.apply({ changes })
  scene.expect(answer.credits?.changes).toEqual(changes.map(() => ({ kind: 'unknown' })))
  scene.expect(answer.written).toEqual({ records: 0, leaseRecords: 0 })
}

async function eachByItself(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(9) }), entryOf('b', { policy: initialOf(9) })]
  await owner.apply({ entries, takes: [reservationOf('r', [2, 3])] })
  const answer = await owner.apply({ entries, changes: [settleOf('b', 'r', 1)] })
  expect(answer.entries).toMatchObject([
    { reserved: 2, used: 0, pool: 7 },
    { used: 1, pool: 8 },
  ])
  const repeat = await owner.apply({ entries, takes: [reservationOf('r', [2, 3])] })
  expect(repeat.credits?.takes).toMatchObject({ 0: { state: 'open', charged: [2, 1], repeated: true } })
}

async function extension(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await reserved(scene, 'return', 3_600_000)
  const entries = [entryOf('a', { known: true })]
  const answer = await owner.apply({ entries, changes: [extendOf('a', 'r', 7, 7_200_000)] })
  const extended = { kind: 'extended', units: 7, expiresAt: answer.time + 7_200_000 }
  expect([answer.credits?.changes, answer.entries]).toMatchObject([[extended], [{ reserved: 7, pool: 3 }]])
  const changes = [extendOf('a', 'r', 7, 1), extendOf('a', 'r', 2, 1)]
  const again = await owner.apply({ entries, changes })
  expect([again.credits?.changes, again.entries]).toMatchObject([[extended, extended], [{ reserved: 7, pool: 3 }]])
  const repeat = await owner.apply({ entries, takes: [reservationOf('r', [4])] })
  expect(repeat.credits?.takes).toMatchObject({ 0: { charged: [7], units: 7, expiresAt: extended.expiresAt } })
}

async function noExtension(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await reserved(scene)
  const entries = [entryOf('a', { known: true })]
  const refused = await owner.apply({ entries, changes: [extendOf('a', 'r', 11, 7_200_000)] })
  expect([refused.credits?.changes, refused.entries]).toMatchObject([[{ kind: 'refused' }], [{ reserved: 4, pool: 6 }]])
  await scene.pass(PAST_TTL_MS)
  const late = await owner.apply({
    entries,
    changes: [extendOf('a', 'r', 5), settleOf('a', 'r', 2), extendOf('a', 'r', 3)],
  })
  expect([late.credits?.changes, late.entries]).toMatchObject([
    [
      { kind: 'not_open', state: 'expired' },
      { kind: 'settled', settled: 2 },
      { kind: 'not_open', state: 'final' },
    ],
    [{ used: 2, pool: 8 }],
  ])
}

async function period(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const [first, second] = [one.time - 30_000, one.time]
  const entryIn = (start: number): ReturnType<typeof entryOf> =>
    entryOf('a', { period: start, policy: windowOf(10, start + 30_000) })
  const takes = [reservationOf('r', [4]), reservationOf('s', [3])]
  await one.apply({ entries: [entryIn(first)], takes })
  expect((await two.apply({ changes: [settleOf('a', 'r', 1)] })).credits?.changes).toMatchObject([{ settled: 1 }])
  const beside = await two.apply({ entries: [entryIn(second)], changes: [settleOf('a', 's', 2)] })
  expect([beside.credits?.changes, beside.entries]).toMatchObject([[{ settled: 2 }], [{ used: 0, pool: 10 }]])
  expect(await scene.rows()).toMatchObject([
    { budget: { period: first, used: 3, reserved: 0, pool: 7 } },
    { budget: { period: second, used: 0, pool: 10 } },
  ])
}
