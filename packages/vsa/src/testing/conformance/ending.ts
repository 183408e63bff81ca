import { entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { Test } from './scene.ts'
import { applied } from './test-owner.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** A store may do its housekeeping at a pace of its own; after so long it is due. */
const HOUSEKEEPING_MS = 1_000

/** S8, S9, S10: how epochs and rows end. */
export function testEnding(test: Test): void {
  test(
    'S8, L1, scenario 4: a silent owner is fenced and its lease burned once, never returned',
    async (scene) => {
      const { expect } = scene
      const [silent, living] = [await scene.owner(), await scene.owner(scene.other)]
      await silent.row(entryOf('a', { policy: initialOf(10), hold: 4 }))
      await living.row(entryOf('a', { hold: 1 }))
      await scene.pass(250)
      await living.apply({})
      await scene.pass(250)
      const answer = await living.row(entryOf('a', { known: true, hold: 1 }))
      expect(answer).toMatchObject({ minted: 10, burned: 4, held: 1, pool: 5, others: 0, othersHeld: 0 })
      const late = await silent.send(silent.next({ entries: [entryOf('a', { known: true, spent: 4, hold: 4 })] }))
      expect(late).toMatchObject({ kind: 'fenced', last: { seq: 1 } })
      expect(await living.row(entryOf('a', { known: true, hold: 1 }))).toMatchObject({ burned: 4, used: 0, pool: 5 })
    },
    { passesMs: 500, leaseTtlMs: 400 },
  )

  test(
    'S8, scenario 21: an owner that is late, but comes before anybody reaps it, lives on',
    async (scene) => {
      const owner = await scene.owner()
      await owner.row(entryOf('a', { policy: initialOf(10), hold: 4 }))
      await scene.pass(500)
      const answer = applied(
        await owner.send(owner.next({ entries: [entryOf('a', { known: true, spent: 3, hold: 4 })] })),
        'applied',
      )
      scene.expect(answer.entries).toMatchObject([{ used: 3, held: 4, burned: 0 }])
    },
    { passesMs: 500, leaseTtlMs: 400 },
  )

  test(
    'S2, S8: every exchange renews the epoch, a replay as well',
    async (scene) => {
      const [owner, watcher] = [await scene.owner(), await scene.owner(scene.other)]
      const batch = owner.next({ entries: [entryOf('a', { policy: initialOf(10), hold: 4 })] })
      await owner.send(batch)
      for (let third = 0; third < 4; third++) {
        await scene.pass(200)
        await watcher.apply({})
        scene.expect((await owner.send(batch)).kind).toEqual('replayed')
      }
      scene.expect(await watcher.row(entryOf('a'))).toMatchObject({ burned: 0, othersHeld: 4 })
    },
    { passesMs: 800, leaseTtlMs: 500 },
  )

  test(
    'S8: a join reaps as well, and the newcomer gets what the dead left in the pool, not its lease',
    async (scene) => {
      const dead = await scene.owner()
      await dead.row(entryOf('a', { policy: initialOf(10), hold: 4 }))
      await scene.pass(500)
      const young = await scene.owner(scene.other)
      scene
        .expect(await young.row(entryOf('a', { hold: 10 })))
        .toMatchObject({ burned: 4, held: 6, pool: 0, othersHeld: 0 })
    },
    { passesMs: 500, leaseTtlMs: 400 },
  )

  test(
    'S1, scenario 5: store time never goes back, and a clock that does reaps nobody early',
    async (scene) => {
      const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
      const before = await one.apply({ entries: [entryOf('a', { policy: initialOf(10), hold: 4 })] })
      scene.jump(-3_600_000)
      const after = await two.apply({})
      scene.expect(after.time >= before.time).toEqual(true)
      scene.jump(3_600_000 + 5_000)
      scene.expect((await one.apply({})).time).toEqual(before.time + 5_000)
    },
    { passesMs: Infinity },
  )

  test(
    'S1, L5: store time that is ahead of a clock which was set back goes on, slower than the clock, and follows it once it has caught up',
    async (scene) => {
      const { expect } = scene
      const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
      scene.jump(HOUR_MS)
      const ahead = await one.apply({})
      scene.jump(-HOUR_MS)
      // From here on each handle knows how its clock goes.
      for (const owner of [one, two]) await owner.apply({})
      const times = [ahead.time]
      for (let second = 0; second < 10; second += 1) {
        await scene.pass(1_000)
        times.push((await one.apply({})).time, (await two.apply({})).time)
      }
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      const goneOnMs = (times.at(-1) ?? 0) - ahead.time
      expect([goneOnMs >= 1_000, goneOnMs < 10_000]).toEqual([true, true])
      await scene.pass(2 * HOUR_MS)
      expect((await two.apply({})).time).toEqual(ahead.time + HOUR_MS + 10_000)
    },
    { passesMs: Infinity, leaseTtlMs: 4 * HOUR_MS },
  )

  test(
    'S1, S10, L1: a row that was removed is not made again, even when the clock was ahead for a moment only',
    async (scene) => {
      const owner = await scene.owner()
      const period = owner.time
      const policy = windowOf(5, period + 1_000, { keepUntil: period + 1_000 })
      const batch = { entries: [entryOf('a', { period, policy })], takes: [takeOf(0, 1, 9)] }
      scene.expect((await owner.apply(batch)).granted).toEqual([5])
      scene.jump(DAY_MS)
      scene.expect((await scene.other.exchange({ ...owner.again({}), seq: 9 })).kind).toEqual('lost')
      scene.jump(-DAY_MS)
      scene.expect((await owner.apply(batch)).granted).toEqual([0])
    },
    { passesMs: Infinity },
  )

  test('S9: close settles, returns and ends the epoch in one batch; repeated, it is fenced with its own seq', async (scene) => {
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
  })

  test(
    'S9, scenario 31: a close that comes after its epoch was reaped is fenced with what came before',
    async (scene) => {
      const [owner, other] = [await scene.owner(), await scene.owner(scene.other)]
      await owner.row(entryOf('a', { policy: initialOf(10), hold: 6 }))
      await scene.pass(500)
      await other.apply({})
      const close = owner.next({ entries: [entryOf('a', { known: true, spent: 5 })], close: true })
      scene.expect(await owner.send(close)).toMatchObject({ kind: 'fenced', last: { seq: 1 } })
      scene.expect(await other.row(entryOf('a'))).toMatchObject({ used: 0, burned: 6, pool: 4 })
    },
    { passesMs: 500, leaseTtlMs: 400 },
  )

  test(
    'S10, L1, scenario 27: a past row goes when it is unleased and old enough, and is never made afresh',
    async (scene) => {
      const { expect } = scene
      const owner = await scene.owner()
      const period = owner.time
      const policy = windowOf(5, period + 1_000, { keepUntil: period + DAY_MS })
      const spend = (): ReturnType<typeof owner.apply> =>
        owner.apply({ entries: [entryOf('a', { period, policy })], takes: [takeOf(0, 1, 9)] })
      expect((await spend()).granted).toEqual([5])
      await owner.apply({ entries: [entryOf('leased', { period, policy, hold: 2 })] })
      await scene.pass(DAY_MS)
      await owner.apply({})
      expect((await scene.rows()).map(({ budget }) => budget.key)).toEqual(['a', 'leased'])
      await scene.pass(HOUSEKEEPING_MS)
      await owner.apply({})
      expect((await scene.rows()).map(({ budget }) => budget.key)).toEqual(['leased'])
      expect(await spend()).toMatchObject({ granted: [0], entries: [{ kind: 'period_closed' }] })
      expect((await owner.apply({ entries: [entryOf('a', { period, policy, known: true })] })).entries).toEqual([
        { kind: 'row_lost' },
      ])
      await owner.apply({ entries: [entryOf('leased', { period, known: true, spent: 1 })] })
      await scene.pass(HOUSEKEEPING_MS)
      await owner.apply({})
      expect(await scene.rows()).toEqual([])
    },
    { passesMs: 2 * DAY_MS },
  )

  test(
    'S2, S10: a batch that settled a row counts, also where the row has gone before the batch is repeated',
    async (scene) => {
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
    },
    { passesMs: 150_000, leaseTtlMs: 3_600_000 },
  )

  test(
    'S10, L1: however short its retention, a row outlives the time in which it could be made again',
    async (scene) => {
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
    },
    { passesMs: 90_000 },
  )

  test(
    'S10: a mint is remembered for ever, and an epoch for a week after its end',
    async (scene) => {
      const { expect } = scene
      const owner = await scene.owner()
      await owner.row(entryOf('a', { policy: initialOf(1), mint: { units: 2, id: 'm' } }))
      await owner.apply({ close: true })
      await scene.pass(6 * DAY_MS)
      const later = await scene.owner(scene.other)
      expect(await owner.send(owner.again({}))).toMatchObject({ kind: 'fenced', last: { seq: 2 } })
      expect(await later.row(entryOf('a', { known: true, mint: { units: 2, id: 'm' } }))).toMatchObject({
        mint: 'repeated',
      })
      await scene.pass(30 * DAY_MS)
      const last = await scene.owner()
      expect(await owner.send(owner.again({}))).toMatchObject({ kind: 'fenced', last: null })
      expect(await last.row(entryOf('a', { known: true, mint: { units: 2, id: 'm' } }))).toMatchObject({
        mint: 'repeated',
      })
    },
    { passesMs: 36 * DAY_MS },
  )

  test(
    'S2, S8: an epoch that is reaped long after its last word is remembered for a week from then',
    async (scene) => {
      const owner = await scene.owner()
      const last = owner.next({ entries: [entryOf('a', { policy: initialOf(5) })], takes: [takeOf(0, 2, 9)] })
      await owner.send(last)
      await scene.pass(8 * DAY_MS)
      await scene.owner(scene.other)
      scene
        .expect(await owner.send(last))
        .toMatchObject({ kind: 'fenced', last: { seq: 1, outcome: { granted: [2] } } })
    },
    { passesMs: 8 * DAY_MS },
  )
}
