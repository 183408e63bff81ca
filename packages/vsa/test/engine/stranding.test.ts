import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/testing/index.ts'
import { wholeBetween } from '../../src/testing/random.ts'
import { bench, FLUSH_MS } from './fixture.ts'

describe('no stranded units', () => {
  test('L5 O12: one request for all that is left gets it, although every other owner holds a lease and uses it', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seededRandom(seed)
      const { clock, owner, row } = bench()
      const owners = Array.from({ length: wholeBetween(random, 2, 5) }, () => owner())
      const policy = {
        limit: wholeBetween(random, 20, 200),
        per: 'month',
        atRisk: wholeBetween(random, 1, 20),
      } as const
      const budgets = owners.map(({ vsa }) => vsa.budget('calls', policy))
      let spent = 0
      for (const budget of budgets) {
        const admitted = budget.admit(3)
        await clock.advance(3 * FLUSH_MS)
        if (await admitted) spent += 3
      }
      const [asker, ...holders] = budgets
      for (let turn = 0; turn < wholeBetween(random, 0, 20); turn += 1) if (asker?.tryAdmit()) spent += 1
      if (random() < 0.5) {
        asker?.refund(3)
        spent -= 3
      }
      const durable = random() < 0.5
      const asked = asker?.decide(policy.limit - spent, { deadlineMs: 3_000, durable })
      for (let turn = 0; turn < 100; turn += 1) {
        for (const budget of holders) if (budget.tryAdmit()) budget.refund()
        await clock.advance(wholeBetween(random, 1, 30))
      }
      await clock.advance(3_000)
      expect(await asked, `seed ${seed}`).toMatchObject({ admitted: true })
      const closing = Promise.all(owners.map(({ vsa }) => vsa.close()))
      await clock.advance(FLUSH_MS)
      await closing
      expect(await row('calls'), `seed ${seed}`).toMatchObject({ used: policy.limit, pool: 0, burned: 0 })
    }
  })

  test('L5: parked requests are tried on their own pace: units that come back within the deadline are admitted, however long the flush interval', async () => {
    const { clock, owner } = bench()
    const slow = { flushIntervalMs: 10_000, deadlineMs: 5_000 }
    const [asker, holder] = [owner(slow), owner(slow)]
    const policy = { limit: 20, per: 'month', atRisk: 20 } as const
    // The holder has leased all that is left, and is idle: it hears of the want with its next keepalive.
    expect(await holder.vsa.budget('calls', policy).admit(12)).toBe(true)
    expect(holder.vsa.stats().leasedUnits).toBe(8)
    const asked = asker.vsa.budget('calls', policy).decide(7)
    await clock.advance(5_000)
    expect(await asked).toMatchObject({ admitted: true })
    // One exchange in 100 ms at most while it waited, and no timer for a pace afterwards.
    expect(asker.batches.length).toBeLessThanOrEqual(40)
    const { length } = asker.batches
    await clock.advance(2_000)
    expect(asker.batches.length - length).toBeLessThanOrEqual(1)
  })

  test('L5: other requests of the owner do not put off the next try of parked ones', async () => {
    const { clock, owner } = bench()
    const slow = { flushIntervalMs: 10_000, deadlineMs: 5_000 }
    const [asker, holder] = [owner(slow), owner(slow)]
    const policy = { limit: 20, per: 'month', atRisk: 20 } as const
    expect(await holder.vsa.budget('calls', policy).admit(12)).toBe(true)
    const seats = asker.vsa.budget('seats', { initial: 1_000 })
    let isAdmitted = false
    const asked = asker.vsa
      .budget('calls', policy)
      .admit(7)
      .then((is) => (isAdmitted = is))
    await clock.settle()
    const flushed = holder.vsa.flush({ returnLeases: true })
    for (let turn = 0; turn < 10; turn += 1) {
      await seats.admit()
      await clock.advance(20)
    }
    expect(isAdmitted).toBe(true)
    await Promise.all([asked, flushed])
  })

  test('L5: units that another owner refunds after a denial are admitted', async () => {
    const { clock, owner } = bench()
    const [first, second] = [owner(), owner()]
    const seats = { initial: 10 } as const
    await first.vsa.budget('seats', seats).admit(10)
    await first.vsa.budget('lease', { initial: 10, atRisk: 5 }).admit(5)
    const denied = await second.vsa.budget('seats', seats).decide(4)
    expect(denied).toMatchObject({ admitted: false, reason: 'exhausted' })
    first.vsa.budget('seats', seats).refund(4)
    await clock.advance(2 * FLUSH_MS)
    expect(await second.vsa.budget('seats', seats).admit(4)).toBe(true)
  })
})

describe('an owner with a long flush interval', () => {
  const POLICY = { limit: 20_000, per: 'month', atRisk: 2_000 } as const

  test('O12: one request of it stops the leases of the others for a second at most', async () => {
    const { clock, owner, row } = bench()
    const [slow, holder, third] = [owner({ flushIntervalMs: 30_000 }), owner(), owner()]
    const [asked, busy, late] = [slow, holder, third].map(({ vsa }) => vsa.budget('calls', POLICY))
    await busy?.admit(8)
    // All but what the holder leases.
    expect(await asked?.admit((await row('calls')).pool)).toBe(true)
    const denied = asked?.admit(8, { deadlineMs: 100 })
    await clock.advance(200)
    expect((await row('calls')).wantedUntil).toBeGreaterThan(clock.now())
    await denied
    busy?.refund(8)
    await clock.advance(200)
    await slow.vsa.close()
    await clock.advance(1_000)
    await late?.admit()
    await clock.advance(FLUSH_MS)
    expect(await row('calls')).toMatchObject({ wantedUntil: 0 })
    expect(third.vsa.stats().leasedUnits).toBeGreaterThan(0)
  })

  test('O12: while a request of it waits, the row stays wanted', async () => {
    const { clock, owner, row } = bench()
    const [slow, holder] = [owner({ flushIntervalMs: 400 }), owner({ flushIntervalMs: 30_000 })]
    const policy = { initial: 10, atRisk: 10 } as const
    expect(await holder.vsa.budget('seats', policy).admit(2)).toBe(true)
    holder.net.cut('hang')
    const asked = slow.vsa.budget('seats', policy).admit(8, { deadlineMs: 4_000 })
    const wanted: boolean[] = []
    for (let ms = 0; ms < 3_000; ms += 100) {
      await clock.advance(100)
      wanted.push((await row('seats')).wantedUntil > clock.now())
    }
    expect(wanted.slice(10).every(Boolean)).toBe(true)
    await clock.advance(1_500)
    await asked
  })
})
