import type { Entry } from '../../core/exchange.ts'
import {
  addTo,
  entryOf,
  extendOf,
  initialOf,
  refundOf,
  rememberedWaterfallOf,
  reservationOf,
  settleOf,
  waterfallOf,
} from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import type { TestOwner } from './test-owner.ts'

const TTL_MS = 400
const PAST_TTL_MS = 500

/** Takes from several sources in order. */
export const waterfallTests: readonly ConformanceTest[] = [
  { title: 'V1: each source gives what it has, in order, until the units are covered', run: inOrder },
  { title: 'V1, L4: a waterfall is all or nothing over the sum of its sources', run: allOrNothing },
  { title: 'V1: a source with a negative pool, or without a row, gives nothing', run: sourcesOfNothing },
  { title: 'V1, R1: a source without a row is remembered under its key, so a repeat is one', run: sourceWithoutRow },
  { title: 'V2: of a run, the first requests are granted, each in order; the answer tells the split', run: runs },
  { title: 'V1, V3: a counter as the last source never lacks, and takes what went over', run: overage },
  { title: 'V1, R1: a repeat has the split of the first time, and books nothing', run: repeats },
  { title: 'V3, R4: a settlement returns units to the last source first, and takes more in order', run: settlements },
  { title: 'V3, R4: with a counter as the last source, nothing is uncovered', run: coveredByCounter },
  { title: 'R5, V1: an extension draws in order', run: extensions },
  { title: 'V3, I2: a refund returns units to the last source first', run: refunds },
  {
    title: 'V3, R3: what has ended returns to each source, and leaves the counter',
    run: expiry,
    passesMs: PAST_TTL_MS,
  },
]

/** Of `limit`, `limit`, … units, by default 3, 4 and 5. */
function sources(...limits: readonly number[]): readonly Entry[] {
  const units = limits.length === 0 ? [3, 4, 5] : limits
  return units.map((limit, at) => entryOf('abc'[at] ?? 'z', { policy: initialOf(limit) }))
}

async function inOrder(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const answer = await owner.apply({ entries: sources(), takes: [waterfallOf(3, 5), waterfallOf(3, 1)] })
  scene.expect([answer.granted, answer.credits, answer.entries]).toMatchObject([
    [1, 1],
    { takes: { 0: { kind: 'drawn', charged: [3, 2, 0] }, 1: { kind: 'drawn', charged: [0, 1, 0] } }, changes: [] },
    [
      { used: 3, pool: 0 },
      { used: 3, pool: 1 },
      { used: 0, pool: 5 },
    ],
  ])
}

async function allOrNothing(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const takes = [waterfallOf(3, 13), rememberedWaterfallOf('r', 3, 13)]
  const refused = await owner.apply({ entries: sources(), takes })
  scene.expect([refused.granted, refused.credits === undefined]).toEqual([[0, 0], true])
  const granted = await owner.apply({ entries: sources(), takes: [rememberedWaterfallOf('r', 3, 12)] })
  scene
    .expect([granted.granted, granted.credits, granted.entries])
    .toMatchObject([
      [1],
      { takes: { 0: { kind: 'remembered', charged: [3, 4, 5], units: 12 } } },
      [{ pool: 0, reserved: 3 }, { reserved: 4 }, { reserved: 5 }],
    ])
}

async function sourcesOfNothing(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const start = owner.time
  const window = { endsAt: start + 60_000, kind: 'window', burnMax: 9, keepUntil: null } as const
  const policy = (limit: number, version: number): Entry =>
    entryOf('a', { period: start, policy: { ...window, limit, version } })
  await owner.apply({ entries: [policy(9, 1)], takes: [{ need: [[0, 8]], n: 1 }] })
  const entries = [policy(5, 2), entryOf('gone', { known: true }), entryOf('c', { policy: initialOf(5) })]
  const answer = await owner.apply({ entries, takes: [waterfallOf(3, 4, 3)] })
  scene
    .expect([answer.granted, answer.credits?.takes, answer.entries])
    .toMatchObject([
      [1],
      { 0: { kind: 'drawn', charged: [0, 0, 4] } },
      [{ used: 8, pool: -3 }, { kind: 'row_lost' }, { used: 4, pool: 1 }],
    ])
}

async function sourceWithoutRow(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const entries = [entryOf('gone', { known: true }), addTo('over', 0)]
  const takes = [rememberedWaterfallOf('r', 2, 4)]
  for (const repeated of [false, true]) {
    const answer = await owner.apply({ entries, takes })
    scene
      .expect([answer.credits?.takes, answer.entries])
      .toMatchObject([{ 0: { kind: 'remembered', charged: [0, 4], repeated } }, [{ kind: 'row_lost' }, { value: 4 }]])
  }
  const settled = await owner.apply({ entries, changes: [settleOf('gone', 'r', 1)] })
  scene.expect([settled.credits?.changes, settled.entries]).toMatchObject([[{ settled: 1 }], [{}, { value: 1 }]])
}

async function runs(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const answer = await owner.apply({ entries: sources(), takes: [waterfallOf(2, 2, 9), waterfallOf(3, 2, 2)] })
  scene
    .expect([answer.granted, answer.credits?.takes])
    .toMatchObject([[3, 2], { 0: { kind: 'drawn', charged: [3, 3] }, 1: { kind: 'drawn', charged: [0, 1, 3] } }])
  scene.expect(answer.entries).toMatchObject([{ pool: 0 }, { pool: 0 }, { pool: 2 }])
}

async function overage(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const entries = [...sources(3), addTo('over', 10)]
  const takes = [waterfallOf(2, 2, 4), rememberedWaterfallOf('r', 2, 5)]
  const answer = await owner.apply({ entries, takes })
  scene
    .expect([answer.granted, answer.credits?.takes, answer.entries])
    .toMatchObject([
      [4, 1],
      { 0: { kind: 'drawn', charged: [3, 5] }, 1: { kind: 'remembered', charged: [0, 5] } },
      [{ used: 3, pool: 0 }, { value: 20 }],
    ])
}

async function repeats(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const take = rememberedWaterfallOf('i', 2, 5, { as: 'admission' })
  await one.apply({ entries: [...sources(3), addTo('over', 0)], takes: [take] })
  const entries = [entryOf('a', { known: true, mint: { id: 'm', units: 50 } }), addTo('over', 0)]
  const again = await two.apply({ entries, takes: [take] })
  expect([again.granted, again.credits?.takes, again.entries]).toMatchObject([
    [0],
    { 0: { kind: 'remembered', state: 'final', charged: [3, 2], repeated: true } },
    [{ used: 3, pool: 50 }, { value: 2 }],
  ])
  const onlyFirst = await two.apply({ entries: [entryOf('a')], takes: [rememberedWaterfallOf('i', 1, 5)] })
  expect(onlyFirst.credits?.takes).toEqual({ 0: { kind: 'id_conflict' } })
}

async function reservedOf(owner: TestOwner, entries: readonly Entry[], units: number): Promise<void> {
  await owner.apply({ entries, takes: [rememberedWaterfallOf('r', entries.length, units)] })
}

async function settlements(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  await reservedOf(owner, sources(), 9)
  const less = await owner.apply({ entries: sources(), changes: [settleOf('b', 'r', 4)] })
  expect([less.credits?.changes, less.entries]).toMatchObject([
    [{ kind: 'settled', settled: 4, uncovered: 0 }],
    [
      { used: 3, pool: 0 },
      { used: 1, pool: 3 },
      { used: 0, pool: 5 },
    ],
  ])
  // Named by any of its keys.
  const again = await owner.apply({ changes: [settleOf('c', 'r', 9)] })
  expect(again.credits?.changes).toMatchObject([{ settled: 4, repeated: true }])
  const takes = [{ ...reservationOf('s', [1]), first: true as const, need: [[1, 1] as const, [2, 1] as const] }]
  await owner.apply({ entries: sources(), takes })
  const more = await owner.apply({ entries: sources(), changes: [settleOf('c', 's', 99)] })
  expect([more.credits?.changes, more.entries]).toMatchObject([
    [{ settled: 8, uncovered: 91 }],
    [{ used: 3 }, { used: 4, pool: 0 }, { used: 5, pool: 0 }],
  ])
}

async function coveredByCounter(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const entries = [...sources(3), addTo('over', 0)]
  await reservedOf(owner, entries, 2)
  const answer = await owner.apply({ entries, changes: [settleOf('a', 'r', 50)] })
  scene
    .expect([answer.credits?.changes, answer.entries])
    .toMatchObject([[{ settled: 50, uncovered: 0 }], [{ used: 3, pool: 0 }, { value: 47 }]])
}

async function extensions(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await reservedOf(owner, sources(), 2)
  const answer = await owner.apply({ entries: sources(), changes: [extendOf('c', 'r', 6), extendOf('a', 'r', 13)] })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [{ kind: 'extended', units: 6 }, { kind: 'refused' }],
    [{ reserved: 3 }, { reserved: 3, pool: 1 }, { pool: 5 }],
  ])
}

async function refunds(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const entries = [...sources(3, 4), addTo('over', 0)]
  await owner.apply({ entries, takes: [rememberedWaterfallOf('i', 3, 10, { as: 'admission' })] })
  const answer = await owner.apply({ entries, changes: [refundOf('b', 'i', 5), refundOf('a', 'i', 9)] })
  scene.expect([answer.credits?.changes, answer.entries]).toMatchObject([
    [
      { kind: 'refunded', units: 5, repeated: false },
      { kind: 'refunded', units: 5, repeated: true },
    ],
    [{ used: 3 }, { used: 2, pool: 2 }, { value: 0 }],
  ])
}

async function expiry(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const entries = [...sources(3), addTo('over', 0)]
  await owner.apply({ entries, takes: [rememberedWaterfallOf('r', 2, 5, { ttlMs: scene.ms(TTL_MS) })] })
  await scene.pass(PAST_TTL_MS)
  const answer = await owner.apply({ entries, changes: [settleOf('a', 'r', 1)] })
  scene
    .expect([answer.credits?.changes, answer.entries])
    .toMatchObject([[{ settled: 1, uncovered: 0, repeated: false }], [{ used: 1, pool: 2 }, { value: 0 }]])
}
