import { describe, expect, test } from 'vitest'
import { bench, holdLease } from './fixture.ts'

const LEASED = { limit: 100, per: 'month', atRisk: 60 } as const

describe('an owner whose epoch is over', () => {
  test('L3 O5: a take whose answer is lost, and whose epoch is then reaped: every request gets its outcome', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 500 })
    const [first, other] = [owner({ exchangeTimeoutMs: 900 }), owner()]
    const seats = first.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    await holdLease(first)
    first.net.inject('exchange', { kind: 'lost_answer' })
    const asked = Promise.all([seats.admit(4), seats.admit(4), seats.admit(4)])
    await clock.advance(700)
    await other.vsa.budget('x', { initial: 1 }).admit()
    await clock.advance(3_000)
    expect(await asked).toEqual([true, true, false])
    expect(await row('seats')).toMatchObject({ used: 9, pool: 1, burned: 0 })
    expect(first.events.map((event) => event.type)).toContain('fenced')
  })

  test('O5: requests of a batch that was not applied move to the new epoch', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 500 })
    const [first, other] = [owner({ exchangeTimeoutMs: 900 }), owner()]
    const seats = first.vsa.budget('seats', { initial: 10 })
    const likes = first.vsa.counter('likes')
    await seats.admit()
    await holdLease(first)
    first.net.inject('exchange', { kind: 'lost_request' })
    likes.add(7)
    const asked = Promise.all([seats.admit(4), likes.read()])
    await clock.advance(700)
    await other.vsa.budget('x', { initial: 1 }).admit()
    await clock.advance(3_000)
    expect(await asked).toEqual([true, 7])
    expect(await row('seats')).toMatchObject({ used: 5 })
    expect(first.vsa.stats().epoch).toBe(3)
  })

  test('O5: an owner that slept beyond its lease is fenced: what it spent is burned, and it goes on under a new epoch', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 1_000 })
    const [sleeper, other] = [owner(), owner()]
    const budget = sleeper.vsa.budget('calls', LEASED)
    await budget.admit(10)
    sleeper.net.cut('hang')
    expect(budget.tryAdmit(5)).toBe(true)
    await clock.advance(3_000)
    await other.vsa.budget('x', { initial: 1 }).admit()
    const { burned } = await row('calls')
    expect(burned).toBeGreaterThanOrEqual(5)
    sleeper.net.heal()
    await clock.advance(5_000)
    expect(sleeper.events).toContainEqual({ type: 'fenced', epoch: 1, unitsLost: burned })
    expect(await budget.admit(2)).toBe(true)
    expect(sleeper.vsa.stats().epoch).toBe(3)
    await sleeper.vsa.close()
    expect(await row('calls')).toMatchObject({ used: 12, burned })
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

  test('O4 O5 L3: a refund that lowered the spending of a durable request moves to the new epoch with that request', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 1_000 })
    const { vsa, net, events } = owner()
    const credits = vsa.budget('credits', { initial: 50, atRisk: 12 })
    await credits.admit(2)
    // The lease covers it: it spends now, and waits for the exchange that carries the spending.
    const durable = credits.admit(4, { durable: true })
    credits.refund(2)
    net.cut('refuse')
    await clock.advance(1_500)
    const other = owner()
    await other.vsa.ready()
    net.heal()
    await clock.advance(3_000)
    expect(await durable).toBe(true)
    await vsa.close()
    expect(events.map(({ type }) => type)).toContain('fenced')
    expect((await row('credits')).used).toBe(4)
  })

  test('O5: refunds that wait move to the new epoch', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 500 })
    const [first, other] = [owner(), owner()]
    const seats = first.vsa.budget('seats', { initial: 10 })
    await seats.admit(8)
    await holdLease(first)
    first.net.cut('hang')
    seats.refund(3)
    await clock.advance(1_000)
    await other.vsa.budget('x', { initial: 1 }).admit()
    first.net.heal()
    await clock.advance(5_000)
    expect(first.vsa.stats().epoch).toBe(3)
    expect(await row('seats')).toMatchObject({ used: 5, burned: 0 })
  })
})
