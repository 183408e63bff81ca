import { describe, expect, test } from 'vitest'
import type { Policy } from '../../src/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

describe('the defaults of a small limit: 60 per hour puts one unit at risk', () => {
  const PER_HOUR = { limit: 60, per: 'hour' } as const

  test('L4 O7: requests that come alone need a store call each at most, and more at risk makes them few', async () => {
    const callsFor = async (policy: Policy, pauseMs: number): Promise<number> => {
      const { clock, owner } = bench()
      const { vsa } = owner()
      const budget = vsa.budget('ip:10.0.0.1', policy)
      for (let call = 0; call < 60; call += 1) {
        expect(await budget.admit()).toBe(true)
        await clock.advance(pauseMs)
      }
      expect(await budget.admit()).toBe(false)
      return vsa.stats().exchanges
    }
    for (const pauseMs of [0, 5]) {
      const alone = await callsFor(PER_HOUR, pauseMs)
      expect(alone).toBeGreaterThanOrEqual(30)
      expect(alone).toBeLessThanOrEqual(61)
      expect(await callsFor({ ...PER_HOUR, atRisk: 15 }, pauseMs)).toBeLessThanOrEqual(12)
    }
  })

  test('L7: requests that come together share one store call', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('ip:10.0.0.1', PER_HOUR)
    const answers = await Promise.all(Array.from({ length: 100 }, () => budget.admit()))
    expect(answers.filter(Boolean)).toHaveLength(60)
    expect(vsa.stats().exchanges).toBeLessThanOrEqual(2)
  })
})

describe('store calls', () => {
  test('O12: tryAdmit of more than may be leased asks at most once per flush interval', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 32 })
    await budget.admit()
    const before = vsa.stats().exchanges
    for (let call = 0; call < 50; call += 1) {
      budget.tryAdmit(100)
      await clock.settle()
    }
    expect(vsa.stats().exchanges - before).toBeLessThanOrEqual(2)
  })

  test('O12: tryAdmit of more than an equal share asks at most once per flush interval', async () => {
    const { clock, owner } = bench()
    const [first, second] = [owner(), owner()]
    const policy = { limit: 100, per: 'month', atRisk: 100 } as const
    await second.vsa.budget('calls', policy).admit()
    const budget = first.vsa.budget('calls', policy)
    await budget.admit()
    for (let call = 0; call < 3; call += 1) {
      budget.tryAdmit(90)
      await clock.settle()
    }
    const before = first.vsa.stats().exchanges
    for (let call = 0; call < 50; call += 1) {
      budget.tryAdmit(90)
      await clock.settle()
    }
    expect(first.vsa.stats().exchanges - before).toBeLessThanOrEqual(2)
  })

  test('O12 S5: tryAdmit on a row that another owner wants asks at most once per flush interval', async () => {
    const { clock, owner } = bench()
    const [holder, asker, third] = [owner(), owner(), owner()]
    const policy = { limit: 100, per: 'month', atRisk: 60 } as const
    await third.vsa.budget('calls', policy).admit(20)
    await holder.vsa.budget('calls', policy).admit(20)
    third.net.cut('hang')
    const asked = asker.vsa
      .budget('calls', policy)
      .admit(55, { deadlineMs: 2_000 })
      .catch(() => undefined)
    await clock.advance(3 * FLUSH_MS)
    const before = holder.vsa.stats().exchanges
    for (let call = 0; call < 100; call += 1) {
      holder.vsa.budget('calls', policy).tryAdmit()
      await clock.advance(5)
    }
    expect(holder.vsa.stats().exchanges - before).toBeLessThanOrEqual(12)
    await clock.advance(3_000)
    await asked
  })

  test('O12: a request for several budgets marks only those as wanted whose units are lacking', async () => {
    const { clock, owner } = bench()
    const [dead, asker, user] = [owner(), owner(), owner()]
    const plenty = { limit: 100_000, per: 'month', atRisk: 500 } as const
    const scarce = { limit: 20, per: 'month', atRisk: 20 } as const
    await dead.vsa.budget('scarce', scarce).admit(12)
    dead.net.cut('hang')
    const busy = user.vsa.budget('plenty', plenty)
    await busy.admit()
    const asked = asker.vsa.admitAll(
      [
        [asker.vsa.budget('plenty', plenty), 1],
        [asker.vsa.budget('scarce', scarce), 7],
      ],
      { deadlineMs: 1_000 },
    )
    for (let turn = 0; turn < 8; turn += 1) {
      expect(busy.tryAdmit(), `turn ${turn}`).toBe(true)
      await clock.advance(FLUSH_MS)
    }
    await clock.advance(1_000)
    expect(await asked).toBe(false)
    expect(
      asker.batches
        .flatMap((batch) => batch.entries)
        .some((entry) => entry.kind === 'budget' && entry.key === 'plenty' && entry.wantMs > 0),
    ).toBe(false)
  })

  test('O12: units that this owner has spent cannot be returned by others: the denial comes with the next answer', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', { limit: 20, per: 'month', atRisk: 8 })
    await budget.admit(12)
    expect(vsa.stats().leasedUnits).toBe(8)
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 20 })
    const asked = budget.decide(9)
    await clock.settle()
    for (let call = 0; call < 8; call += 1) budget.tryAdmit()
    await clock.advance(30)
    let resolved = false
    const heard = asked.then(() => {
      resolved = true
    })
    await clock.settle()
    expect(resolved).toBe(true)
    await heard
    expect(await asked).toMatchObject({ admitted: false, reason: 'exhausted' })
  })

  test('L7 O7: where many owners share a budget, a lease does not change with every exchange', async () => {
    const { clock, owner } = bench()
    const owners = Array.from({ length: 4 }, () => owner())
    const policy = { limit: 4_000, per: 'month', atRisk: 2_000 } as const
    const budgets = owners.map(({ vsa }) => vsa.budget('calls', policy))
    const round = async (): Promise<void> => {
      for (const budget of budgets) for (let call = 0; call < 30; call += 1) budget.tryAdmit()
      await clock.advance(FLUSH_MS)
    }
    for (let warm = 0; warm < 8; warm += 1) await round()
    const before = owners.reduce((sum, { vsa }) => sum + vsa.stats().leaseRecords, 0)
    for (let flush = 0; flush < 20; flush += 1) await round()
    const after = owners.reduce((sum, { vsa }) => sum + vsa.stats().leaseRecords, 0)
    expect(after - before).toBeLessThanOrEqual(24)
  })
})
