import { describe, expect, test } from 'vitest'
import { bench, FLUSH_MS } from './fixture.ts'

describe('events, reviewed', () => {
  test('thresholds of a budget that is asked now and then are told once each', async () => {
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
    const told = events.filter((event) => event.type === 'threshold').map(({ key, fraction }) => `${key} ${fraction}`)
    expect(told.toSorted()).toEqual(['calls 0.5', 'calls 1', 'seats 0.5', 'seats 1'])
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

  test('L3: mints that were given up while the store was away are not sent one by one when it is back', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner({ deadlineMs: 100 })
    const seats = vsa.budget('seats', { initial: 0 })
    await seats.admit()
    net.cut('refuse')
    for (let turn = 0; turn < 50; turn += 1) {
      const told = expect(seats.mint(5, { id: 'balcony' })).rejects.toMatchObject({ code: 'store_unavailable' })
      await clock.advance(110)
      await told
    }
    net.heal()
    const before = vsa.stats().exchanges
    const minted = seats.mint(5, { id: 'balcony' }).catch(() => undefined)
    await clock.advance(3_000)
    await minted
    expect(vsa.stats().exchanges - before).toBeLessThanOrEqual(8)
    expect((await row('seats')).minted).toBeLessThanOrEqual(5)
  })
})
