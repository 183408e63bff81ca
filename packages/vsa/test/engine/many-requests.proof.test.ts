import { describe, expect, test } from 'vitest'
import { bench, codeOf, damage, FLUSH_MS } from './fixture.ts'

describe('200,000 requests at once', () => {
  test('S6: 200,000 requests that wait for a budget whose books are damaged fail, and the others go on', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const [bad, good] = [one.vsa.budget('bad', { initial: 10 }), one.vsa.budget('good', { initial: 10 })]
    await bad.admit()
    damage(one, clock, 'bad')
    const asked = Array.from({ length: 200_000 }, () => bad.admit().catch(codeOf))
    expect(await good.admit()).toBe(true)
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['quarantined']))
  })

  test('O5: 200,000 durable requests that were spent from a lease move to the next epoch', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 500 })
    const [one, other] = [owner({ exchangeTimeoutMs: 700 }), owner()]
    const budget = one.vsa.budget('calls', { limit: 10 ** 7, per: 'month', atRisk: 10 ** 6 })
    await budget.admit()
    let admitted = 1
    for (let load = 0; load < 8; load += 1) {
      if (budget.tryAdmit(100_000)) admitted += 100_000
      await clock.advance(FLUSH_MS)
    }
    expect(one.vsa.stats().leasedUnits).toBeGreaterThan(200_000)
    one.net.inject('exchange', { kind: 'lost_request' })
    const flushed = one.vsa.flush()
    await clock.settle()
    const asked = Array.from({ length: 200_000 }, () => budget.admit(1, { durable: true }))
    await clock.advance(550)
    await other.vsa.budget('x', { initial: 1 }).admit()
    await clock.advance(3_000)
    await flushed
    expect((await Promise.all(asked)).every(Boolean)).toBe(true)
    expect((await row('calls')).used).toBe(admitted + 200_000)
    expect(one.vsa.stats().admittedUnits).toBe(admitted + 200_000)
  })
})
