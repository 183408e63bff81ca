import { describe, expect, test, vi } from 'vitest'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import type { Decision } from '../../src/index.ts'
import { open } from '../../src/index.ts'
import { newPath } from '../stores/sqlite-fixture.ts'
import { bench, FLUSH_MS, periodOf } from './fixture.ts'

/* The store's clock was ahead, and was set back: store time goes on at half pace until the clock has caught up (S1), and owners follow it (O11). */

const HOUR_MS = 3_600_000
const SECONDLY = { limit: 10, per: 'second', retentionMs: HOUR_MS } as const

function inOrder(decisions: readonly Decision[]): boolean {
  const periods = decisions.map(periodOf)
  return periods.every((period, at) => period >= (periods[at - 1] ?? 0))
}

describe('store time that is ahead of the clock', () => {
  test('S1 O11 L1 L5: a budget per second goes on admitting, each period’s limit to the unit, and enters no earlier period', async () => {
    const { clock, owner, books } = bench()
    clock.jumpWall(HOUR_MS)
    const { vsa } = owner()
    const budget = vsa.budget('calls', SECONDLY)
    expect(await budget.admit()).toBe(true)
    clock.jumpWall(-HOUR_MS)
    const decisions: Decision[] = []
    for (let step = 0; step < 600; step += 1) {
      decisions.push(await budget.decide())
      await clock.advance(50)
    }
    await vsa.close()
    const admitted = decisions.filter((decision) => decision.admitted)
    // Half a minute, at half pace.
    expect(admitted.length).toBeGreaterThanOrEqual(140)
    expect(admitted.length).toBeLessThanOrEqual(170)
    expect(inOrder(decisions)).toBe(true)
    for (const { budget: row } of (await books.list({ limit: 1_000 })).rows) {
      expect(row.used).toBeLessThanOrEqual(10)
      expect(row).toMatchObject({ minted: 10, burned: 0 })
    }
  })

  test('S4 O11 L5: an owner whose time ran ahead while idle is corrected by the first answer, and no request waits for a flush', async () => {
    const { clock, owner } = bench()
    clock.jumpWall(HOUR_MS)
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 10, per: 'second', atRisk: 0 })
    const first = await budget.decide()
    clock.jumpWall(-HOUR_MS)
    const decisions = [first]
    for (let minute = 0; minute < 20; minute += 1) {
      await clock.advance(60_000)
      // The clock stands still until the answer comes.
      decisions.push(await budget.decide())
    }
    expect(decisions.every(({ admitted }) => admitted)).toBe(true)
    expect(inOrder(decisions)).toBe(true)
    expect(vsa.stats().exchanges).toBeLessThanOrEqual(50)
  })

  test('O11: after the clock has caught up, store and owners follow it', async () => {
    const { clock, owner } = bench()
    clock.jumpWall(60_000)
    const { vsa } = owner()
    const budget = vsa.budget('calls', SECONDLY)
    await budget.admit()
    clock.jumpWall(-60_000)
    for (let second = 0; second < 125; second += 1) {
      await clock.advance(1_000)
      await budget.admit()
    }
    expect((await budget.decide()).period).toBe(clock.now() - (clock.now() % 1_000))
  })

  test('S8: living owners are not reaped while store time goes on, and a dead owner is', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 3_000 })
    clock.jumpWall(HOUR_MS)
    const [living, gone] = [owner(), owner()]
    for (const { vsa } of [living, gone]) await vsa.budget('seats', { initial: 100, atRisk: 10 }).admit()
    await clock.advance(FLUSH_MS)
    clock.jumpWall(-HOUR_MS)
    gone.net.cut('refuse')
    for (let second = 0; second < 30; second += 1) {
      await living.vsa.budget('seats', { initial: 100, atRisk: 10 }).admit()
      await clock.advance(1_000)
    }
    expect(living.events.map(({ type }) => type)).not.toContain('fenced')
    // The dead owner had settled what it spent: its lease was full.
    expect(await row('seats')).toMatchObject({ used: 32, burned: 10 })
    const states = (await living.net.owners()).map(({ state }) => state)
    expect(states.toSorted()).toEqual(['closed', 'open'])
  })

  test('O11 L3: a refund goes into its own period’s row, also when the gate is in a later one than store time', async () => {
    const { clock, owner, books } = bench()
    const one = owner()
    const policy = { limit: 10, per: 'minute', atRisk: 0 } as const
    const budget = one.vsa.budget('calls', policy)
    await clock.advance(59_990)
    const early = await budget.decide(4)
    // The store's clock is set back while the owner goes on: it enters the next minute ahead of the store.
    clock.jumpWall(-5_000)
    await clock.advance(20)
    const late = await budget.decide(3)
    expect(late.period).toBe(periodOf(early) + 60_000)
    const used = async (): Promise<number[]> => (await books.list({ limit: 9 })).rows.map((row) => row.budget.used)
    expect(await used()).toEqual([4, 3])
    budget.refund(1, early)
    budget.refund(2, late)
    await clock.advance(FLUSH_MS)
    expect(await used()).toEqual([3, 1])
    expect(one.vsa.stats().refundsRefused).toBe(0)
  })

  test('O11 L9: a gate that is ahead of store time does not go back to the earlier period, even when it is idle or evicted', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner({ budgetsMax: 1 })
    const policy = { limit: 10, per: 'minute', atRisk: 0 } as const
    await clock.advance(25_000)
    const early = await vsa.budget('calls', policy).decide()
    clock.jumpWall(-30_000)
    await clock.advance(40_000)
    const late = await vsa.budget('calls', policy).decide()
    expect(late.period).toBe(periodOf(early) + 60_000)
    await clock.advance(5 * FLUSH_MS)
    for (const key of ['a', 'b', 'c', 'd']) await vsa.budget(key, policy).admit()
    await clock.advance(5 * FLUSH_MS)
    const denied = await vsa.budget('calls', policy).decide(10)
    expect([denied.period, denied.admitted]).toEqual([late.period, false])
    // Units are there again when that period ends, not when the period of store time ends.
    if (denied.admitted || denied.retryAfterMs === undefined) throw new Error('nine units are left')
    expect(denied.retryAfterMs).toBeGreaterThan(60_000)
    // Once store time has caught up, nothing is kept of the row.
    await clock.advance(120_000)
    expect(clock.timers).toBe(0)
  })

  test('O6 O11: an idle owner that is ahead of store time does not wake each flush interval, and flushes in time when it is used', async () => {
    const { clock, owner, row } = bench()
    const timers = vi.spyOn(clock, 'timer')
    const { vsa } = owner()
    const policy = { limit: 10, per: 'minute', atRisk: 0 } as const
    const [ahead, other] = [vsa.budget('calls', policy), vsa.budget('credits', { initial: 10, atRisk: 5 })]
    await clock.advance(25_000)
    await ahead.decide()
    clock.jumpWall(-30_000)
    await clock.advance(40_000)
    await ahead.decide()
    await clock.advance(5 * FLUSH_MS)
    timers.mockClear()
    await clock.advance(20_000)
    expect(timers.mock.calls.length).toBeLessThan(5)
    await other.admit()
    expect(other.tryAdmit()).toBe(true)
    await clock.advance(FLUSH_MS)
    expect((await row('credits')).used).toBe(2)
    await clock.advance(120_000)
    expect(clock.timers).toBe(0)
  })

  test('S1 L5: a budget per second goes on admitting on a file whose handles have clocks that disagree', async () => {
    let now = Date.UTC(2025, 4, 14, 12)
    let aheadMs = HOUR_MS
    const path = newPath()
    const [wrong, right] = [
      sqlite(path, { thread: false, now: () => now + aheadMs }),
      sqlite(path, { thread: false, now: () => now }),
    ]
    const [one, two] = [await wrong.join('one'), await right.join('two')]
    expect(two.time).toBe(one.time)
    aheadMs = 0
    let time = one.time
    for (let step = 1; step <= 40; step += 1) {
      now += 100
      const [store, { epoch, token, incarnation }] = step % 2 === 0 ? [wrong, one] : [right, two]
      const seq = Math.ceil(step / 2)
      const answer = await store.exchange({ epoch, token, incarnation, seq, entries: [], takes: [], close: false })
      expect(answer.kind).toBe('applied')
      expect(answer.time).toBeGreaterThanOrEqual(time)
      time = answer.time
    }
    // One handle measures from its first call behind the clock's change.
    expect(time - one.time).toBe(1_950)
    await Promise.all([wrong.close(), right.close()])
  })
})

test('S1 O11 L5: on a file and with real time, a budget per second goes on when the clock is set back by an hour', async () => {
  let aheadMs = HOUR_MS
  const store = sqlite(newPath(), { thread: false, now: () => Date.now() + aheadMs })
  const vsa = open({ store, deadlineMs: 60_000 })
  const budget = vsa.budget('calls', { limit: 1, per: 'second' })
  await budget.admit()
  aheadMs = 0
  const from = Date.now()
  const periods = new Set<number>()
  while (periods.size < 2 && Date.now() < from + 60_000) {
    const decision = await budget.decide()
    if (decision.admitted) periods.add(periodOf(decision))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await vsa.close()
  expect(periods.size).toBe(2)
})
