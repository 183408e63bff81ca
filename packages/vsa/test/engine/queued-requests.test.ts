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

  test('O12: a request that only this owner’s own lease keeps from its units marks nothing as wanted', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const [calls, seats] = [
      one.vsa.budget('calls', { limit: 20, per: 'month', atRisk: 20 }),
      one.vsa.budget('seats', { initial: 5 }),
    ]
    expect(await calls.admit(12)).toBe(true)
    expect(one.vsa.stats().leasedUnits).toBe(8)
    const asked = one.vsa.admitAll([
      [calls, 7],
      [seats, 1],
    ])
    await clock.advance(5 * FLUSH_MS)
    expect(await asked).toBe(true)
    const wants = one.batches.flatMap(({ entries }) => entries.map((entry) => entry.kind === 'budget' && entry.wantMs))
    expect(new Set(wants)).toEqual(new Set([0]))
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
