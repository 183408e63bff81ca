import { expect, test } from 'vitest'
import type { LimitOptions } from '../../src/http/limit-options.ts'
import { figuresAfter } from '../../src/http/policy-figures.ts'
import { type Outcome, RequestLimiter } from '../../src/http/request-limiter.ts'
import { type Decision, open, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { type ManualClock, manualClock } from '../../src/testing/index.ts'

/* Without a framework: which requests are decided within the turn. */

interface Made {
  readonly clock: ManualClock
  readonly vsa: Vsa
  limiter(options: (vsa: Vsa) => LimitOptions<object>): RequestLimiter<object>
}

function made(): Made {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock })
  const source = { remoteAddress: '192.0.2.1', forwardedFor: undefined }
  return { clock, vsa, limiter: (options) => new RequestLimiter(vsa, { clock, ...options(vsa) }, () => source) }
}

function policyOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'skipped' ? undefined : outcome.headers.find(({ name }) => name === 'RateLimit')?.value
}

test('a request with room in memory is decided within the turn, and no request counts as denied on the way', async () => {
  const { clock, vsa, limiter } = made()
  const calls = vsa.budgets('calls', { limit: 1_000, per: 'minute', atRisk: 500 })
  const limited = limiter(() => ({ budgets: { calls } }))
  let within = 0
  for (let call = 0; call < 1_000; call += 1) {
    const outcome = limited.check({})
    if (!(outcome instanceof Promise)) within += 1
    expect((await outcome).kind).toBe('admitted')
    if (call % 300 === 299) await clock.advance(100)
  }
  expect(within).toBeGreaterThan(900)
  expect(vsa.stats()).toMatchObject({ operations: 1_000, admittedUnits: 1_000, deniedUnits: 0 })
  expect(await limited.check({})).toMatchObject({ kind: 'denied', denial: { status: 429 } })
  await vsa.flush()
  expect(await calls.of('192.0.2.1').peek()).toMatchObject({ used: 1_000, remaining: 0 })
})

test('room is what tryAdmit admits, to the unit', async () => {
  const { vsa } = made()
  const budget = vsa.budget('calls', { limit: 100, per: 'minute', atRisk: 50 })
  expect(budget.room).toBe(0)
  await budget.admit()
  // The first call after an exchange looks at the lease, and gives room.
  budget.tryAdmit()
  const { room } = budget
  expect(room).toBeGreaterThan(0)
  expect(budget.tryAdmit(room)).toBe(true)
  expect(budget.room).toBe(0)
})

test('figures are those of a decision that is at most 100 ms old, and never those of a period that has ended', async () => {
  const { clock, vsa, limiter } = made()
  const calls = vsa.budgets('calls', { limit: 1_000, per: 'minute', atRisk: 500 })
  const limited = limiter(() => ({ budgets: { calls }, partitionKey: false }))
  for (let call = 0; call < 3; call += 1) await limited.check({})
  // What the middleware does not see.
  expect(calls.of('192.0.2.1').tryAdmit(5)).toBe(true)
  expect(policyOf(await limited.check({}))).toBe('"calls";r=996;t=60')
  await clock.advance(100)
  // It gives room again after the flush.
  expect(calls.of('192.0.2.1').tryAdmit()).toBe(true)
  expect(policyOf(await limited.check({}))).toBe('"calls";r=989;t=60')
  await clock.advance(60_000)
  expect(policyOf(await limited.check({}))).toBe('"calls";r=999;t=60')
})

test.each<[string, Partial<LimitOptions<object>>]>([
  ['refundWhen', { refundWhen: () => true }],
  ['reserve', { reserve: {} }],
])('with %s each request has a decision of its own', async (_what, options) => {
  const { vsa, limiter } = made()
  const calls = vsa.budgets('calls', { limit: 1_000, per: 'minute', atRisk: 500 })
  const limited = limiter(() => ({ budgets: { calls }, ...options }))
  for (let call = 0; call < 3; call += 1) expect(limited.check({})).toBeInstanceOf(Promise)
})

test('a look that shows all of a limit, after units were taken, knows no figures', () => {
  const look: Decision = { admitted: true, key: 'credits', units: 0, limit: 5, remaining: 5, period: 0 }
  const asked = { name: 'credits', unit: undefined, units: 1 }
  expect(figuresAfter(look, asked, 0)).toBeNull()
  expect(figuresAfter({ ...look, remaining: 4 }, asked, 0)).toMatchObject({ limit: 5, remaining: 4 })
  expect(figuresAfter(look, { ...asked, units: 0 }, 0)).toMatchObject({ limit: 5, remaining: 5 })
})

test('reserve of a durable budget that has no periods: denied, and waiting helps while a request holds some', async () => {
  const { vsa, limiter } = made()
  const limited = limiter(() => ({ budgets: { credits: vsa.budget('credits', { initial: 5 }) }, cost: 4, reserve: {} }))
  const admitted = await limited.check({})
  const held = await limited.check({})
  expect(held).toMatchObject({ kind: 'denied', denial: { status: 429, retryAfterSeconds: 1 } })
  if (admitted.kind === 'admitted') admitted.spent.end({ status: 200, completed: true })
  const denied = await limited.check({})
  expect(denied).toMatchObject({ kind: 'denied', denial: { status: 429, retryAfterSeconds: undefined } })
})

test('reserve of more than the limit: waiting does not help', async () => {
  const { vsa, limiter } = made()
  const limited = limiter(() => ({
    budgets: { calls: vsa.budgets('calls', { limit: 10, per: 'minute' }) },
    cost: 11,
    reserve: {},
  }))
  await limited.check({})
  expect(await limited.check({})).toMatchObject({ denial: { status: 429, retryAfterSeconds: undefined } })
})
