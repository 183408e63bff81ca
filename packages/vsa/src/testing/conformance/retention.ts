import type { AppliedAnswer } from '../../core/exchange.ts'
import { entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'

const DAY_MS = 86_400_000
const LEASE_TTL_MS = 10_000
/** A store may remove no row within one lease lifetime after store time leapt (S10). */
const PAST_THE_LEAP_MS = LEASE_TTL_MS + 1_000

/** What is removed after its retention, and what is kept for ever. */
export const retentionTests: readonly ConformanceTest[] = [
  {
    title: 'S10, L1: a past row is removed when it is unleased and old enough, and never created again (scenario 27)',
    run: removedWhenOld,
    passesMs: 2 * DAY_MS,
    leaseTtlMs: LEASE_TTL_MS,
  },
  {
    title: 'S2, S10: a batch is replayed also after the row that it settled was removed',
    run: replayAfterRemoval,
    passesMs: 150_000,
    leaseTtlMs: 3_600_000,
  },
  {
    title: 'S10, L1: however short its retention, a row outlives the time in which it may be created',
    run: shortRetention,
    passesMs: 90_000,
  },
  { title: 'S3, S10: a later policy with a shorter retention keeps a row as long as before', run: keptAsBefore },
  {
    title: 'S10: a mint is remembered for ever, and an epoch for a week after its end',
    run: keptForEver,
    passesMs: 37 * DAY_MS,
    leaseTtlMs: LEASE_TTL_MS,
  },
]

async function removedWhenOld(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const period = owner.time
  const policy = windowOf(5, period + 1_000, { keepUntil: period + DAY_MS })
  const spend = (): Promise<AppliedAnswer> =>
    owner.apply({ entries: [entryOf('a', { period, policy })], takes: [takeOf(0, 1, 9)] })
  expect((await spend()).granted).toEqual([5])
  await owner.apply({ entries: [entryOf('leased', { period, policy, hold: 2 })] })
  await scene.pass(DAY_MS)
  await owner.apply({})
  expect(await keysOf(scene)).toEqual(['a', 'leased'])
  await scene.pass(PAST_THE_LEAP_MS)
  await owner.apply({})
  expect(await keysOf(scene)).toEqual(['leased'])
  expect(await spend()).toMatchObject({ granted: [0], entries: [{ kind: 'period_closed' }] })
  expect((await owner.apply({ entries: [entryOf('a', { period, policy, known: true })] })).entries).toEqual([
    { kind: 'row_lost' },
  ])
  await owner.apply({ entries: [entryOf('leased', { period, known: true, spent: 1 })] })
  await scene.pass(PAST_THE_LEAP_MS)
  await owner.apply({})
  expect(await scene.rows()).toEqual([])
}

async function keysOf(scene: Scene): Promise<readonly string[]> {
  return (await scene.rows()).map(({ budget }) => budget.key)
}

async function replayAfterRemoval(scene: Scene): Promise<void> {
  const { expect } = scene
  const [owner, other] = [await scene.owner(), await scene.owner(scene.other)]
  const period = owner.time
  const policy = windowOf(5, period + 1_000, { keepUntil: period + 120_000 })
  await owner.apply({ entries: [entryOf('a', { period, policy })], takes: [takeOf(0, 3)] })
  const last = owner.next({ entries: [entryOf('a', { period, known: true, refund: 2 })], takes: [takeOf(0, 1, 9)] })
  expect((await owner.send(last)).kind).toEqual('applied')
  await scene.pass(150_000)
  await other.apply({})
  expect(await scene.rows()).toEqual([])
  expect(await owner.send(last)).toMatchObject({
    kind: 'replayed',
    entries: [{ kind: 'removed', refunded: 2 }],
    granted: [4],
  })
}

async function shortRetention(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const period = owner.time
  const policy = windowOf(5, period + 1_000, { keepUntil: period + 1_000 })
  let admitted = 0
  for (let second = 0; second < 90; second++) {
    const answer = await owner.apply({ entries: [entryOf('a', { period, policy })], takes: [takeOf(0, 1, 9)] })
    admitted += answer.granted[0] ?? 0
    await scene.pass(1_000)
  }
  scene.expect(admitted).toEqual(5)
}

async function keptForEver(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const mint = { units: 2, id: 'm' }
  await owner.row(entryOf('a', { policy: initialOf(1), mint }))
  await owner.apply({ close: true })
  await scene.pass(6 * DAY_MS)
  const later = await scene.owner(scene.other)
  expect(await owner.send(owner.again({}))).toMatchObject({ kind: 'fenced', last: { seq: 2 } })
  expect(await later.row(entryOf('a', { known: true, mint }))).toMatchObject({ mint: 'repeated' })
  await scene.pass(30 * DAY_MS)
  const last = await scene.owner()
  expect(await owner.send(owner.again({}))).toMatchObject({ kind: 'fenced', last: { seq: 2 } })
  await scene.pass(PAST_THE_LEAP_MS)
  await last.apply({})
  expect(await owner.send(owner.again({}))).toMatchObject({ kind: 'fenced', last: null, forgot: true })
  expect(await last.row(entryOf('a', { known: true, mint }))).toMatchObject({ mint: 'repeated' })
}

async function keptAsBefore(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const period = owner.time
  const endsAt = period + 60_000
  const adopt = async (version: number, days: number): Promise<number | null | undefined> => {
    const policy = windowOf(5, endsAt, { version, keepUntil: endsAt + days * DAY_MS })
    await owner.apply({ entries: [entryOf('a', { period, policy })] })
    return (await scene.rows()).at(0)?.budget.keepUntil
  }
  scene.expect(await adopt(1, 3)).toEqual(endsAt + 3 * DAY_MS)
  scene.expect(await adopt(2, 1)).toEqual(endsAt + 3 * DAY_MS)
  scene.expect(await adopt(3, 4)).toEqual(endsAt + 4 * DAY_MS)
}
