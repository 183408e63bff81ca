import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import { bench, FLUSH_MS } from './fixture.ts'

describe('events', () => {
  test('thresholds of a rarely used budget are reported once each', async () => {
    const { clock, owner } = bench()
    const { vsa, events } = owner({ thresholds: [0.5, 1] })
    const [seats, calls] = [
      vsa.budget('seats', { initial: 10 }),
      vsa.budget('calls', { limit: 10, per: 'month', atRisk: 4 }),
    ]
    for (let turn = 0; turn < 12; turn += 1) {
      await Promise.all([seats.admit(), calls.admit()])
      await clock.advance(10 * FLUSH_MS)
    }
    const reported = events
      .filter((event) => event.type === 'threshold')
      .map(({ key, fraction }) => `${key} ${fraction}`)
    expect(reported.toSorted()).toEqual(['calls 0.5', 'calls 1', 'seats 0.5', 'seats 1'])
  })

  test('S3: a limit that another process holds is reported once, not with each request', async () => {
    const { clock, owner } = bench()
    const [old, young] = [owner(), owner()]
    await young.vsa.budget('calls', { limit: 30, per: 'month' }).admit()
    for (let turn = 0; turn < 5; turn += 1) {
      await old.vsa.budget('calls', { limit: 10, per: 'month' }).admit()
      await clock.advance(10 * FLUSH_MS)
    }
    expect(old.events.filter((event) => event.type === 'policy_conflict')).toHaveLength(1)
  })

  test('S3: a limit that another process changes while this one is idle is reported by the next answer, once', async () => {
    const { clock, owner } = bench()
    const old = owner()
    const calls = old.vsa.budget('calls', { limit: 10, per: 'month' })
    await calls.admit()
    await clock.advance(10 * FLUSH_MS)
    await owner().vsa.budget('calls', { limit: 30, per: 'month' }).admit()
    for (let turn = 0; turn < 5; turn += 1) {
      await calls.admit()
      await clock.advance(10 * FLUSH_MS)
    }
    const reported = old.events.filter((event) => event.type === 'policy_conflict')
    expect(reported).toEqual([{ type: 'policy_conflict', key: 'calls', declared: 10, holds: 30 }])
  })

  test('L4: units that burn while the budget is idle are reported by the next answer, and so is burnMax', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 1_000 })
    const policy = { limit: 1_000, per: 'month', atRisk: 100, burnMax: 8 } as const
    const idle = owner()
    const calls = idle.vsa.budget('calls', policy)
    await calls.admit()
    await clock.advance(10 * FLUSH_MS)
    const victim = owner()
    await victim.vsa.budget('calls', policy).admit()
    victim.net.cut('hang')
    await clock.advance(1_100)
    await calls.admit()
    await clock.advance(10 * FLUSH_MS)
    await calls.admit()
    const { burned, period } = await row('calls')
    expect(burned).toBeGreaterThanOrEqual(8)
    const reported = idle.events.filter(({ type }) => type === 'burned' || type === 'burn_limit')
    expect(reported).toEqual([
      { type: 'burned', key: 'calls', period, units: burned, burned },
      { type: 'burn_limit', key: 'calls', period, burned },
    ])
    // A process that starts now did not see it.
    const young = owner()
    await young.vsa.budget('calls', policy).admit()
    expect(young.events.slice(1)).toEqual([{ type: 'burn_limit', key: 'calls', period, burned }])
  })

  test('every event is published on the diagnostics channel as well', async () => {
    const { owner } = bench()
    const heard: unknown[] = []
    const listen = (event: unknown): void => void heard.push(event)
    subscribe('vsa', listen)
    const { vsa, events } = owner()
    await vsa.ready()
    unsubscribe('vsa', listen)
    expect(heard).toEqual(events)
    expect(events).toEqual([{ type: 'joined', epoch: 1 }])
  })

  test('a threshold that is crossed again and again is reported once for a period, and again for what is minted on top', async () => {
    const { clock, owner } = bench()
    const { vsa, events } = owner({ thresholds: [0.5, 1] })
    const credits = vsa.budget('credits', { initial: 10 })
    const calls = vsa.budget('calls', { limit: 10, per: 'minute', atRisk: 0 })
    const seen = (): string[] =>
      events.flatMap((event) => (event.type === 'threshold' ? `${event.key} ${event.fraction} of ${event.limit}` : []))
    for (let turn = 0; turn < 40; turn += 1) {
      await Promise.all([credits.admit(5), calls.admit(5)])
      credits.refund(5)
      calls.refund(5)
      // Longer than rows are kept while they are idle.
      await clock.advance(turn % 4 === 0 ? 1_500 : 110)
    }
    expect(seen().toSorted()).toEqual(['calls 0.5 of 10', 'credits 0.5 of 10'])
    await credits.mint(10, { id: 'more' })
    await clock.advance(60_000)
    await Promise.all([credits.admit(19), calls.admit(6)])
    expect(seen().toSorted()).toEqual(['calls 0.5 of 10', 'calls 0.5 of 10', 'credits 0.5 of 10', 'credits 0.5 of 20'])
  })

  test('thresholds are reported once each', async () => {
    const { clock, owner } = bench()
    const { vsa, events } = owner({ thresholds: [0.5, 1] })
    const seats = vsa.budget('seats', { initial: 10 })
    for (let seat = 0; seat < 12; seat += 1) {
      await seats.admit()
      await clock.advance(10)
    }
    expect(events.filter((event) => event.type === 'threshold').map((event) => event.fraction)).toEqual([0.5, 1])
  })
})
