import { describe, expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock } from '../../src/testing/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

const MONTH_END = Date.UTC(2025, 1, 1)

describe('hints for a retry', () => {
  test('O11: where the period turns while the exchange is under way, the hint is not a whole period', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const calls = one.vsa.budget('calls', { limit: 3, per: 'month', atRisk: 0 })
    await clock.advance(MONTH_END - clock.now() - 10)
    const other = owner()
    expect(await other.vsa.budget('calls', { limit: 3, per: 'month', atRisk: 0 }).admit(3)).toBe(true)
    await one.vsa.counter('likes').read()
    one.net.inject('exchange', { kind: 'delay', requestMs: 15, answerMs: 15 })
    const asked = calls.decide()
    await clock.advance(30)
    const denied = await asked
    if (denied.admitted) throw new Error('the limit of the month was spent')
    expect(denied.resetAtMs).toBe(MONTH_END)
    expect(denied.retryAfterMs).toBe(1)
    await clock.advance(1)
    expect(await calls.admit()).toBe(true)
  })

  test('O11: the hint leads beyond the period’s end, however far the answer was delayed', async () => {
    for (let beforeMs = 1; beforeMs <= 12; beforeMs += 1) {
      const { clock, owner } = bench()
      const one = owner()
      const calls = one.vsa.budget('calls', { limit: 1, per: 'second', atRisk: 0 })
      await calls.admit()
      await clock.advance(1_000 - beforeMs)
      one.net.inject('read', { kind: 'delay', requestMs: 2, answerMs: 3 })
      const asked = calls.decide()
      await clock.advance(6)
      const decision = await asked
      if (decision.admitted) continue
      await clock.advance(decision.retryAfterMs ?? 0)
      const again = calls.admit()
      await clock.advance(6)
      expect(await again, `${beforeMs} ms before the end`).toBe(true)
    }
  })

  test('a request for several budgets that reaches its deadline names the one whose units others hold', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 60_000 })
    const [dead, asker] = [owner(), owner()]
    const scarce = { limit: 20, per: 'month', atRisk: 20 } as const
    await dead.vsa.budget('scarce', scarce).admit(12)
    dead.net.cut('hang')
    const plenty = asker.vsa.budget('plenty', { limit: 1_000, per: 'month' })
    await plenty.admit()
    const asked = asker.vsa.decideAll(
      [
        [plenty, 1],
        [asker.vsa.budget('free', { initial: 5 }), 2],
        [asker.vsa.budget('scarce', scarce), 7],
      ],
      { deadlineMs: 1_000 },
    )
    await clock.advance(1_100)
    expect(await asked).toMatchObject({
      admitted: false,
      key: 'scarce',
      units: 7,
      reason: 'reserved',
      retryAfterMs: FLUSH_MS,
    })
  })
})

test('O11: an owner’s time does not fall behind with each slow answer, so that a wait of exactly `retryAfterMs` is long enough', async () => {
  const clock = manualClock()
  const net = faultyStore(memory({ now: () => Math.floor(clock.now()) }), { clock })
  const vsa = open({ store: net, clock, onEvent: () => undefined })
  const calls = vsa.budget('calls', { limit: 1, per: 'second', atRisk: 0 })
  await calls.admit()
  const denied = await calls.decide()
  if (denied.admitted || denied.retryAfterMs === undefined) throw new Error('the limit was spent')
  const dueAtMs = clock.monotonic() + denied.retryAfterMs
  for (let answers = 0; answers < 20; answers += 1) {
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 7.9 })
    const read = vsa.counter('likes').read()
    await clock.advance(8)
    await read
    await clock.advance(0.3)
  }
  // A timer of the platform may fire up to a ms early.
  await clock.advance(dueAtMs - clock.monotonic() - 0.9)
  expect(await calls.decide()).toMatchObject({ admitted: true })
})
