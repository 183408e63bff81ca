import { admissionOf, entryOf, initialOf, refundOf, reservationOf, settleOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import type { TestOwner } from './test-owner.ts'

const DAY_MS = 86_400_000
/** A store may sweep nothing within one lease lifetime after store time leapt (S10). */
const PAST_THE_LEAP_MS = 11_000

/** Admissions under an id, and what is given back by it. */
export const identifiedAdmissionTests: readonly ConformanceTest[] = [
  { title: 'I1, L3: an admission with an id is used at once, and once, whichever owner repeats it', run: onceUsed },
  { title: 'I1: an admission is final: it cannot be extended, and its settlement is a repeat', run: isFinal },
  { title: 'I1, I2: what was all given back is not admitted again; what was given back in part is', run: givenBack },
  { title: 'I2: units come back once for each id, whatever is asked later', run: refundOnce },
  { title: 'I2, L2: no more comes back than is used', run: cappedByUsed },
  { title: 'I2, P5: what was used before a reset is not given back', run: refundAfterReset },
  { title: 'I2: an open reservation is not given back, and a settled one is', run: refundOfReservation },
  { title: 'I2: each budget of an admission gives back its own units', run: refundOfSeveral },
  {
    title: 'I2, R6: a refund keeps the id for another 7 days',
    run: refundKeeps,
    passesMs: 15 * DAY_MS,
  },
]

/** 10 units, of which 4 were admitted under an id. */
async function admitted(scene: Scene): Promise<TestOwner> {
  const owner = await scene.owner()
  const answer = await owner.apply({
    entries: [entryOf('a', { policy: initialOf(10) })],
    takes: [admissionOf('i', [4])],
  })
  scene.expect(answer.granted).toEqual([1])
  return owner
}

const KNOWN = [entryOf('a', { known: true })]

async function onceUsed(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await admitted(scene), await scene.owner(scene.other)]
  for (const owner of [one, two]) {
    const again = await owner.apply({ entries: KNOWN, takes: [admissionOf('i', [4])] })
    expect([again.granted, again.credits, again.entries]).toMatchObject([
      [0],
      { takes: { 0: { kind: 'remembered', state: 'final', charged: [4], units: 4, repeated: true } }, changes: [] },
      [{ used: 4, pool: 6 }],
    ])
    expect(again.entries).toMatchObject([{ kind: 'budget' }])
  }
  expect(await scene.rows()).toMatchObject([{ budget: { used: 4, reserved: 0, pool: 6 } }])
}

async function isFinal(scene: Scene): Promise<void> {
  const owner = await admitted(scene)
  const extend = { op: 'extend', key: 'a', id: 'i', units: 9, ttlMs: 1 } as const
  const answer = await owner.apply({ entries: KNOWN, changes: [extend, settleOf('a', 'i', 1)] })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [
      { kind: 'not_open', state: 'final' },
      { kind: 'settled', settled: 4, uncovered: 0, repeated: true },
    ],
    [{ used: 4, pool: 6 }],
  ])
}

async function givenBack(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await admitted(scene)
  await owner.apply({ entries: KNOWN, takes: [admissionOf('part', [3])] })
  await owner.apply({ changes: [refundOf('a', 'i', 4), refundOf('a', 'part', 2)] })
  const answer = await owner.apply({ entries: KNOWN, takes: [admissionOf('i', [4]), admissionOf('part', [3])] })
  expect([answer.granted, answer.credits?.takes, answer.entries]).toMatchObject([
    [0, 0],
    { 0: { kind: 'refunded' }, 1: { kind: 'remembered', charged: [3], repeated: true } },
    [{ used: 1, pool: 9 }],
  ])
  const other = await owner.apply({ entries: KNOWN, takes: [admissionOf('i', [5])] })
  expect(other.credits?.takes).toEqual({ 0: { kind: 'id_conflict' } })
}

async function refundOnce(scene: Scene): Promise<void> {
  const { expect } = scene
  const [owner, other] = [await admitted(scene), await scene.owner(scene.other)]
  const answer = await owner.apply({ entries: KNOWN, changes: [refundOf('a', 'i', 3)] })
  expect(answer.credits).toEqual({ takes: {}, changes: [{ kind: 'refunded', units: 3, repeated: false }] })
  expect(answer.entries).toMatchObject([{ used: 1, pool: 9, refunded: 0 }])
  const again = await other.apply({ entries: KNOWN, changes: [refundOf('a', 'i', 9), refundOf('a', 'other', 1)] })
  expect([again.credits?.changes, again.entries]).toMatchObject([
    [{ kind: 'refunded', units: 3, repeated: true }, { kind: 'unknown' }],
    [{ used: 1, pool: 9 }],
  ])
}

async function cappedByUsed(scene: Scene): Promise<void> {
  const owner = await admitted(scene)
  await owner.row(entryOf('a', { known: true, refund: 3 }))
  const answer = await owner.apply({ entries: KNOWN, changes: [refundOf('a', 'i', 4)] })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([[{ units: 1 }], [{ used: 0, pool: 10 }]])
}

async function refundAfterReset(scene: Scene): Promise<void> {
  const owner = await admitted(scene)
  await owner.apply({ entries: [entryOf('a', { known: true, reset: true })], takes: [takeOf(0, 5)] })
  const refund = refundOf('a', 'i', 4)
  const answer = await owner.apply({ entries: KNOWN, changes: [refund, refund] })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [
      { kind: 'refunded', units: 0, repeated: false },
      { kind: 'refunded', units: 0, repeated: true },
    ],
    [{ used: 5, pool: 5 }],
  ])
}

async function refundOfReservation(scene: Scene): Promise<void> {
  const owner = await admitted(scene)
  await owner.apply({ entries: KNOWN, takes: [reservationOf('r', [5])] })
  const refund = refundOf('a', 'r', 5)
  const answer = await owner.apply({ entries: KNOWN, changes: [refund, settleOf('a', 'r', 3), refund] })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [
      { kind: 'not_final', state: 'open' },
      { kind: 'settled', settled: 3 },
      { kind: 'refunded', units: 3 },
    ],
    [{ used: 4, pool: 6 }],
  ])
}

async function refundOfSeveral(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(9) }), entryOf('b', { policy: initialOf(9) })]
  await owner.apply({ entries, takes: [admissionOf('i', [2, 5])] })
  const answer = await owner.apply({ entries, changes: [refundOf('b', 'i', 4)] })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [{ kind: 'refunded', units: 4 }],
    [
      { used: 2, pool: 7 },
      { used: 1, pool: 8 },
    ],
  ])
}

async function refundKeeps(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await admitted(scene)
  const passDays = async (days: number): Promise<void> => {
    await scene.pass(days * DAY_MS)
    await owner.apply({})
    await scene.pass(PAST_THE_LEAP_MS)
    await owner.apply({})
  }
  const refund = { changes: [refundOf('a', 'i', 4)] }
  await passDays(5)
  expect((await owner.apply(refund)).credits?.changes).toMatchObject([{ units: 4, repeated: false }])
  await passDays(5)
  expect((await owner.apply(refund)).credits?.changes).toMatchObject([{ units: 4, repeated: true }])
  await passDays(3)
  expect((await owner.apply(refund)).credits?.changes).toEqual([{ kind: 'unknown' }])
  expect((await owner.apply({ entries: KNOWN, takes: [admissionOf('i', [4])] })).granted).toEqual([1])
}
