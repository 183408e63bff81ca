import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { bench, codeOf, FLUSH_MS, type Bench, type Owner } from './fixture.ts'

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

/** The store refuses every batch with this key: its books do not balance. */
function damage({ net }: Owner, clock: Bench['clock'], key: string): void {
  const exchange = net.exchange.bind(net)
  net.exchange = async (batch) => {
    const bad = batch.entries.find((entry) => entry.kind === 'budget' && entry.key === key)
    if (bad?.kind !== 'budget') return exchange(batch)
    return { kind: 'breach', time: clock.now(), row: { key, period: bad.period }, detail: 'planted' }
  }
}

describe('when an exchange leaves', () => {
  test('O6: an owner that holds a lease gives a sign of life each third of the lease’s life, and none without one', async () => {
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

  test('O6 O2: an exchange under way is the sign of life: none is sent beside it', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 900 })
    const slow = owner({ flushIntervalMs: 60_000, exchangeTimeoutMs: 5_000 })
    const times = timesOf(slow, clock)
    await slow.vsa.budget('calls', LEASED).admit()
    slow.net.inject('exchange', { kind: 'delay', requestMs: 400, answerMs: 400 })
    await clock.advance(1_500)
    expect(times).toEqual([0, 300, 1_400])
  })

  test('L7 O6: what was spent goes with the next flush; a lease that nobody uses goes back after three; then there is no timer', async () => {
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

  test('O8 L7: what runs low while an exchange is under way waits for its answer, which may bring enough', async () => {
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

  test('all that is asked for in one turn of the event loop is looked at once, and goes in one exchange', async () => {
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
    // Also once it is known that the store is away: a refund is nobody else's to ask for again.
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

  test('while the store is away nobody keeps a list of what was tried: it would have no bound', async () => {
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

  test('O8: nor does a lease that was there before keep it, and it is asked for once the store is back', async () => {
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

describe('a budget whose books do not balance', () => {
  test('S6: refuses mints and refunds, and says so', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit(4)
    damage(one, clock, 'seats')
    await expect(seats.admit()).rejects.toMatchObject({ code: 'quarantined' })
    await expect(seats.mint(5, { id: 'balcony' })).rejects.toMatchObject({ code: 'quarantined' })
    seats.refund(3)
    await clock.advance(FLUSH_MS)
    expect(one.vsa.stats().refundsRefused).toBe(3)
    expect(one.events).toContainEqual(expect.objectContaining({ type: 'refunds_refused', key: 'seats', units: 3 }))
  })

  test('S6: all who need it are told, alone or with others; whoever does not need it is served by the same batch', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const [bad, good, fine] = ['bad', 'good', 'fine'].map((key) => one.vsa.budget(key, { initial: 10 }))
    if (bad === undefined || good === undefined || fine === undefined) throw new Error('no budgets')
    await Promise.all([bad.admit(), good.admit(), fine.admit()])
    damage(one, clock, 'bad')
    const sent = one.batches.length
    const asked = Promise.all([
      good.admit(2),
      bad.admit(3).catch(codeOf),
      one.vsa
        .admitAll([
          [good, 1],
          [bad, 1],
        ])
        .catch(codeOf),
      one.vsa.admitAll([
        [good, 1],
        [fine, 4],
      ]),
    ])
    await clock.settle()
    expect(await asked).toEqual([true, 'quarantined', 'quarantined', true])
    expect([await row('bad'), await row('good'), await row('fine')]).toMatchObject([
      { used: 1 },
      { used: 4 },
      { used: 5 },
    ])
    const [whole, rest] = one.batches.slice(sent)
    expect(rest).toMatchObject({ epoch: whole?.epoch, seq: whole?.seq })
    expect(rest?.entries.filter(({ kind }) => kind === 'void')).toHaveLength(1)
    expect(rest?.entries).toHaveLength(whole?.entries.length ?? -1)
    const badAt = whole?.entries.findIndex((entry) => entry.kind === 'budget' && entry.key === 'bad')
    expect(rest?.takes.map(({ n }) => n)).toEqual(
      whole?.takes.map(({ need, n }) => (need.some(([at]) => at === badAt) ? 0 : n)),
    )
    expect(rest?.takes.map(({ n }) => n)).toContain(1)
    expect(one.batches).toHaveLength(sent + 2)
    await one.vsa.close()
  })

  test('S6: a refusal that names another period, or a row that is not in the batch, quarantines nothing', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    const exchange = one.net.exchange.bind(one.net)
    const names = [{ key: 'seats', period: 60_000 }, { key: 'else', period: 0 }, undefined]
    one.net.exchange = async (batch) => {
      if (names.length === 0) return exchange(batch)
      const row = names.shift()
      return { kind: 'breach', time: clock.now(), detail: 'planted', ...(row === undefined ? {} : { row }) }
    }
    const asked = seats.admit(2)
    await clock.advance(1_000)
    expect(await asked).toBe(true)
    expect(one.events.map(({ type }) => type)).toEqual([
      'joined',
      'store_away',
      'store_back',
      'store_away',
      'store_back',
      'store_away',
      'store_back',
    ])
  })
})

describe('the end', () => {
  test('O13: once it is closed nothing is left that could fire, and nothing more is sent', async () => {
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

  test('O13: once a close has given up, nothing is left that could fire, and nothing more is sent', async () => {
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

  test('O13: a refund behind the last batch is refused: it would be lost', async () => {
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

  test('O4 O13: a close gives a refund that nobody accepts three flush intervals, and not one more', async () => {
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

  test('O13: what the last batch says of counters is no refund that was refused', async () => {
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

test('S4 O11: whoever asks for a period that the store has not reached yet is served at once in the one that the store is in', async () => {
  const clock = manualClock()
  let behindMs = 0
  const store = memory({ now: () => clock.now() - behindMs })
  const vsa = open({ store, clock, onEvent: () => undefined })
  const budget = vsa.budget('calls', { limit: 10, per: 'hour', atRisk: 0 })
  const { period } = await budget.decide()
  behindMs = 7_200_000
  await clock.advance(7_200_000)
  const { exchanges } = vsa.stats()
  expect(await budget.decide()).toMatchObject({ admitted: true, period, remaining: 8 })
  expect(vsa.stats().exchanges).toBe(exchanges + 2)
  behindMs = 0
  await clock.advance(FLUSH_MS)
  // Its clock is right again: the next answer says so.
  await vsa.counter('likes').read()
  expect(await budget.decide()).toMatchObject({ admitted: true, period: period + 7_200_000, remaining: 9 })
})
