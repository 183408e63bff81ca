import { describe, expect, test } from 'vitest'
import { bench, FLUSH_MS } from './fixture.ts'

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
    expect((await row('calls', decision.period + 3_600_000)).used).toBe(5)
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
