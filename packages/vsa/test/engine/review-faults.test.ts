import { describe, expect, test } from 'vitest'
import { bench, codeOf, FLUSH_MS, type Owner } from './fixture.ts'

const LEASED = { limit: 1_000_000, per: 'month', atRisk: 60 } as const

function damage({ net }: Owner, key: string, now: () => number): void {
  const exchange = net.exchange.bind(net)
  net.exchange = async (batch) => {
    const bad = batch.entries.find((entry) => entry.kind === 'budget' && entry.key === key)
    if (bad?.kind !== 'budget') return exchange(batch)
    return { kind: 'breach', time: now(), row: { key, period: bad.period }, detail: 'planted' }
  }
}

describe('faults, reviewed', () => {
  test('S6: nothing more is sent of a quarantined budget, and whoever asks is told', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit(4)
    damage(one, 'seats', () => clock.now())
    const minted = seats.mint(5, { id: 'a' }).catch((error: unknown) => error)
    const later = seats.mint(5, { id: 'b' }).catch((error: unknown) => error)
    await clock.settle()
    expect(await minted).toMatchObject({ code: 'quarantined' })
    expect(await later).toMatchObject({ code: 'quarantined' })
    const sent = one.batches.length
    seats.refund(2)
    await expect(seats.mint(5, { id: 'c' })).rejects.toMatchObject({ code: 'quarantined' })
    await clock.advance(5 * FLUSH_MS)
    expect(one.batches.length).toBe(sent)
    expect(one.events.filter((event) => event.type === 'quarantined')).toHaveLength(1)
    expect(one.vsa.stats().refundsRefused).toBe(2)
    await one.vsa.close()
  })

  test('S6: 200,000 requests that wait for a budget whose books are damaged are told, and the others go on', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const [bad, good] = [one.vsa.budget('bad', { initial: 10 }), one.vsa.budget('good', { initial: 10 })]
    await bad.admit()
    damage(one, 'bad', () => clock.now())
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

  test('O5: admitted units are counted once, also of requests that move to the next epoch', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 500 })
    const [one, other] = [owner({ exchangeTimeoutMs: 700 }), owner()]
    const budget = one.vsa.budget('calls', LEASED)
    await budget.admit()
    one.net.inject('exchange', { kind: 'lost_request' })
    const asked = budget.admit(3, { durable: true })
    await clock.advance(550)
    await other.vsa.budget('x', { initial: 1 }).admit()
    await clock.advance(3_000)
    expect(await asked).toBe(true)
    expect(one.vsa.stats()).toMatchObject({ operations: 2, admittedUnits: 4 })
  })

  test('O4 S6: refunds beyond 2^53 - 1 units together harm nobody', async () => {
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

  test('S4 O11: an owner that slept through the end of its period goes on in the next one, and raises no alarm', async () => {
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

  test('O10: an error that somebody must act on says of a batch under way that it may have been applied', async () => {
    const { clock, owner, row } = bench()
    const one = owner({ exchangeTimeoutMs: 100 })
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    one.net.inject('exchange', { kind: 'lost_answer' })
    const asked = seats.admit(3).catch((error: unknown) => error)
    await clock.advance(50)
    const { StoreError } = await import('../../src/index.ts')
    const exchange = one.net.exchange.bind(one.net)
    one.net.exchange = () => Promise.reject(new StoreError('disk_full', 'planted', { applied: 'no', transient: false }))
    await clock.advance(200)
    expect(await asked).toMatchObject({ code: 'store_unavailable', applied: 'unknown' })
    one.net.exchange = exchange
    await clock.advance(5_000)
    expect(await row('seats')).toMatchObject({ used: 1 })
  })
})
