import { describe, expect, test } from 'vitest'
import { compilePolicy } from '../../src/core/policies/compile.ts'
import { Decisions } from '../../src/engine/admission/decisions.ts'
import type { Gate } from '../../src/engine/budget/gate.ts'
import type { LeasedRow } from '../../src/engine/rows/leased-row.ts'
import { bench, FLUSH_MS, periodOf } from './fixture.ts'

const SECONDLY = { limit: 10, per: 'second' } as const

describe('window rollover', () => {
  test('L1: the limit holds in each period, to the unit, over many periods', async () => {
    const { clock, owner, books } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { ...SECONDLY, retentionMs: 3_600_000 })
    const admitted = new Map<number, number>()
    for (let step = 0; step < 300; step += 1) {
      const decision = await budget.decide()
      const period = periodOf(decision)
      if (decision.admitted) admitted.set(period, (admitted.get(period) ?? 0) + 1)
      await clock.advance(37)
    }
    await vsa.close()
    const { rows } = await books.list({ limit: 100 })
    expect(rows.length).toBeGreaterThanOrEqual(10)
    for (const { budget: row } of rows) {
      expect(row.used).toBe(admitted.get(row.period) ?? 0)
      expect(row).toMatchObject({ minted: 10, burned: 0 })
    }
    expect([...admitted.values()].filter((units) => units === 10).length).toBeGreaterThanOrEqual(8)
  })

  test('L9: a look just after the edge shows the row that was fetched ahead, also when no request has moved the gate to it', () => {
    const plan = compilePolicy({ limit: 100, per: 10_000 })
    const figures = {
      held: 16,
      pool: 44,
      used: 0,
      burned: 0,
      minted: 60,
      limit: 60,
      version: 2,
      others: 0,
      othersHeld: 0,
    }
    const upcoming = { key: 'calls', window: plan.windowAt(20_000), figures, delta: 0, reach: 60 }
    const gate = { key: 'calls', plan, row: null, upcoming } as unknown as Gate
    const left = { ...upcoming, window: plan.windowAt(0), delta: 3 }
    const find = (_key: string, period: number): LeasedRow | undefined =>
      period === 0 ? (left as unknown as LeasedRow) : undefined
    const lookAt = (time: number): unknown =>
      new Decisions({ time, hasJoined: true }, 100, { find }).of({ kind: 'admitted', row: null }, { gate, units: 0 })
    expect(lookAt(19_999)).toMatchObject({ period: 10_000, limit: 100, remaining: 100 })
    expect(lookAt(20_000)).toMatchObject({ period: 20_000, limit: 60, remaining: 60 })
    // The store's time has gone back: the gate has left a row whose period goes on (O11).
    expect(lookAt(9_999)).toMatchObject({ period: 0, limit: 60, remaining: 57 })
  })

  test("O8: the next period's lease is fetched ahead, so that tryAdmit goes on at the edge", async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 1_000, per: 'minute', atRisk: 100 })
    await budget.admit()
    for (let step = 0; step < 598; step += 1) {
      budget.tryAdmit()
      await clock.advance(100)
    }
    await clock.advance(199)
    expect(budget.tryAdmit()).toBe(true)
    await clock.advance(2)
    expect(budget.tryAdmit()).toBe(true)
    expect(periodOf(await budget.decide(0)) % 60_000).toBe(0)
  })

  test('O6 L7: a budget that is no longer used is not fetched ahead', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner({ flushIntervalMs: 60_000 })
    await vsa.budget('calls', { limit: 1_000, per: 60_000 }).admit()
    await clock.advance(5 * 60_000)
    const { exchanges } = vsa.stats()
    await clock.advance(25 * 60_000)
    expect(vsa.stats().exchanges).toBe(exchanges)
    expect(vsa.stats().records).toBe(1)
    expect(clock.timers).toBe(0)
  })

  test("O11 G4: an owner follows the store's time, whatever its own wall clock does", async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 10, per: 'hour' })
    const before = await budget.decide(4)
    clock.jumpWall(-7_200_000)
    const after = await budget.decide(4)
    expect(after.period).toBe(before.period)
    await clock.advance(FLUSH_MS)
    expect((await row('calls', before.period)).used).toBe(8)
  })

  test('L1: a store whose clock jumps a day back does not give the budget of the day before again', async () => {
    const { clock, owner, books } = bench()
    const { vsa } = owner()
    const daily = { limit: 10, per: 'day' } as const
    expect(await vsa.budget('calls', daily).admit(10)).toBe(true)
    clock.jumpWall(-86_400_000)
    const late = owner()
    expect(await late.vsa.budget('calls', daily).admit()).toBe(false)
    expect((await books.list({ limit: 9 })).rows).toHaveLength(1)
  })

  test('a period longer than 24.8 days ends at its end', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 5, per: 60 * 86_400_000 })
    expect(await budget.admit(5)).toBe(true)
    const decision = await budget.decide()
    expect(decision).toMatchObject({ admitted: false, reason: 'exhausted' })
    const { resetAtMs = 0 } = decision
    await clock.advance(resetAtMs - clock.now() - 1)
    expect(await budget.admit()).toBe(false)
    await clock.advance(1)
    expect(await budget.admit(5)).toBe(true)
  })

  test('retryAfterMs leads to the next period', async () => {
    const { clock, owner } = bench()
    const budget = owner().vsa.budget('calls', { limit: 2, per: 'minute' })
    await budget.admit(2)
    const denied = await budget.decide()
    if (denied.admitted) throw new Error('the limit is spent')
    expect(denied.retryAfterMs).toBeGreaterThan(0)
    await clock.advance(denied.retryAfterMs ?? 0)
    expect(await budget.admit()).toBe(true)
  })

  test('S10: a late exchange for a period whose row was removed makes no fresh budget', async () => {
    const { clock, owner, books } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', SECONDLY)
    const decision = await budget.decide(10)
    await clock.advance(1_000)
    await vsa.flush({ returnLeases: true })
    await clock.advance(300_000)
    await vsa.budget('other', { initial: 1 }).admit()
    expect((await books.list({ key: 'calls', limit: 9 })).rows).toHaveLength(0)
    budget.refund(3, decision)
    await clock.advance(1_000)
    expect((await books.list({ key: 'calls', limit: 9 })).rows).toHaveLength(0)
    expect(vsa.stats().refundsRefused).toBe(3)
  })

  test('S4 O11: an owner that slept through the end of its period goes on in the next one, and raises no event', async () => {
    const { clock, owner, books } = bench()
    const one = owner()
    const other = owner()
    const policy = { limit: 10, per: 'second', atRisk: 0 } as const
    const budget = one.vsa.budget('calls', policy)
    await budget.admit()
    await clock.advance(1_000)
    // The machine is suspended: monotonic time stands still, and the row is removed meanwhile.
    clock.jumpWall(600_000)
    await other.vsa.counter('x').read()
    await other.vsa.counter('x').read()
    expect((await books.list({ limit: 10 })).rows).toEqual([])
    const asked = budget.admit()
    await clock.advance(3 * FLUSH_MS)
    expect(await asked).toBe(true)
    expect(one.events.filter((event) => event.type === 'row_lost')).toEqual([])
  })
})
