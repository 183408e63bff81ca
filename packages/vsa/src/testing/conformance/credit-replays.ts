import {
  addTo,
  admissionOf,
  entryOf,
  extendOf,
  initialOf,
  refundOf,
  rememberedWaterfallOf,
  reservationOf,
  settleOf,
  takeOf,
  waterfallOf,
  windowOf,
} from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'
import { applied } from './test-owner.ts'
import type { Batch } from '../../core/exchange.ts'

/** Batches with reservations that are sent again, and the rules of rows that came with them. */
export const creditReplayTests: readonly ConformanceTest[] = [
  { title: 'S2, R1: a repeated batch tells what became of its takes and changes, and moves nothing', run: replays },
  { title: 'S2, R1: a batch whose answer was lost is repeated by another owner through its ids', run: lostAnswer },
  { title: 'S2, S9: the fenced answer tells what became of the takes and changes of the last batch', run: fenced },
  {
    title:
      'P2: the next row of a budget takes limit and version of the latest earlier row, where that version is higher',
    run: nextPeriod,
  },
  {
    title: 'P5: a reset gives back what is used and burned, and leaves leases and reservations',
    run: reset,
    passesMs: 500,
    leaseTtlMs: 400,
  },
  { title: 'P5, S2: a replayed reset is not done again', run: replayedReset },
]

async function everything(scene: Scene): Promise<Batch> {
  const owner = await scene.owner()
  const entries = [entryOf('a', { policy: initialOf(30) }), entryOf('b', { policy: initialOf(4) }), addTo('over', 0)]
  const takes = [reservationOf('settled', [3]), reservationOf('extended', [3]), admissionOf('refunded', [3])]
  await owner.apply({ entries, takes })
  const batch = owner.next({
    entries,
    changes: [
      settleOf('a', 'settled', 2),
      extendOf('a', 'extended', 5),
      refundOf('a', 'refunded', 1),
      settleOf('a', 'none', 1),
    ],
    takes: [
      reservationOf('r', [2, 3]),
      admissionOf('i', [4]),
      rememberedWaterfallOf('w', 3, 5),
      waterfallOf(3, 8, 2),
      reservationOf('settled', [1]),
      takeOf(0, 99),
    ],
  })
  const answer = applied(await owner.send(batch), 'applied')
  scene.expect(answer.credits?.changes.map(({ kind }) => kind)).toEqual(['settled', 'extended', 'refunded', 'unknown'])
  scene.expect(answer.granted).toEqual([1, 1, 1, 2, 0, 0])
  scene.expect(answer.credits?.takes).toMatchObject({
    0: { kind: 'remembered' },
    1: { kind: 'remembered' },
    2: { kind: 'remembered', charged: [5, 0, 0] },
    3: { kind: 'drawn' },
    4: { kind: 'id_conflict' },
  })
  const rows = await scene.rows()
  for (const handle of [scene.store, scene.other]) {
    const again = applied(await handle.exchange(batch), 'replayed')
    scene.expect({ ...again, kind: 'applied', time: answer.time, expiresAt: answer.expiresAt }).toEqual(answer)
  }
  scene.expect(await scene.rows()).toEqual(rows)
  return batch
}

async function replays(scene: Scene): Promise<void> {
  await everything(scene)
}

async function lostAnswer(scene: Scene): Promise<void> {
  const { expect } = scene
  const { entries, takes } = await everything(scene)
  const rows = await scene.rows()
  const remembered = takes.slice(0, 3)
  const answer = await (await scene.owner(scene.other)).apply({ entries, takes: remembered })
  expect([answer.granted, answer.credits?.takes]).toMatchObject([
    [0, 0, 0],
    { 0: { charged: [2, 3], repeated: true }, 1: { charged: [4], repeated: true }, 2: { repeated: true } },
  ])
  expect(await scene.rows()).toEqual(rows)
}

async function fenced(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const batch = owner.next({
    entries: [entryOf('a', { policy: initialOf(9) })],
    changes: [settleOf('a', 'none', 1)],
    takes: [takeOf(0, 1), reservationOf('r', [4])],
    close: true,
  })
  const answer = applied(await owner.send(batch), 'applied')
  scene.expect(answer.credits).toMatchObject({ takes: { 1: { charged: [4] } }, changes: [{ kind: 'unknown' }] })
  for (const handle of [scene.store, scene.other])
    scene.expect(await handle.exchange(batch)).toMatchObject({
      kind: 'fenced',
      last: { seq: 1, outcome: { granted: [1, 1], credits: answer.credits } },
    })
}

async function nextPeriod(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  const now = owner.time
  const rowAt = async (start: number, limit: number, version: number): Promise<unknown> => {
    const policy = windowOf(limit, start + 40_000, { version, burnMax: limit })
    const [row] = (await owner.apply({ entries: [entryOf('a', { period: start, policy })] })).entries
    return row
  }
  const { expect } = scene
  expect(await rowAt(now - 20_000, 20, 5)).toMatchObject({ minted: 20, limit: 20, version: 5 })
  // Of an earlier period than all others: nothing to take over.
  expect(await rowAt(now - 30_000, 90, 3)).toMatchObject({ minted: 90, limit: 90, version: 3 })
  expect(await rowAt(now - 10_000, 7, 4)).toMatchObject({ minted: 20, pool: 20, limit: 20, version: 5 })
  expect(await rowAt(now - 5_000, 8, 6)).toMatchObject({ minted: 8, limit: 8, version: 6 })
  expect(await rowAt(now, 9, 5)).toMatchObject({ minted: 8, limit: 8, version: 6 })
  const other = await owner.apply({ entries: [entryOf('b', { period: now, policy: windowOf(3, now + 9_000) })] })
  expect(other.entries).toMatchObject([{ minted: 3, version: 1 }])
  const burnMax = (await scene.rows()).map(({ budget }) => budget.burnMax)
  expect(burnMax.slice(0, 5)).toEqual([90, 20, 20, 8, 8])
}

async function reset(scene: Scene): Promise<void> {
  const { expect } = scene
  const dead = await scene.owner()
  await dead.row(entryOf('a', { policy: initialOf(20), hold: 5 }))
  await scene.pass(500)
  const next = await scene.owner(scene.other)
  const before = await next.apply({
    entries: [entryOf('a', { known: true, hold: 4 })],
    takes: [takeOf(0, 3), reservationOf('r', [2])],
  })
  expect(before.entries).toMatchObject([{ used: 3, burned: 5, reserved: 2, held: 4, pool: 6 }])
  const entry = entryOf('a', { known: true, spent: 1, hold: 3, reset: true })
  const answer = await next.apply({ entries: [entry], takes: [takeOf(0, 2)] })
  expect(answer.entries).toMatchObject([{ minted: 20, used: 2, burned: 0, reserved: 2, held: 3, pool: 13 }])
  expect(await scene.rows()).toMatchObject([{ budget: { used: 2, burned: 0, resets: 1 } }])
}

async function replayedReset(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.apply({ entries: [entryOf('a', { policy: initialOf(9) })], takes: [takeOf(0, 4)] })
  const batch = owner.next({ entries: [entryOf('a', { known: true, reset: true })] })
  const answer = applied(await owner.send(batch), 'applied')
  scene.expect([answer.entries, answer.written]).toMatchObject([[{ used: 0, pool: 9 }], { records: 1 }])
  const other = await scene.owner(scene.other)
  await other.apply({ entries: [entryOf('a', { known: true })], takes: [takeOf(0, 3)] })
  const again = applied(await scene.other.exchange(batch), 'replayed')
  scene.expect(again.entries).toMatchObject([{ used: 3, pool: 6 }])
}
