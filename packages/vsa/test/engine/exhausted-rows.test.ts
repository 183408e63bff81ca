import { describe, expect, test } from 'vitest'
import { bench, FLUSH_MS, type Owner } from './fixture.ts'

const SEATS = { initial: 3 } as const

function callsOf({ net }: Owner): { exchange: number; read: number } {
  return { exchange: net.calls.exchange, read: net.calls.read }
}

describe('a row that was seen exhausted', () => {
  test('L6 O12: denials over 200 exhausted keys write nothing, and cause one read per flush interval at most', async () => {
    const { clock, owner, books } = bench()
    const one = owner()
    const keys = one.vsa.budgets('seats', SEATS)
    const all = Array.from({ length: 200 }, (_, id) => keys.of(String(id)))
    await Promise.all(all.map((seats) => seats.admit(3)))
    const denied = await Promise.all(all.map((seats) => seats.admit()))
    expect(denied.some(Boolean)).toBe(false)
    const [before, rows] = [callsOf(one), (await books.list({ limit: 1_000 })).rows]
    let answered = 0
    for (let turn = 0; turn < 500; turn += 1) {
      for (const seats of all.slice(turn % 50, (turn % 50) + 40))
        seats.admit().then(
          () => (answered += 1),
          () => undefined,
        )
      await clock.advance(20)
    }
    await clock.advance(FLUSH_MS)
    expect(answered).toBe(20_000)
    const after = callsOf(one)
    expect(after.exchange - before.exchange).toBe(0)
    expect(after.read - before.read).toBeGreaterThan(0)
    expect(after.read - before.read).toBeLessThanOrEqual(10_000 / FLUSH_MS + 1)
    expect((await books.list({ limit: 1_000 })).rows).toEqual(rows)
    expect(one.vsa.stats()).toMatchObject({ reads: after.read, exchanges: after.exchange, waiters: 0 })
  })

  test('O12: the pause between two reads of one row doubles, from one flush interval to a second', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', SEATS)
    await seats.admit(3)
    expect(await seats.admit()).toBe(false)
    const times: number[] = []
    const read = one.net.read.bind(one.net)
    one.net.read = (names) => (times.push(clock.monotonic()), read(names))
    for (let turn = 0; turn < 500; turn += 1) {
      expect(await seats.admit()).toBe(false)
      await clock.advance(10)
    }
    const pauses = times.map((time, at) => time - (times[at - 1] ?? 0))
    expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000])
    expect(clock.timers).toBeGreaterThan(0)
    await clock.advance(3_000)
    expect(clock.timers).toBe(0)
  })

  test('L5: units that another owner mints are felt within a second or so, also where they are asked for without end', async () => {
    const { clock, owner } = bench()
    const [one, other] = [owner(), owner()]
    const seats = one.vsa.budget('seats', SEATS)
    await seats.admit(3)
    for (let turn = 0; turn < 300; turn += 1) {
      expect(await seats.admit()).toBe(false)
      await clock.advance(10)
    }
    await other.vsa.budget('seats', SEATS).mint(5, { id: 'more' })
    const mintedAtMs = clock.monotonic()
    while (!(await seats.admit())) await clock.advance(10)
    expect(clock.monotonic() - mintedAtMs).toBeLessThanOrEqual(1_000)
  })

  test('O12: a mint, and a refund, of this owner end the pause at once', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', SEATS)
    await seats.admit(3)
    const exhaust = async (): Promise<void> => {
      for (let turn = 0; turn < 300; turn += 1) {
        expect(await seats.admit()).toBe(false)
        await clock.advance(10)
      }
    }
    await exhaust()
    const minted = seats.mint(1, { id: 'one' })
    expect(await seats.admit()).toBe(true)
    expect(await minted).toBe(true)
    await exhaust()
    seats.refund(1)
    expect(await seats.admit()).toBe(true)
    expect(await seats.admit()).toBe(false)
  })

  test('O12: the next period begins with an exchange, whatever the pause of the last one', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const calls = one.vsa.budget('calls', { limit: 2, per: 5_000, atRisk: 0 })
    await calls.admit(2)
    for (let turn = 0; turn < 497; turn += 1) {
      expect(await calls.admit()).toBe(false)
      await clock.advance(10)
    }
    await clock.advance(30)
    expect(await calls.admit()).toBe(true)
  })

  test('O12: a cost above everything minted is denied without a call for a second', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', SEATS)
    expect(await seats.decide(4)).toMatchObject({ admitted: false, reason: 'over-limit' })
    const before = callsOf(one)
    for (let turn = 0; turn < 99; turn += 1) {
      await clock.advance(10)
      expect(await seats.decide(4)).toMatchObject({ admitted: false, reason: 'over-limit' })
    }
    expect(callsOf(one)).toEqual(before)
    await clock.advance(10)
    expect(await seats.decide(4)).toMatchObject({ admitted: false, reason: 'over-limit' })
    expect(callsOf(one)).toEqual({ ...before, read: before.read + 1 })
  })

  test('L5 O12: a read that shows a lease of another owner leads to an exchange that marks the row as wanted', async () => {
    const { clock, owner } = bench()
    const [one, giver, holder] = [owner(), owner(), owner({ flushIntervalMs: 60_000 })]
    const policy = { limit: 20, per: 'month', atRisk: 8 } as const
    const [mine, given, theirs] = [one, giver, holder].map(({ vsa }) => vsa.budget('calls', policy))
    expect(await given?.admit(20)).toBe(true)
    expect(await mine?.admit(5)).toBe(false)
    given?.refund(9)
    await giver.vsa.flush()
    // The holder leases all that is left, and keeps it: its flush interval is long.
    expect(await theirs?.admit()).toBe(true)
    expect(holder.vsa.stats().leasedUnits).toBe(8)
    await clock.advance(2_000)
    const before = callsOf(one)
    const asked = mine?.admit(5, { deadlineMs: 20_000 })
    await clock.advance(5_000)
    expect(await asked).toBe(true)
    expect(callsOf(one).read - before.read).toBe(1)
    const wants = one.batches
      .flatMap(({ entries }) => entries)
      .filter((entry) => entry.kind === 'budget' && entry.wantMs > 0)
    expect(wants.length).toBeGreaterThan(0)
  })

  test('L6: a row that was forgotten is read before it is asked again', async () => {
    const { clock, owner } = bench()
    const one = owner({ budgetsMax: 100 })
    const seats = one.vsa.budget('seats', SEATS)
    await seats.admit(3)
    expect(await seats.admit()).toBe(false)
    const before = callsOf(one)
    for (let turn = 0; turn < 5; turn += 1) {
      await clock.advance(60_000)
      expect(clock.timers).toBe(0)
      expect(await seats.decide()).toMatchObject({ admitted: false, reason: 'exhausted', remaining: 0 })
    }
    expect(callsOf(one)).toEqual({ exchange: before.exchange, read: before.read + 5 })
  })

  test('L6: `tryAdmit` on an exhausted row causes no exchange, and is true again after a refund of another owner', async () => {
    const { clock, owner } = bench()
    const [one, other] = [owner(), owner()]
    const policy = { limit: 20, per: 'month', atRisk: 8 } as const
    const calls = one.vsa.budget('calls', policy)
    await other.vsa.budget('calls', policy).admit(20)
    expect(calls.tryAdmit()).toBe(false)
    await clock.advance(FLUSH_MS)
    const before = callsOf(one)
    for (let turn = 0; turn < 300; turn += 1) {
      expect(calls.tryAdmit()).toBe(false)
      await clock.advance(10)
    }
    expect(callsOf(one).exchange).toBe(before.exchange)
    expect(callsOf(one).read - before.read).toBeLessThanOrEqual(7)
    other.vsa.budget('calls', policy).refund(20)
    const refundedAtMs = clock.monotonic()
    while (!calls.tryAdmit()) await clock.advance(10)
    expect(clock.monotonic() - refundedAtMs).toBeLessThanOrEqual(1_300)
  })

  test('O12: requests for several budgets are denied by the one that lacks units, after one read of it', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const [seats, free] = [one.vsa.budget('seats', SEATS), one.vsa.budget('free', { initial: 10 })]
    await seats.admit(3)
    expect(await seats.admit()).toBe(false)
    await clock.advance(FLUSH_MS)
    const sizes: number[] = []
    const read = one.net.read.bind(one.net)
    one.net.read = (names) => (sizes.push(names.length), read(names))
    const before = callsOf(one)
    const decided = await Promise.all(
      Array.from({ length: 50 }, () =>
        one.vsa.decideAll([
          [free, 1],
          [seats, 1],
        ]),
      ),
    )
    for (const decision of decided)
      expect(decision).toMatchObject({ admitted: false, key: 'seats', reason: 'exhausted' })
    expect(callsOf(one)).toEqual({ ...before, read: before.read + 1 })
    expect(sizes).toEqual([1])
  })

  test('O12: where the read fails, the exchange finds out', async () => {
    const { clock, owner } = bench()
    const one = owner({ exchangeTimeoutMs: 200 })
    const seats = one.vsa.budget('seats', SEATS)
    await seats.admit(3)
    expect(await seats.admit()).toBe(false)
    for (const fault of [{ kind: 'refused' }, { kind: 'lost_request' }] as const) {
      await clock.advance(2_000)
      one.net.inject('read', fault)
      const before = callsOf(one)
      const asked = seats.admit()
      await clock.advance(FLUSH_MS + 200)
      expect(await asked).toBe(false)
      expect(callsOf(one)).toEqual({ exchange: before.exchange + 1, read: before.read + 1 })
    }
    // An answer that is no list of rows is a failure, too.
    await clock.advance(2_000)
    one.net.read = () => Promise.resolve([{ key: 'seats', period: 0, pool: Number.NaN }] as never)
    const before = callsOf(one)
    expect(await seats.admit()).toBe(false)
    expect(callsOf(one).exchange).toBe(before.exchange + 1)
  })

  test('O12: where the first of several reads fails, the rows of the others are read the next time', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const keys = one.vsa.budgets('seats', SEATS)
    const all = Array.from({ length: 1_001 }, (_, id) => keys.of(String(id)))
    const last = all.at(-1)
    await Promise.all(all.map((seats) => seats.admit(3)))
    await Promise.all(all.map((seats) => seats.admit()))
    await clock.advance(2_000)
    one.net.inject('read', { kind: 'refused' })
    const asked = all.map((seats) => seats.admit())
    await clock.advance(FLUSH_MS)
    expect((await Promise.all(asked)).some(Boolean)).toBe(false)
    await clock.advance(2_000)
    const before = callsOf(one)
    const again = last?.admit()
    await clock.advance(FLUSH_MS)
    expect(await again).toBe(false)
    expect(callsOf(one)).toEqual({ ...before, read: before.read + 1 })
  })

  test('L6 O12: a row that is asked for while a read is under way waits for the read of the next interval', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const [first, second] = [one.vsa.budget('first', SEATS), one.vsa.budget('second', SEATS)]
    for (const seats of [first, second]) await seats.admit(3)
    for (const seats of [first, second]) expect(await seats.admit()).toBe(false)
    await clock.advance(1_150)
    const times: number[] = []
    const read = one.net.read.bind(one.net)
    one.net.read = (names) => (times.push(clock.monotonic()), read(names))
    one.net.inject('read', { kind: 'delay', requestMs: 20, answerMs: 20 })
    const asked = [first.admit()]
    await clock.advance(10)
    asked.push(second.admit())
    await clock.advance(2 * FLUSH_MS)
    expect(await Promise.all(asked)).toEqual([false, false])
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, FLUSH_MS])
  })

  test('O10: a request that waits for a read keeps its deadline, can be aborted, and is answered by a close', async () => {
    const { clock, owner } = bench()
    const one = owner({ exchangeTimeoutMs: 5_000 })
    const seats = one.vsa.budget('seats', SEATS)
    await seats.admit(3)
    expect(await seats.admit()).toBe(false)
    await clock.advance(2_000)
    one.net.inject('read', { kind: 'lost_request' })
    const abort = new AbortController()
    const [late, aborted] = [
      seats.admit(1, { deadlineMs: 300 }).catch((error: unknown) => error),
      seats.admit(1, { signal: abort.signal }).catch((error: unknown) => error),
    ]
    const waiting = seats.admit()
    await clock.advance(100)
    abort.abort(new Error('gone'))
    await clock.advance(250)
    expect(await aborted).toMatchObject({ message: 'gone' })
    expect(await late).toMatchObject({ code: 'timeout', applied: 'no' })
    expect(one.vsa.stats().waiters).toBe(1)
    await one.vsa.close()
    expect(await waiting).toBe(false)
    expect(clock.timers).toBeLessThanOrEqual(1)
  })

  test('O12: rows that were denied and forgotten are read along with the first that is asked for, so that the others do not wait', async () => {
    const { clock, owner } = bench()
    const [one, other] = [owner(), owner()]
    const keys = one.vsa.budgets('seats', SEATS)
    const all = Array.from({ length: 300 }, (_, id) => keys.of(String(id)))
    await Promise.all(all.map((seats) => seats.admit(3)))
    await Promise.all(all.map((seats) => seats.admit()))
    for (let round = 0; round < 4; round += 1) {
      await clock.advance(60_000)
      expect(clock.timers).toBe(0)
      const before = callsOf(one)
      for (const seats of all) expect(await seats.admit()).toBe(false)
      expect(callsOf(one)).toEqual({ ...before, read: before.read + 1 })
    }
    // What is asked for no more is not read again.
    await clock.advance(60_000)
    expect(await all[0]?.admit()).toBe(false)
    other.vsa.budgets('seats', SEATS).of('5').refund(1)
    await clock.advance(60_000)
    const sizes: number[] = []
    const read = one.net.read.bind(one.net)
    one.net.read = (names) => (sizes.push(names.length), read(names))
    expect(await all[0]?.admit()).toBe(false)
    expect(sizes).toEqual([1])
    await clock.advance(60_000)
    expect(await all[5]?.admit()).toBe(true)
    expect(await all[5]?.admit()).toBe(false)
  })

  test('O10 O12: a request whose deadline is shorter than the flush interval is answered by a read of its own', async () => {
    const { clock, owner } = bench()
    const one = owner({ flushIntervalMs: 1_000 })
    const [first, second] = [one.vsa.budget('first', SEATS), one.vsa.budget('second', SEATS)]
    await Promise.all([first.admit(3), second.admit(3)])
    await Promise.all([first.admit(), second.admit()])
    await clock.advance(60_000)
    // Reads the second one along, which is asked for no more.
    expect(await first.admit()).toBe(false)
    await clock.advance(60_000)
    const before = callsOf(one)
    expect(await first.admit()).toBe(false)
    expect(await second.admit(1, { deadlineMs: 20 })).toBe(false)
    expect(callsOf(one)).toEqual({ ...before, read: before.read + 2 })
    await clock.advance(60_000)
    expect(await first.admit()).toBe(false)
    await clock.advance(60_000)
    expect(await first.admit()).toBe(false)
    const asked = [second.admit(1, { deadlineMs: 500 }), second.admit()]
    await clock.advance(470)
    expect(callsOf(one).read).toBe(before.read + 4)
    await clock.advance(20)
    expect(await Promise.all(asked)).toEqual([false, false])
    expect(callsOf(one)).toEqual({ ...before, read: before.read + 5 })
  })

  test('O12: more exhausted rows than a batch carries are read by several reads in a row', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const keys = one.vsa.budgets('seats', SEATS)
    const all = Array.from({ length: 2_500 }, (_, id) => keys.of(String(id)))
    await Promise.all(all.map((seats) => seats.admit(3)))
    await Promise.all(all.map((seats) => seats.admit()))
    await clock.advance(2_000)
    const sizes: number[] = []
    const read = one.net.read.bind(one.net)
    one.net.read = (names) => (sizes.push(names.length), read(names))
    const before = callsOf(one)
    const denied = await Promise.all(all.map((seats) => seats.admit()))
    expect(denied.some(Boolean)).toBe(false)
    expect(sizes).toEqual([1_000, 1_000, 500])
    expect(callsOf(one).exchange).toBe(before.exchange)
  })
})
