import { describe, expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

// Promises of the README (docs/claims.md) that are about several rules at once.

describe('what a crash loses', () => {
  test('L4: the refunds and additions that were not sent, and the rest of the lease', async () => {
    const { clock, owner, row } = bench()
    const first = owner()
    const calls = first.vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 10 })
    const likes = first.vsa.counter('likes')
    await calls.admit(20)
    likes.add(3)
    await first.vsa.flush()
    const { used, minted } = await row('calls')
    const { leasedUnits } = first.vsa.stats()
    calls.refund(5)
    likes.add(4)
    first.net.cut('hang')
    await clock.advance(30_000)

    const second = owner()
    const again = second.vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 10 })
    expect(await again.admit(0)).toBe(true)
    const remaining = minted - used - leasedUnits
    expect(await again.peek()).toMatchObject({ used, remaining, burned: leasedUnits })
    expect(leasedUnits).toBeLessThanOrEqual(10)
    expect(await second.vsa.counter('likes').read()).toBe(3)
    await second.vsa.close()
  })

  test('L4: nothing of a durable budget, although the process dies right after the answer', async () => {
    const { clock, owner } = bench()
    const first = owner()
    const admitted = await first.vsa.budget('seats', { initial: 10 }).admit(4)
    first.net.cut('hang')
    await clock.advance(30_000)
    const second = owner()
    const seats = second.vsa.budget('seats', { initial: 10 })
    expect(admitted).toBe(true)
    expect(await seats.peek()).toMatchObject({ used: 4, remaining: 6, burned: 0 })
    expect([await seats.admit(6), await seats.admit()]).toEqual([true, false])
    await second.vsa.close()
  })
})

test('a refund and an addition are durable with the next flush', async () => {
  const { clock, owner, row } = bench()
  const { vsa } = owner()
  const seats = vsa.budget('seats', { initial: 10 })
  await seats.admit(4)
  seats.refund(3)
  vsa.counter('likes').add(2)
  expect((await row('seats')).used).toBe(4)
  await clock.advance(FLUSH_MS)
  expect((await row('seats')).used).toBe(1)
  const other = owner()
  expect(await other.vsa.counter('likes').read()).toBe(2)
  await Promise.all([vsa.close(), other.vsa.close()])
})

test('L1: units come from a lease that the store has set aside before any of them is admitted', async () => {
  const { owner, books } = bench()
  const { vsa, net } = owner()
  const calls = vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 10 })
  await calls.admit()
  net.cut('refuse')
  const { rows } = await books.list({ key: 'calls', limit: 1 })
  const heldByStore = rows.flatMap(({ leases }) => leases).reduce((sum, { held }) => sum + held, 0)
  let admitted = 0
  while (calls.tryAdmit()) admitted += 1
  expect(heldByStore).toBeGreaterThan(0)
  expect(admitted).toBe(heldByStore)
})

test('the README’s test of a period needs one clock and no sleep', async () => {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock })
  const calls = vsa.budget('calls', { limit: 1, per: 'hour' })
  expect([await calls.admit(), await calls.admit()]).toEqual([true, false])
  await clock.advance(3_600_000)
  expect(await calls.admit()).toBe(true)
  await vsa.close()
})

test('A3: decideAll names the budget that refused, whatever its place, and takes nothing from the others', async () => {
  const { owner, row } = bench()
  const { vsa } = owner()
  const [first, second, third] = ['a', 'b', 'c'].map((key) => vsa.budget(key, { initial: key === 'b' ? 1 : 10 }))
  if (first === undefined || second === undefined || third === undefined) throw new Error('three budgets')
  const decision = await vsa.decideAll([
    [first, 1],
    [second, 2],
    [third, 1],
  ])
  expect(decision).toMatchObject({ admitted: false, key: 'b', units: 2 })
  // From memory as well.
  await second.admit()
  expect(await second.admit()).toBe(false)
  const again = await vsa.decideAll([
    [third, 1],
    [first, 1],
    [second, 1],
  ])
  expect(again).toMatchObject({ admitted: false, key: 'b', reason: 'exhausted' })
  expect([(await row('a')).used, (await row('c')).used]).toEqual([0, 0])
})
