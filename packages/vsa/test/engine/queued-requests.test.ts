import { describe, expect, test } from 'vitest'
import { bench, FLUSH_MS, type Owner } from './fixture.ts'

const LEASED = { limit: 10_000, per: 'month', atRisk: 500 } as const

/** Each exchange is answered after 20 ms. */
function slow({ net }: Owner): void {
  net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 20 })
}

describe('what an answer does for requests that wait', () => {
  test('O8 L7: requests queued while an exchange is in flight are served from the lease that it brings, without another call', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const calls = one.vsa.budget('calls', LEASED)
    await one.vsa.ready()
    slow(one)
    const first = calls.admit()
    await clock.advance(1)
    const behind = [calls.admit(), calls.admit(2)]
    await clock.advance(30)
    expect(await Promise.all([first, ...behind])).toEqual([true, true, true])
    expect(one.batches).toHaveLength(1)
    await clock.advance(FLUSH_MS)
    expect((await row('calls')).used).toBe(4)
    expect(one.vsa.stats().admittedUnits).toBe(4)
  })

  test('O12: a request that waits for a refund of this owner marks nothing as wanted', async () => {
    const { clock, owner } = bench()
    const [seller, one] = [owner(), owner()]
    await seller.vsa.budget('seats', { initial: 10 }).admit(10)
    const seats = one.vsa.budget('seats', { initial: 10 })
    await one.vsa.ready()
    slow(one)
    const asked = seats.admit(3)
    await clock.advance(1)
    seats.refund(4)
    await clock.advance(3 * FLUSH_MS)
    expect(await asked).toBe(true)
    expect(one.batches.length).toBeGreaterThan(1)
    const wants = one.batches.flatMap(({ entries }) => entries.map((entry) => entry.kind === 'budget' && entry.wantMs))
    expect(new Set(wants)).toEqual(new Set([0]))
  })

  test('S4: a request whose row the store refuses goes again after a pause, once each time', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const exchange = one.net.exchange.bind(one.net)
    one.net.exchange = async (batch) => {
      const answer = await exchange({ ...batch, entries: [], takes: [] })
      if (answer.kind !== 'applied') return answer
      const entries = batch.entries.map(() => ({ kind: 'period_closed' }) as const)
      return { ...answer, entries, granted: batch.takes.map(() => 0) }
    }
    const asked = one.vsa.budget('seats', { initial: 10 }).admit(3)
    await clock.advance(5 * FLUSH_MS)
    expect(one.batches.length).toBeGreaterThan(3)
    expect(one.batches.length).toBeLessThanOrEqual(6)
    expect(one.batches.flatMap(({ takes }) => takes.map(({ n }) => n))).toEqual(one.batches.map(() => 1))
    one.net.exchange = exchange
    await clock.advance(2 * FLUSH_MS)
    expect(await asked).toBe(true)
    expect((await row('seats')).used).toBe(3)
  })

  test('O6: a lease that was fetched ahead goes back when the new period does not use it', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const calls = one.vsa.budget('calls', { limit: 1_000, per: 'minute', atRisk: 100 })
    await calls.admit()
    await clock.advance(59_500)
    for (let turn = 0; turn < 4; turn += 1) {
      await calls.admit()
      await clock.advance(100)
    }
    await clock.advance(150)
    expect(one.vsa.stats().leasedUnits).toBeGreaterThan(0)
    await clock.advance(1_000)
    expect(one.vsa.stats().leasedUnits).toBe(0)
    expect(clock.timers).toBe(0)
  })
})
