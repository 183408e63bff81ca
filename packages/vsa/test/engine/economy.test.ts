import { describe, expect, test } from 'vitest'
import { lowWaterOf } from '../../src/core/lease-sizing.ts'
import { bench, FLUSH_MS } from './fixture.ts'

const HUGE = { limit: 10 ** 9, per: 'month', atRisk: 10 ** 7 } as const

describe('what is written', () => {
  test('L7: a million operations on one key that net to +200 become one record', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', HUGE)
    for (let warm = 0; warm < 3; warm += 1) {
      await budget.admit(400)
      await vsa.flush()
    }
    const before = vsa.stats()
    let admitted = 0
    for (let call = 0; call < 500_100; call += 1) {
      if (budget.tryAdmit()) admitted += 1
      if (call < 499_900) budget.refund()
    }
    expect(admitted).toBe(500_100)
    await clock.advance(FLUSH_MS)
    const after = vsa.stats()
    expect(after.operations - before.operations).toBe(1_000_000)
    expect(after.records - before.records).toBe(1)
    expect((await row('calls')).used).toBe(1_400)
  })

  test('L7: churn to zero writes nothing', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', HUGE)
    await budget.admit(3)
    await clock.advance(FLUSH_MS)
    const before = vsa.stats()
    for (let call = 0; call < 100_000; call += 1) {
      budget.tryAdmit(2)
      budget.refund(2)
    }
    await clock.advance(FLUSH_MS)
    expect(vsa.stats().records).toBe(before.records)
  })

  test('L7 O6: a budget whose units all come back keeps its lease, and writes nothing however long that goes on', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', HUGE)
    await budget.admit()
    await clock.advance(FLUSH_MS)
    const before = vsa.stats()
    for (let flush = 0; flush < 30; flush += 1) {
      for (let call = 0; call < 10; call += 1) {
        expect(budget.tryAdmit(2)).toBe(true)
        budget.refund(2)
      }
      await clock.advance(FLUSH_MS)
    }
    const after = vsa.stats()
    expect([after.records - before.records, after.leaseRecords - before.leaseRecords]).toEqual([0, 0])
    await clock.advance(4 * FLUSH_MS)
    expect(vsa.stats().leasedUnits).toBe(0)
  })

  test('L7: a flush writes one record for each budget that changed, in one store call per 1,000 budgets', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const calls = vsa.budgets('calls', HUGE)
    const ids = Array.from({ length: 2_500 }, (_, at) => `t${at}`)
    await Promise.all(ids.map((id) => calls.of(id).admit()))
    await vsa.flush()
    const before = vsa.stats()
    for (const id of ids.slice(0, 1_500)) expect(calls.of(id).tryAdmit(2)).toBe(true)
    await clock.advance(FLUSH_MS)
    const after = vsa.stats()
    expect(after.records - before.records).toBe(1_500)
    expect(after.exchanges - before.exchanges).toBe(2)
  })

  test('L7: an exchange for a waiting request carries no other row’s delta: that goes with the flush', async () => {
    const { clock, owner } = bench()
    const { vsa, batches } = owner()
    const budget = vsa.budget('calls', HUGE)
    await budget.admit()
    expect(budget.tryAdmit()).toBe(true)
    await vsa.budget('seats', { initial: 9 }).admit()
    expect(batches.at(-1)?.entries.map((entry) => entry.kind === 'budget' && entry.key)).toEqual(['seats'])
    await clock.advance(FLUSH_MS)
    expect(batches.at(-1)?.entries).toMatchObject([{ key: 'calls', spent: 1 }])
  })

  test('L7: in steady state the lease does not change, and a flush writes one row', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', HUGE)
    await budget.admit()
    const round = async (): Promise<void> => {
      for (let call = 0; call < 40; call += 1) budget.tryAdmit()
      await clock.advance(FLUSH_MS)
    }
    for (let warm = 0; warm < 12; warm += 1) await round()
    const before = vsa.stats()
    for (let flush = 0; flush < 10; flush += 1) await round()
    const after = vsa.stats()
    expect(after.records - before.records).toBe(10)
    expect(after.leaseRecords - before.leaseRecords).toBe(0)
    expect(after.exchanges - before.exchanges).toBe(10)
  })

  test('O6: a lease unused for three flush intervals goes back, and then the owner has no timer', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    await vsa.budget('calls', HUGE).admit()
    expect(vsa.stats().leasedUnits).toBeGreaterThan(0)
    await clock.advance(6 * FLUSH_MS)
    expect(vsa.stats().leasedUnits).toBe(0)
    expect(await row('calls')).toMatchObject({ used: 1, pool: 10 ** 9 - 1 })
    await clock.advance(6 * FLUSH_MS)
    expect(clock.timers).toBe(0)
  })

  test('O6: a busy owner that holds leases keeps its epoch open', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 900 })
    const { vsa, events } = owner({ flushIntervalMs: 60_000 })
    const budget = vsa.budget('calls', HUGE)
    await budget.admit()
    const other = owner()
    for (let second = 0; second < 20; second += 1) {
      await clock.advance(500)
      await other.vsa.budget('x', { initial: 10 ** 6 }).admit()
    }
    expect(events.filter((event) => event.type === 'fenced')).toEqual([])
    expect(budget.tryAdmit()).toBe(true)
  })

  test('L7: a key that is asked for rarely costs one record and one store call a request, once its lease has gone back untouched', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', HUGE)
    await budget.admit()
    await clock.advance(10 * FLUSH_MS)
    const before = vsa.stats()
    for (let request = 0; request < 20; request += 1) {
      expect(await budget.admit()).toBe(true)
      await clock.advance(10 * FLUSH_MS)
    }
    const after = vsa.stats()
    expect([
      after.records - before.records,
      after.exchanges - before.exchanges,
      after.leaseRecords - before.leaseRecords,
    ]).toEqual([20, 20, 0])
    // Requests come more often: the second one in a row gets a lease again.
    await budget.admit()
    await budget.admit()
    expect(budget.tryAdmit()).toBe(true)
    await clock.advance(10 * FLUSH_MS)
    await budget.admit()
    expect(budget.tryAdmit()).toBe(true)
  })

  test('O7: the lease follows the demand by factors of two, and never exceeds atRisk', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 10 ** 6, per: 'month', atRisk: 500 })
    await budget.admit()
    const leases: number[] = []
    for (let flush = 0; flush < 12; flush += 1) {
      for (let call = 0; call < 90; call += 1) budget.tryAdmit()
      await clock.advance(FLUSH_MS)
      leases.push(vsa.stats().leasedUnits)
    }
    expect(Math.max(...leases)).toBeLessThanOrEqual(500)
    expect(leases.at(-1)).toBeGreaterThanOrEqual(180)
    expect(lowWaterOf(256)).toBe(64)
  })

  test('G3: an engine with ten thousand idle budgets has no timer', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const calls = vsa.budgets('calls', { limit: 100, per: 'month' })
    for (let id = 0; id < 10_000; id += 1) calls.of(String(id))
    await clock.advance(1_000)
    expect(clock.timers).toBe(0)
  })

  test('counters coalesce, and a read is exact', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const likes = vsa.counter('post:9:likes')
    for (let like = 0; like < 1_000; like += 1) likes.add(like % 2 === 0 ? 3 : -2)
    await clock.advance(FLUSH_MS)
    expect(vsa.stats()).toMatchObject({ records: 1, exchanges: 1, operations: 1_000 })
    likes.add(-7)
    expect(await likes.read()).toBe(493)
    likes.add(5)
    likes.add(-5)
    await clock.advance(FLUSH_MS)
    expect(vsa.stats().records).toBe(2)
    expect(await owner().vsa.counter('post:9:likes').read()).toBe(493)
  })

  test('L3: a read of one counter between flushes leaves the additions of the others for the next flush', async () => {
    const { clock, owner } = bench()
    const { vsa, batches } = owner({ flushIntervalMs: 60_000 })
    const counters = ['a', 'b', 'c'].map((key) => vsa.counter(key))
    const [first, read, third] = counters
    for (const counter of counters) counter.add(4)
    expect(await read?.read()).toBe(4)
    expect(batches.map(({ entries }) => entries)).toMatchObject([[{ kind: 'counter', key: 'b', add: 4 }]])
    third?.add(1)
    await clock.advance(60_000)
    expect(vsa.stats()).toMatchObject({ records: 3, exchanges: 2 })
    const other = owner().vsa
    expect([await other.counter('a').read(), await other.counter('c').read()]).toEqual([4, 5])
    first?.add(2)
    expect(await first?.read()).toBe(6)
  })

  test('S6: a counter that would leave the safe integers is reported and keeps what was added; other rows go on', async () => {
    const { clock, owner } = bench()
    const { vsa, events } = owner()
    const [big, small] = [vsa.counter('big'), vsa.counter('small')]
    big.add(2 ** 53 - 1)
    await clock.advance(FLUSH_MS)
    big.add(5)
    small.add(1)
    await clock.advance(FLUSH_MS)
    expect(events).toContainEqual({ type: 'counter_overflow', key: 'big', pending: 5 })
    expect(await small.read()).toBe(1)
    big.add(-6)
    expect(await big.read()).toBe(2 ** 53 - 2)
    expect(() => (big.add(2 ** 53 - 1), big.add(2 ** 53 - 1))).toThrow(RangeError)
  })
})
