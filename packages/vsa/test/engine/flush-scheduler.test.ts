import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { bench, codeOf, FLUSH_MS, periodOf, type Bench, type Owner } from './fixture.ts'

const LEASED = { limit: 10_000, per: 'month', atRisk: 500 } as const

/** When each exchange was sent, by the monotonic clock. */
function timesOf({ net }: Owner, clock: Bench['clock']): number[] {
  const times: number[] = []
  const exchange = net.exchange.bind(net)
  net.exchange = (batch) => {
    times.push(clock.monotonic())
    return exchange(batch)
  }
  return times
}

describe('when an exchange leaves', () => {
  test('O6: an owner that holds a lease exchanges each third of the lease lifetime, and an owner without a lease does not', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 900 })
    const idle = owner({ flushIntervalMs: 60_000 })
    const times = timesOf(idle, clock)
    const budget = idle.vsa.budget('calls', LEASED)
    await budget.admit()
    await clock.advance(1_000)
    expect(times).toEqual([0, 300, 600, 900])
    expect(idle.batches.slice(1)).toMatchObject(Array.from({ length: 3 }, () => ({ entries: [], takes: [] })))
    await idle.vsa.flush({ returnLeases: true })
    const calls = times.length
    await clock.advance(300_000)
    expect(times).toHaveLength(calls)
    expect(clock.timers).toBe(0)
  })

  test('O6 O2: while an exchange is in flight no keepalive is sent', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 900 })
    const slow = owner({ flushIntervalMs: 60_000, exchangeTimeoutMs: 5_000 })
    const times = timesOf(slow, clock)
    await slow.vsa.budget('calls', LEASED).admit()
    slow.net.inject('exchange', { kind: 'delay', requestMs: 400, answerMs: 400 })
    await clock.advance(1_500)
    expect(times).toEqual([0, 300, 1_400])
  })

  test('L7 O6: what was spent goes with the next flush; an unused lease goes back after three flushes; then there is no timer', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const times = timesOf(one, clock)
    const budget = one.vsa.budget('calls', LEASED)
    await budget.admit()
    await clock.advance(10)
    expect(budget.tryAdmit()).toBe(true)
    await clock.advance(85)
    expect(times).toEqual([0])
    await clock.advance(5)
    expect(times).toEqual([0, 100])
    await clock.advance(30)
    expect(budget.tryAdmit()).toBe(true)
    await clock.advance(2_000)
    expect(times).toEqual([0, 100, 200, 500])
    expect(one.vsa.stats().leasedUnits).toBe(0)
    expect(clock.timers).toBe(0)
  })

  test('O8: a `tryAdmit` that finds too little asks for a larger lease at once, and once', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const budget = one.vsa.budget('calls', LEASED)
    await budget.admit()
    await clock.advance(1)
    const before = one.batches.length
    for (let call = 0; call < 60; call += 1) budget.tryAdmit(8)
    await clock.settle()
    expect(one.batches.length - before).toBeLessThanOrEqual(2)
    expect(one.batches.length - before).toBeGreaterThanOrEqual(1)
    expect(budget.tryAdmit(32)).toBe(true)
  })

  test('O8: a lease that runs low is topped up before the flush', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const times = timesOf(one, clock)
    const budget = one.vsa.budget('calls', LEASED)
    await budget.admit()
    await clock.advance(10)
    const lease = one.vsa.stats().leasedUnits
    let spent = 0
    for (; times.length === 1 && spent < lease; spent += 1) {
      expect(budget.tryAdmit()).toBe(true)
      await clock.settle()
    }
    expect(times).toEqual([0, 10])
    expect(lease - spent).toBeGreaterThan(0)
    expect(lease - spent).toBeLessThanOrEqual(lease / 4)
  })

  test('O8: a budget that can have no lease asks for none', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const nothing = one.vsa.budget('nothing', { limit: 0, per: 'month' })
    await one.vsa.ready()
    expect(nothing.tryAdmit()).toBe(false)
    await clock.advance(FLUSH_MS)
    expect(one.batches).toEqual([])
  })

  test('O8 L7: a lease that runs low while an exchange is in flight waits for the answer, which may bring enough', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const times = timesOf(one, clock)
    const budget = one.vsa.budget('calls', LEASED)
    await budget.admit(100)
    await clock.advance(FLUSH_MS - 1)
    const lease = one.vsa.stats().leasedUnits
    expect(budget.tryAdmit(lease / 2)).toBe(true)
    one.net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 20 })
    await clock.advance(2)
    expect(times).toEqual([0, 100])
    expect(budget.tryAdmit(lease / 2 - 1)).toBe(true)
    await clock.advance(60)
    expect(times).toEqual([0, 100])
    expect(budget.tryAdmit()).toBe(true)
  })

  test('all requests of one turn of the event loop go in one exchange', async () => {
    const { clock, owner } = bench()
    let turns = 0
    const counted: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      timer: (delayMs, fire, keepAlive) => clock.timer(delayMs, fire, keepAlive),
      soon: (run) => {
        turns += 1
        clock.soon(run)
      },
    }
    const one = owner({ clock: counted })
    const seats = one.vsa.budget('seats', { initial: 1_000 })
    await one.vsa.ready()
    await clock.settle()
    turns = 0
    const asked = Promise.all(Array.from({ length: 1_000 }, () => seats.admit()))
    expect(turns).toBe(1)
    await asked
    expect(one.batches).toHaveLength(1)
  })

  test('L5: the next period’s lease is fetched three flush intervals ahead, at once and not with a flush', async () => {
    const { clock, owner } = bench()
    const one = owner({ flushIntervalMs: 700 })
    const times = timesOf(one, clock)
    const budget = one.vsa.budget('calls', { limit: 1_000, per: 'minute', atRisk: 100 })
    await budget.admit()
    await clock.advance(57_800)
    // The first request after a pause is served by itself, the second one brings a lease (O7).
    for (const units of [1, 1]) expect(await budget.admit(units)).toBe(true)
    expect(budget.tryAdmit()).toBe(true)
    const before = times.length
    await clock.advance(99)
    expect(times.slice(before)).toEqual([])
    await clock.advance(1)
    expect(times.slice(before)).toEqual([57_900])
  })

  test('a flush that is asked for does not wait for the interval, and one of nothing sends nothing', async () => {
    const { clock, owner } = bench()
    const one = owner({ flushIntervalMs: 60_000 })
    const times = timesOf(one, clock)
    const budget = one.vsa.budget('calls', LEASED)
    await budget.admit()
    expect(budget.tryAdmit()).toBe(true)
    await clock.advance(7)
    await one.vsa.flush()
    await one.vsa.flush()
    expect(times).toEqual([0, 7])
  })
})

describe('before the store has been joined', () => {
  test('O4: refunds add up, and a `tryAdmit` loads its budget once there is an epoch', async () => {
    const { clock, owner, row } = bench()
    const first = owner()
    await first.vsa.budget('seats', { initial: 10 }).admit(8)
    await first.vsa.budget('calls', LEASED).admit(9)
    await first.vsa.close()
    const late = owner({}, 'refuse')
    const calls = late.vsa.budget('calls', LEASED)
    calls.refund(2)
    calls.refund(3)
    const other = late.vsa.budget('other', LEASED)
    expect(other.tryAdmit()).toBe(false)
    await clock.settle()
    // Refunds are kept also while the store is known to be away: the caller does not repeat them.
    calls.refund(1)
    late.net.heal()
    await clock.advance(FLUSH_MS + 50)
    expect((await row('calls')).used).toBe(3)
    expect(other.tryAdmit()).toBe(true)
  })

  test('O13: a close waits for the join where a refund came before it', async () => {
    const { clock, owner, row } = bench()
    await owner().vsa.budget('calls', LEASED).admit(9)
    const late = owner()
    late.vsa.budget('calls', LEASED).refund(2)
    const closing = late.vsa.close()
    await clock.advance(FLUSH_MS)
    await closing
    expect((await row('calls')).used).toBe(7)
  })

  test('while the store is away no list of attempted budgets is kept: it would have no bound', async () => {
    const { clock, owner } = bench()
    const late = owner({}, 'refuse')
    await clock.settle()
    const calls = late.vsa.budgets('calls', LEASED)
    for (let id = 0; id < 50; id += 1) expect(calls.of(String(id)).tryAdmit()).toBe(false)
    late.net.heal()
    await clock.advance(FLUSH_MS)
    expect(late.vsa.stats().epoch).not.toBeNull()
    expect(late.batches).toEqual([])
  })

  test('O8: while the store is away a budget with a lease is not listed either, and is asked for once the store is back', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const budget = one.vsa.budget('calls', LEASED)
    await budget.admit()
    one.net.cut('refuse')
    while (budget.tryAdmit());
    await clock.advance(FLUSH_MS + 1)
    for (let call = 0; call < 50; call += 1) expect(budget.tryAdmit()).toBe(false)
    one.net.heal()
    await clock.advance(3_000)
    expect(await budget.admit()).toBe(true)
  })
})

describe('closing', () => {
  test('O13: after close no timer is left, and nothing more is sent', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const minutely = one.vsa.budget('minutely', { limit: 100, per: 'minute', atRisk: 50 })
    await minutely.admit()
    expect(minutely.tryAdmit()).toBe(true)
    await one.vsa.close()
    expect(clock.timers).toBe(0)
    const sent = one.batches.length
    expect(one.batches.at(-1)?.close).toBe(true)
    await clock.advance(120_000)
    expect(one.batches).toHaveLength(sent)
  })

  test('O13: after a close that gave up no timer is left, and nothing more is sent', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const minutely = one.vsa.budget('minutely', { limit: 100, per: 'minute', atRisk: 50 })
    await minutely.admit()
    expect(minutely.tryAdmit()).toBe(true)
    one.net.cut('hang')
    const closing = one.vsa.close({ deadlineMs: 300 }).catch(codeOf)
    await clock.advance(301)
    expect(await closing).toBe('close_ambiguous')
    one.net.heal()
    const sent = one.batches.length
    await clock.advance(120_000)
    expect(one.batches).toHaveLength(sent)
    expect(clock.timers).toBe(0)
  })

  test('O13: a refund after the last batch is refused: it would be lost', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit(4)
    one.net.inject('exchange', { kind: 'delay', requestMs: 20, answerMs: 20 })
    const closing = one.vsa.close()
    await clock.settle()
    expect(one.batches.at(-1)?.close).toBe(true)
    expect(() => seats.refund(1)).toThrow('closed')
    await clock.advance(FLUSH_MS)
    await closing
    expect(await row('seats')).toMatchObject({ used: 4 })
  })

  test('O13: a close with nothing to settle is one exchange, at once', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const times = timesOf(one, clock)
    await one.vsa.budget('seats', { initial: 10 }).admit()
    await clock.advance(5)
    await one.vsa.close()
    expect(times).toEqual([0, 5])
    expect(one.batches.at(-1)).toMatchObject({ entries: [], takes: [], close: true })
  })

  test('O4 O13: a close offers a refund that is not accepted yet with each of three flushes, and no more often', async () => {
    const { clock, owner, row } = bench()
    const [first, second] = [owner({ flushIntervalMs: 250 }), owner()]
    const budget = first.vsa.budget('calls', LEASED)
    await budget.admit()
    expect(budget.tryAdmit(5)).toBe(true)
    const times = timesOf(second, clock)
    second.vsa.budget('calls', LEASED).refund(6)
    second.vsa.counter('likes').add()
    let closed = false
    const closing = second.vsa.close().then(() => (closed = true))
    await clock.advance(299)
    expect(closed).toBe(false)
    await clock.advance(1)
    await closing
    expect(second.vsa.stats().refundsRefused).toBe(0)
    expect(await row('calls')).toMatchObject({ used: 0 })
    expect(times).toEqual([0, 100, 200, 300])
  })

  test('O4 O13: a close offers a refund that is never accepted for three flush intervals, and no longer', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const times = timesOf(one, clock)
    one.vsa.budget('calls', LEASED).refund(6)
    const closing = one.vsa.close()
    await clock.advance(3 * FLUSH_MS)
    await closing
    expect(times).toEqual([0, 100, 200, 300])
    expect(one.vsa.stats().refundsRefused).toBe(6)
  })

  test('O13: counters in the last batch are not counted as refused refunds', async () => {
    const { owner, books } = bench()
    const one = owner()
    await one.vsa.budget('calls', LEASED).admit()
    one.vsa.counter('likes').add(3)
    await one.vsa.close()
    expect(one.batches.at(-1)).toMatchObject({ close: true, entries: [{ kind: 'counter' }, { kind: 'budget' }] })
    expect(one.vsa.stats().refundsRefused).toBe(0)
    expect(one.events.map(({ type }) => type)).toEqual(['joined'])
    expect((await books.owners()).map(({ state }) => state)).toEqual(['closed'])
  })
})

test('S4 O11: a request for a period that the store has not reached is served at once in the period that the store is in', async () => {
  const clock = manualClock()
  let behindMs = 0
  const store = memory({ now: () => clock.now() - behindMs })
  const vsa = open({ store, clock, onEvent: () => undefined })
  const budget = vsa.budget('calls', { limit: 10, per: 'hour', atRisk: 0 })
  const period = periodOf(await budget.decide())
  behindMs = 7_200_000
  await clock.advance(7_200_000)
  const { exchanges } = vsa.stats()
  expect(await budget.decide()).toMatchObject({ admitted: true, period, remaining: 8 })
  expect(vsa.stats().exchanges).toBe(exchanges + 2)
  behindMs = 0
  await clock.advance(FLUSH_MS)
  // The store's clock is right again: the next answer shows it.
  await vsa.counter('likes').read()
  expect(await budget.decide()).toMatchObject({ admitted: true, period: period + 7_200_000, remaining: 9 })
})
