import { expect, test } from 'vitest'
import type { PolicyStats, Vsa } from '../../src/index.ts'
import { bench } from './fixture.ts'

const NONE = { exhausted: 0, reserved: 0, 'over-limit': 0, refunded: 0, unavailable: 0, lease: 0 }

function policy(vsa: Vsa, name: string): PolicyStats {
  const found = vsa.stats().policies.find((one) => one.policy === name)
  if (found === undefined) throw new Error(`no policy ${name}`)
  return found
}

test('each family counts its own admissions, denials by reason and refunds, and their sums are those of the engine', async () => {
  const { vsa } = bench().owner()
  const calls = vsa.budgets('calls', { limit: 10, per: 'month', atRisk: 5 })
  const credits = vsa.budgets('credits', { initial: 100 })
  for (let call = 0; call < 12; call += 1) await calls.of('ada').admit()
  expect(await calls.of('bob').admit(11)).toBe(false)
  expect(await credits.of('ada').admit(60)).toBe(true)
  expect(await credits.of('ada').admit(60)).toBe(false)
  credits.of('ada').refund(20)
  await vsa.flush()
  expect(policy(vsa, 'calls')).toMatchObject({
    ...{ admissions: 10, admittedUnits: 10, denials: { ...NONE, exhausted: 2, 'over-limit': 1 }, deniedUnits: 13 },
  })
  expect(policy(vsa, 'credits')).toMatchObject({
    ...{ admissions: 1, admittedUnits: 60, denials: { ...NONE, exhausted: 1 }, refunds: 1, refundedUnits: 20 },
  })
  const { policies, ...all } = vsa.stats()
  const sum = (valueOf: (one: PolicyStats) => number): number =>
    policies.reduce((total, one) => total + valueOf(one), 0)
  expect(all).toMatchObject({
    admittedUnits: sum((one) => one.admittedUnits),
    deniedUnits: sum((one) => one.deniedUnits),
    refundedUnits: sum((one) => one.refundedUnits),
    operations: sum((one) => one.admissions + one.refunds + Object.values(one.denials).reduce((a, b) => a + b)),
  })
  const { used, remaining, burned } = await credits.of('ada').peek()
  expect({ used, remaining, burned }).toEqual({ used: 40, remaining: 60, burned: 0 })
  await vsa.close()
})

test('tryAdmit counts for its family, by the last flush, and a refusal of it has the reason lease', async () => {
  const { vsa } = bench().owner()
  const calls = vsa.budgets('calls', { limit: 100, per: 'month', atRisk: 50 }).of('ada')
  expect(calls.tryAdmit(51)).toBe(false)
  await calls.admit(2)
  await vsa.flush()
  expect([calls.tryAdmit(3), calls.tryAdmit(3)]).toEqual([true, true])
  await vsa.flush()
  expect(policy(vsa, 'calls')).toMatchObject({ admissions: 3, admittedUnits: 8, denials: { ...NONE, lease: 1 } })
  await vsa.close()
})

test('budgets declared one by one are one policy, also those whose keys look like a family', async () => {
  const { vsa } = bench().owner()
  await vsa.budget('concert', { initial: 5 }).admit()
  await vsa.budget('tenant-7:seats', { initial: 5 }).admit(2)
  expect(vsa.stats().policies.map((one) => one.policy)).toEqual([':single', ':other'])
  expect(policy(vsa, ':single')).toMatchObject({ admissions: 2, admittedUnits: 3 })
  await vsa.close()
})

test('64 families are counted by themselves, and one more is counted as another', async () => {
  const { vsa } = bench().owner()
  for (let at = 0; at < 65; at += 1)
    await vsa
      .budgets(`f${at}`, { initial: 5 })
      .of('a')
      .admit(at === 63 ? 2 : 1)
  expect(vsa.stats().policies).toHaveLength(66)
  expect(policy(vsa, 'f63')).toMatchObject({ admissions: 1, admittedUnits: 2 })
  expect(vsa.stats().policies.some((one) => one.policy === 'f64')).toBe(false)
  expect(policy(vsa, ':other')).toMatchObject({ admissions: 1, admittedUnits: 1 })
  await vsa.close()
})

test('P7: what a policy on trial admits is no denial, and is counted apart', async () => {
  const { vsa } = bench().owner()
  const trial = vsa.budgets('trial', { initial: 5, shadow: true }).of('a')
  expect(await trial.admit(6)).toBe(true)
  expect(policy(vsa, 'trial')).toMatchObject({
    shadowAdmissions: 1,
    shadowDeniedUnits: 6,
    denials: NONE,
    deniedUnits: 0,
  })
  await vsa.close()
})

test('while the store is away, an error, a denial and an admission are counted as what the callers were told', async () => {
  const outcomes = {
    throw: { failures: 1 },
    deny: { denials: { ...NONE, unavailable: 1 } },
    allow: { unaccountedAdmissions: 1 },
  }
  for (const onStoreUnavailable of ['throw', 'deny', 'allow'] as const) {
    const { clock, owner } = bench()
    const { vsa } = owner({ onStoreUnavailable }, 'refuse')
    const answer = vsa
      .budgets('calls', { initial: 5 })
      .of('a')
      .admit()
      .catch(() => 'failed')
    await clock.advance(6_000)
    expect(await answer).toBe({ throw: 'failed', deny: false, allow: true }[onStoreUnavailable])
    expect(policy(vsa, 'calls')).toMatchObject(outcomes[onStoreUnavailable])
    const closing = vsa.close().catch(() => undefined)
    await clock.advance(20_000)
    await closing
  }
})

test('what a settlement asks for in vain is no denial of its family', async () => {
  const { vsa } = bench().owner()
  const credits = vsa.budgets('credits', { initial: 6 }).of('a')
  const hold = await credits.reserve(5)
  expect(await hold?.settle(12)).toMatchObject({ settled: 6, uncovered: 6 })
  expect(policy(vsa, 'credits')).toMatchObject({ denials: NONE, deniedUnits: 0 })
  await vsa.close()
})
