import { describe, expect, test } from 'vitest'
import { bench, FLUSH_MS } from './fixture.ts'

const DAILY = { limit: 1_000, per: 'day' } as const

describe('tryAdmit', () => {
  test('L4: a cost above `atRisk` is never true: an event says so once, and no call is made for it', async () => {
    const { clock, owner } = bench()
    const { vsa, net, events } = owner()
    await vsa.ready()
    const calls = vsa.budgets('calls', DAILY)
    for (let call = 0; call < 50; call += 1) {
      expect(calls.of(String(call % 3)).tryAdmit(20)).toBe(false)
      await clock.advance(FLUSH_MS)
    }
    expect(events.filter(({ type }) => type === 'cost_above_lease')).toEqual([
      { type: 'cost_above_lease', key: 'calls:0', units: 20, atRisk: 10 },
    ])
    expect(net.calls).toMatchObject({ exchange: 0, read: 0 })
    expect(vsa.stats()).toMatchObject({ deniedUnits: 1_000 })
    expect(await calls.of('0').admit(20)).toBe(true)
  })

  test('O7: a lease grows at once to the cost that a `tryAdmit` asked for, if `atRisk` allows it', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 10_000, per: 'day', atRisk: 1_000 })
    await vsa.ready()
    expect(budget.tryAdmit(700)).toBe(false)
    await clock.settle()
    expect(budget.tryAdmit(700)).toBe(true)
    expect(vsa.stats().leasedUnits).toBeLessThanOrEqual(1_000)
  })

  test.each([500, 1_000, 3_000, 4_900])(
    'O6: on a key that is asked once in %d ms `tryAdmit` admits: its lease outlives the pause between two calls',
    async (pauseMs) => {
      const { clock, owner, row } = bench()
      const { vsa } = owner()
      const budget = vsa.budget('calls', DAILY)
      await vsa.ready()
      let admitted = 0
      for (let call = 0; call < 27; call += 1) {
        if (budget.tryAdmit()) admitted += 1
        await clock.advance(pauseMs)
      }
      expect(admitted).toBeGreaterThanOrEqual(24)
      // One call for each admission, and one in a third of the lease lifetime while the lease is held.
      expect(vsa.stats().exchanges).toBeLessThanOrEqual(27 + 4 + Math.ceil((27 * pauseMs) / 3_333))
      await clock.advance(30_000)
      expect(vsa.stats().leasedUnits).toBe(0)
      expect(clock.timers).toBe(0)
      expect((await row('calls')).used).toBe(admitted)
    },
  )

  test('L6: a denied `tryAdmit` that is alone costs at most one call', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', DAILY)
    await vsa.ready()
    expect(budget.tryAdmit()).toBe(false)
    await clock.advance(60_000)
    const before = vsa.stats()
    for (let call = 0; call < 20; call += 1) {
      expect(budget.tryAdmit()).toBe(false)
      await clock.advance(60_000)
    }
    const { exchanges, reads, leaseRecords } = vsa.stats()
    expect(exchanges + reads - before.exchanges - before.reads).toBeLessThanOrEqual(20)
    expect(leaseRecords).toBe(before.leaseRecords)
    // Calls that are not alone any more get a lease.
    expect(budget.tryAdmit()).toBe(false)
    await clock.advance(2_000)
    expect(budget.tryAdmit()).toBe(false)
    await clock.advance(2_000)
    expect(budget.tryAdmit()).toBe(true)
  })

  test('L5: a lease that is kept for `tryAdmit` goes to another owner that asks for it', async () => {
    const { clock, owner } = bench()
    const [one, other] = [owner(), owner()]
    const policy = { limit: 10, per: 'day', atRisk: 10 } as const
    const budget = one.vsa.budget('calls', policy)
    await one.vsa.ready()
    for (let call = 0; call < 4; call += 1) {
      budget.tryAdmit()
      await clock.advance(5_000)
    }
    expect(one.vsa.stats().leasedUnits).toBeGreaterThan(0)
    const left = (await budget.peek()).remaining
    const asked = other.vsa.budget('calls', policy).admit(left)
    await clock.advance(4_900)
    expect(await asked).toBe(true)
  })

  test('S5: on a budget that became durable through `burnMax` `tryAdmit` is false, and asks for nothing', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 500 })
    const policy = { limit: 100, per: 'month', atRisk: 40, burnMax: 5 } as const
    const [dead, alive] = [owner(), owner()]
    await dead.vsa.budget('calls', policy).admit(10)
    expect(dead.vsa.stats().leasedUnits).toBeGreaterThanOrEqual(5)
    dead.net.cut('hang')
    await clock.advance(1_000)
    const budget = alive.vsa.budget('calls', policy)
    expect(await budget.admit()).toBe(true)
    await clock.advance(FLUSH_MS)
    const before = alive.net.calls.exchange
    for (let call = 0; call < 50; call += 1) {
      expect(budget.tryAdmit()).toBe(false)
      await clock.advance(20)
    }
    expect(alive.net.calls.exchange - before).toBeLessThanOrEqual(1)
  })
})
