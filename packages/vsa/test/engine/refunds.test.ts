import { describe, expect, test } from 'vitest'
import type { OpenOptions } from '../../src/index.ts'
import { type Bench, bench, FLUSH_MS, type Owner, periodOf } from './fixture.ts'

const HOUR_MS = 3_600_000
const LEASED = { limit: 100, per: 3_600_000, atRisk: 50 } as const

describe('refunds', () => {
  test('O4: a refund before its admission was flushed is usable at once', async () => {
    const { owner, row } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 10, per: 'month', atRisk: 10 })
    await budget.admit()
    while (budget.tryAdmit());
    budget.refund(3)
    expect([budget.tryAdmit(2), budget.tryAdmit(2), budget.tryAdmit(1)]).toEqual([true, false, true])
    await vsa.flush()
    expect((await row('calls')).used).toBe(10)
  })

  test('O4 L3: a refund after the flush goes through the store, once', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit(30)
    await clock.advance(FLUSH_MS)
    net.inject('exchange', { kind: 'lost_answer' })
    budget.refund(20)
    await clock.advance(5_000)
    expect(await row('calls')).toMatchObject({ used: 10 })
    expect(vsa.stats()).toMatchObject({ refundedUnits: 20, refundsRefused: 0 })
  })

  test("O4: a refund into a past period changes that period's row alone", async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', LEASED)
    const decision = await budget.decide(30)
    await clock.advance(3_600_000)
    await budget.admit(5)
    budget.refund(10, decision)
    await clock.advance(1_000)
    expect((await row('calls', decision.period)).used).toBe(20)
    expect((await row('calls', periodOf(decision) + 3_600_000)).used).toBe(5)
  })

  test('O4: more than was ever admitted, of an unknown budget: nothing is minted, and refused units are counted', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 2_000 })
    const { vsa, events } = owner()
    const budget = vsa.budget('calls', LEASED)
    budget.refund(7)
    await clock.advance(10_000)
    expect(await row('calls')).toMatchObject({ used: 0, minted: 100, burned: 0 })
    expect(vsa.stats().refundsRefused).toBe(7)
    expect(events).toContainEqual(expect.objectContaining({ type: 'refunds_refused', units: 7 }))
  })

  test('O4: a refund by another owner that overtakes the flush of its admission is not lost', async () => {
    const { clock, owner, row } = bench()
    const [first, second] = [owner({ flushIntervalMs: 2_000 }), owner()]
    const budget = first.vsa.budget('calls', LEASED)
    await budget.admit()
    let admitted = 1
    while (admitted < 8 && budget.tryAdmit()) admitted += 1
    second.vsa.budget('calls', LEASED).refund(admitted)
    await clock.advance(9_000)
    expect(await row('calls')).toMatchObject({ used: 0 })
    expect(second.vsa.stats().refundsRefused).toBe(0)
  })

  test('O4: what is spent and given back in memory meanwhile does not put off the end of a refund that is never accepted', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 1_000 })
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit()
    const decision = await budget.decide()
    budget.refund(7)
    let isInFlight = false
    const exchange = net.exchange.bind(net)
    net.exchange = async (batch) => {
      isInFlight = true
      await new Promise<void>((resolve) => void clock.timer(40, resolve))
      const answer = await exchange(batch)
      isInFlight = false
      return answer
    }
    let inFlight = 0
    const churn = async (untilMs: number): Promise<void> => {
      while (clock.monotonic() < untilMs) {
        if (budget.tryAdmit()) {
          budget.refund(1, decision)
          inFlight += isInFlight ? 1 : 0
        }
        await clock.advance(20)
      }
    }
    await churn(1_000)
    expect(vsa.stats().refundsRefused).toBe(0)
    expect(inFlight).toBeGreaterThan(5)
    await churn(1_600)
    expect(vsa.stats().refundsRefused).toBe(5)
  })

  test("O4: two owners that refund each other's units: no used below 0, and no batch is refused without end", async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 1_000 })
    const [first, second] = [owner(), owner()]
    const [a, b] = [first.vsa.budget('calls', LEASED), second.vsa.budget('calls', LEASED)]
    for (let round = 0; round < 20; round += 1) {
      await a.admit(2)
      await b.admit(3)
      a.refund(3)
      b.refund(2)
      await clock.advance(150)
    }
    await clock.advance(5_000)
    expect(await row('calls')).toMatchObject({ used: 0, burned: 0, pool: 100 })
  })

  test('S2 S10 L3: an applied refund does not count as refused when its row is removed before the answer is repeated', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 2 * HOUR_MS })
    const { vsa, net, events } = owner()
    const perMinute = vsa.budget('a', { limit: 10, per: 'minute', atRisk: 0 })
    const decision = await perMinute.decide(3)
    expect(decision.admitted).toBe(true)
    net.inject('exchange', { kind: 'lost_answer' })
    perMinute.refund(2, decision)
    await clock.advance(FLUSH_MS)
    // The row's retention is over before the refund is sent again; the next one to call removes the row.
    clock.jumpWall(HOUR_MS)
    const other = owner()
    await other.vsa.ready()
    await clock.advance(10_000)
    expect(vsa.stats().refundsRefused).toBe(0)
    expect(events.map(({ type }) => type)).not.toContain('refunds_refused')
  })

  test('O4 S6: refunds of more than 2^53 - 1 units together quarantine nothing', async () => {
    const { clock, owner, row } = bench()
    const { vsa, events } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit(4)
    seats.refund(2 ** 53 - 1)
    seats.refund(2 ** 53 - 1)
    await clock.advance(FLUSH_MS)
    expect(events.filter((event) => event.type === 'quarantined')).toEqual([])
    expect(await row('seats')).toMatchObject({ used: 0 })
  })
})

describe('refunds by decision', () => {
  test('L1: a decision that was not accounted gives nothing back: a store that was away admits its limit, not more', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner({ onStoreUnavailable: 'allow', deadlineMs: 200 })
    const seats = vsa.budget('seats', { initial: 10 })
    for (let seat = 0; seat < 10; seat += 1) expect(await seats.admit()).toBe(true)
    net.cut('refuse')
    await clock.advance(5_000)
    const asked = Promise.all(Array.from({ length: 5 }, () => seats.decide()))
    await clock.advance(500)
    const decisions = await asked
    expect(decisions.every((decision) => decision.admitted && decision.unaccounted)).toBe(true)
    for (const decision of decisions) seats.refund(1, decision)
    net.heal()
    await clock.advance(5_000)
    expect(await seats.admit()).toBe(false)
    expect(await row('seats')).toMatchObject({ used: 10, pool: 0 })
    expect(vsa.stats()).toMatchObject({ unaccountedUnits: 5, refundedUnits: 0, refundsRefused: 0 })
  })

  test('L1: nor does one before the first join, of a budget with periods', async () => {
    const { clock, owner } = bench()
    const one = owner({ onStoreUnavailable: 'allow', deadlineMs: 200 }, 'refuse')
    const calls = one.vsa.budget('calls', LEASED)
    const asked = calls.decide(3)
    await clock.advance(300)
    calls.refund(3, await asked)
    one.net.heal()
    await clock.advance(5_000)
    expect(await calls.decide(0)).toMatchObject({ remaining: 100 })
    expect(one.vsa.stats().refundsRefused).toBe(0)
  })

  test('L1: a denied decision gives nothing back, and is refused by name', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit(9)
    const denied = await seats.decide(5)
    expect(denied.admitted).toBe(false)
    expect(() => seats.refund(5, denied)).toThrow(
      new TypeError('decision must be one that admitted: a denied one took nothing'),
    )
    seats.refund(0, denied)
    await clock.advance(FLUSH_MS)
    expect(await row('seats')).toMatchObject({ used: 9 })
    expect(vsa.stats()).toMatchObject({ refundedUnits: 0, refundsRefused: 0 })
  })

  test("L1: another budget's decision gives nothing back, and is refused by name", async () => {
    const { clock, owner, row } = bench()
    const { vsa, events } = owner()
    const [a, b] = [vsa.budget('a', { initial: 10 }), vsa.budget('b', { initial: 10 })]
    const [decision] = await Promise.all([a.decide(4), b.decide(4)])
    expect(() => b.refund(4, decision)).toThrow(new TypeError('decision must be about "b": it is about "a"'))
    b.refund(0, decision)
    await clock.advance(FLUSH_MS)
    expect([await row('a'), await row('b')]).toMatchObject([{ used: 4 }, { used: 4 }])
    expect(events.map(({ type }) => type)).not.toContain('refunds_refused')
    expect(vsa.stats()).toMatchObject({ refundedUnits: 0, refundsRefused: 0 })
    a.refund(4, decision)
    await clock.advance(FLUSH_MS)
    expect(await row('a')).toMatchObject({ used: 0 })
  })

  test('O4: a decision about several budgets gives back to each of them, into the period that each was admitted in', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const [hourly, seats, other] = [
      vsa.budget('calls', LEASED),
      vsa.budget('seats', { initial: 10 }),
      vsa.budget('other', { initial: 10 }),
    ]
    await other.admit(5)
    const decision = await vsa.decideAll([
      [hourly, 5],
      [seats, 6],
    ])
    const { period } = decision
    await clock.advance(HOUR_MS)
    await hourly.admit(1)
    hourly.refund(2, decision)
    seats.refund(3, decision)
    expect(() => other.refund(5, decision)).toThrow(
      new TypeError('decision must be about "other": it is about "calls"'),
    )
    await clock.advance(1_000)
    expect(await row('calls', period)).toMatchObject({ used: 3 })
    expect(await row('seats')).toMatchObject({ used: 3 })
    expect(await row('other')).toMatchObject({ used: 5 })
    expect(vsa.stats().refundsRefused).toBe(0)
  })

  test('O4: a decision about several budgets of which one was asked for nothing is about the others', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const [calls, seats] = [vsa.budget('calls', LEASED), vsa.budget('seats', { initial: 10 })]
    const decision = await vsa.decideAll([
      [calls, 0],
      [seats, 6],
    ])
    expect(decision).toMatchObject({ key: 'seats', units: 6, period: 0, limit: 10 })
    seats.refund(6, decision)
    await clock.advance(FLUSH_MS)
    expect(await row('seats')).toMatchObject({ used: 0 })
  })

  test('O4: the start of a period alone names it, and what is no decision is refused before anything changes', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const calls = vsa.budget('calls', LEASED)
    const decision = await calls.decide(8)
    calls.refund(3, { period: decision.period })
    calls.refund(1, { ...decision })
    await clock.advance(1_000)
    expect(await row('calls', decision.period)).toMatchObject({ used: 4 })
    for (const wrong of [null, 7, true, 'calls', {}, { period: '7' }, { period: 0, key: 7 }])
      expect(() => calls.refund(1, wrong as never)).toThrow(TypeError)
    for (const period of [periodOf(decision) + 1, 0.5, NaN])
      expect(() => calls.refund(1, { period })).toThrow(RangeError)
    expect(vsa.stats().refundedUnits).toBe(4)
  })
})

describe('refunds in a batch whose fate is not known', () => {
  /** The store has forgotten the epoch: it answers `fenced`, without the last batch. */
  function forget({ net }: Owner, time: () => number): void {
    const exchange = net.exchange.bind(net)
    net.exchange = async ({ entries }) => {
      net.exchange = exchange
      return { kind: 'fenced', time: time(), last: null, forgot: true, gone: entries.map(() => null) }
    }
  }

  test('O5: they are not sent again, which could give them back twice; they are counted as refused, and an event says so', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit(8)
    forget(one, () => clock.now())
    seats.refund(3)
    await clock.advance(FLUSH_MS)
    expect(one.vsa.stats()).toMatchObject({ refundedUnits: 3, refundsRefused: 3 })
    expect(one.events).toContainEqual({ type: 'refunds_refused', key: 'seats', period: 0, units: 3 })
    await clock.advance(1_000)
    expect(await row('seats')).toMatchObject({ used: 8 })
  })

  test('O5: refunds that wait, and were not in that batch, move to the new epoch', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit(8)
    one.net.inject('exchange', { kind: 'lost_request' })
    seats.refund(3)
    await clock.advance(FLUSH_MS)
    seats.refund(2)
    forget(one, () => clock.now())
    await clock.advance(5_000)
    expect(one.vsa.stats()).toMatchObject({ refundedUnits: 5, refundsRefused: 3 })
    expect(await row('seats')).toMatchObject({ used: 6 })
  })
})

describe('flush and refunds', () => {
  /** Admitted by one owner, and not sent; the refund of another one arrives first. */
  async function overtaken(
    options: Partial<OpenOptions> = {},
  ): Promise<Bench & { readonly seller: Owner; readonly refunder: Owner }> {
    const world = bench()
    const [seller, refunder] = [world.owner({ flushIntervalMs: 2_000 }), world.owner(options)]
    const budget = seller.vsa.budget('calls', LEASED)
    await budget.admit()
    await world.clock.advance(2_000)
    expect(budget.tryAdmit(5)).toBe(true)
    await refunder.vsa.budget('calls', LEASED).admit()
    refunder.vsa.budget('calls', LEASED).refund(7)
    return { ...world, seller, refunder }
  }

  test.each([100, 30_000])(
    'O4: flush resolves when the store has accepted the refunds made before it, not sooner, with a flush interval of %d ms',
    async (flushIntervalMs) => {
      const { clock, refunder, row } = await overtaken({ flushIntervalMs })
      let isFlushed = false
      const flushed = refunder.vsa.flush().then(() => (isFlushed = true))
      await clock.advance(1_500)
      expect([isFlushed, (await row('calls')).used]).toEqual([false, 0])
      await clock.advance(1_000)
      await flushed
      expect(isFlushed).toBe(true)
      expect(await row('calls')).toMatchObject({ used: 0 })
      expect(refunder.vsa.stats().refundsRefused).toBe(0)
    },
  )

  test('O4: it does not wait for refunds made after it', async () => {
    const { clock, seller, refunder, row } = await overtaken()
    let isFlushed = false
    const flushed = refunder.vsa.flush().then(() => (isFlushed = true))
    const [sold, given] = [seller.vsa.budget('calls', LEASED), refunder.vsa.budget('calls', LEASED)]
    for (let turn = 0; turn < 30 && !isFlushed; turn += 1) {
      expect(sold.tryAdmit()).toBe(true)
      given.refund()
      await clock.advance(FLUSH_MS)
    }
    await flushed
    expect((await row('calls')).used).toBeLessThan(3)
  })

  test('O4: it fails at its deadline, and says which refund the store has not accepted', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit(2)
    seats.refund(5)
    const flushed = vsa.flush({ deadlineMs: 1_000 }).catch((error: unknown) => error)
    await clock.advance(1_100)
    expect(await flushed).toMatchObject({ code: 'timeout' })
    expect(String(await flushed)).toMatch(/not yet accepted.*"seats"/)
    const next = vsa.flush().catch((error: unknown) => error)
    await clock.advance(FLUSH_MS)
    const closing = vsa.close()
    await clock.advance(5 * FLUSH_MS)
    await closing
    expect(await next).toBeUndefined()
  })

  test('O4: refunds that are given up end the wait, and an event says so', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 1_000 })
    const { vsa, events } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit(2)
    seats.refund(5)
    const flushed = vsa.flush()
    await clock.advance(1_500)
    await flushed
    expect(events).toContainEqual({ type: 'refunds_refused', key: 'seats', period: 0, units: 3 })
  })

  test('O4 O5: a flush goes on waiting when the epoch ends', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 3_000 })
    const [seller, refunder, other] = [owner({ flushIntervalMs: 2_500 }), owner(), owner()]
    const budget = seller.vsa.budget('calls', LEASED)
    await budget.admit()
    await clock.advance(2_500)
    expect(budget.tryAdmit(5)).toBe(true)
    refunder.vsa.budget('calls', LEASED).refund(6)
    const flushed = refunder.vsa.flush({ deadlineMs: 30_000 })
    await clock.advance(FLUSH_MS)
    refunder.net.cut('hang')
    await clock.advance(4_000)
    await other.vsa.budget('x', { initial: 1 }).admit()
    refunder.net.heal()
    await clock.advance(6_000)
    await flushed
    expect(refunder.events.map(({ type }) => type)).toContain('fenced')
    expect((await row('calls')).used).toBe(0)
  })
})
