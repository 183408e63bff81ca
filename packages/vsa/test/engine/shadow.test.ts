import { describe, expect, test } from 'vitest'
import { tryingOptions } from '../../src/engine/admission/trials.ts'
import type { Budget } from '../../src/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

const TRIAL = { initial: 10, shadow: true } as const

describe('P7: a policy on trial', () => {
  test('what it would deny is admitted, spends nothing, and is counted', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const budget = vsa.budget('calls', TRIAL)
    expect(await budget.admit(8)).toBe(true)
    expect(await budget.admit(5)).toBe(true)
    expect(await budget.decide(2)).toMatchObject({ admitted: true, remaining: 0 })
    const decision = await budget.decide(3)
    expect(decision).toMatchObject({ admitted: true, shadow: 'denied', key: 'calls', units: 3, remaining: 0 })
    budget.refund(3, decision)
    expect(vsa.stats()).toMatchObject({
      admittedUnits: 10,
      deniedUnits: 0,
      shadowDeniedUnits: 8,
      refundedUnits: 0,
      operations: 4,
    })
    await vsa.close()
    expect(await world.row('calls')).toMatchObject({ used: 10, minted: 10 })
  })

  test('tryAdmit and tryReserve are true; of what was not spent nothing goes back', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const budget = vsa.budget('calls', { initial: 10, atRisk: 10, shadow: true })
    await vsa.ready()
    expect(budget.tryAdmit(10)).toBe(true)
    await world.clock.settle()
    expect(budget.tryAdmit(10)).toBe(true)
    expect(budget.tryAdmit(1)).toBe(true)
    const reservation = budget.tryReserve(4)
    expect(await reservation?.settle(1)).toMatchObject({ settled: 1 })
    await vsa.close()
    expect(vsa.stats()).toMatchObject({ admittedUnits: 10, deniedUnits: 0, shadowDeniedUnits: 15, refundedUnits: 0 })
    expect(await world.row('calls')).toMatchObject({ used: 10 })
  })

  test('what would fail because of the store is admitted, whatever onStoreUnavailable says', async () => {
    for (const onStoreUnavailable of ['throw', 'deny'] as const) {
      const world = bench()
      const one = world.owner({ deadlineMs: 1_000, onStoreUnavailable }, 'refuse')
      const decision = one.vsa.budget('calls', TRIAL).decide(3)
      const admitted = one.vsa.budget('calls', TRIAL).admit(1)
      await world.clock.advance(2_000)
      expect(await decision).toMatchObject({ admitted: true, unaccounted: true, shadow: 'failed' })
      expect(await admitted).toBe(true)
      expect(one.vsa.stats()).toMatchObject({ shadowDeniedUnits: 4, deniedUnits: 0, unaccountedUnits: 0, waiters: 0 })
      one.net.heal()
      await world.clock.advance(10_000)
      await one.vsa.close()
    }
  })

  test('an abort and a closed engine fail as ever', async () => {
    const world = bench()
    const one = world.owner({}, 'hang')
    const budget = one.vsa.budget('calls', TRIAL)
    const abort = new AbortController()
    const aborted = budget.admit(1, { signal: abort.signal })
    abort.abort(new Error('gone'))
    await expect(aborted).rejects.toThrow('gone')
    one.net.heal()
    await world.clock.advance(10_000)
    await one.vsa.close()
    await expect(budget.admit()).rejects.toMatchObject({ code: 'closed' })
  })

  test('of several budgets it never refuses: the others decide, and then it is tried by itself', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const trial = vsa.budget('trial', TRIAL)
    const real = vsa.budget('real', { initial: 100 })
    const both = (units: number): [Budget, number][] => [[trial, units], [real, units]] // oxfmt-ignore
    expect(await vsa.admitAll(both(10))).toBe(true)
    expect(await vsa.admitAll(both(20))).toBe(true)
    expect(await vsa.decideAll(both(71))).toMatchObject({ admitted: false, key: 'real' })
    expect(await vsa.decideAll([[trial, 5]])).toMatchObject({ admitted: true, shadow: 'denied' })
    const made = await vsa.reserveAll(both(30))
    for (const one of made ?? []) await one.cancel()
    await world.clock.advance(FLUSH_MS)
    expect(vsa.stats()).toMatchObject({ shadowDeniedUnits: 55, deniedUnits: 71, refundedUnits: 30 })
    await vsa.close()
    expect(await world.row('trial')).toMatchObject({ used: 10 })
    expect(await world.row('real')).toMatchObject({ used: 30 })
  })

  test.each(['admitAll', 'decideAll', 'reserveAll'] as const)(
    '%s: once the others are admitted, nothing that becomes of it fails the call',
    async (call) => {
      const world = bench()
      const one = world.owner()
      const real = one.vsa.budget('real', { initial: 100, atRisk: 100 })
      const trial = one.vsa.budget('trial', { initial: 100, shadow: true })
      await one.vsa.ready()
      real.tryAdmit(100)
      await world.clock.settle()
      one.net.cut('hang')
      const abort = new AbortController()
      const asked = one.vsa[call]([[real, 10], [trial, 1]], { signal: abort.signal }) // oxfmt-ignore
      await world.clock.settle()
      abort.abort(new Error('gone'))
      const startedAtMs = world.clock.monotonic()
      const tookMs = asked.then(() => world.clock.monotonic() - startedAtMs)
      await world.clock.advance(6_000)
      // The leases of the others serve while the store is away: only a reservation of it must be known.
      expect(await tookMs).toBe(call === 'reserveAll' ? 5_000 : 0)
      // The signal of a call that was decided does not end the trial, which is counted.
      expect(one.vsa.stats()).toMatchObject({ shadowDeniedUnits: 1 })
      one.net.heal()
      await world.clock.advance(10_000)
      await one.vsa.close()
      expect(await world.row('real')).toMatchObject({ used: 10 })
    },
  )

  test('by the decision its units can be given back once it has been tried', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [real, trial] = [vsa.budget('real', { initial: 100 }), vsa.budget('trial', { initial: 100, shadow: true })]
    const decision = await vsa.decideAll([[real, 10], [trial, 10]]) // oxfmt-ignore
    trial.refund(10, decision)
    expect(vsa.stats()).toMatchObject({ refundsRefused: 0 })
    await vsa.flush()
    for (const budget of [real, trial]) budget.refund(10, decision)
    await vsa.close()
    expect(await world.row('real')).toMatchObject({ used: 0 })
    expect(await world.row('trial')).toMatchObject({ used: 0 })
    expect(vsa.stats()).toMatchObject({ refundsRefused: 0 })
  })

  test('I1: with an id it is tried once: a repeat spends nothing of it', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [real, trial] = [vsa.budget('real', { initial: 100 }), vsa.budget('trial', { initial: 100, shadow: true })]
    const second = vsa.budget('second', { initial: 100, shadow: true })
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await vsa.admitAll([[real, 10], [trial, 10]], { id: 'call' })).toBe(true) // oxfmt-ignore
      expect(await vsa.admitAll([[trial, 1], [second, 1]], { id: 'alone' })).toBe(true) // oxfmt-ignore
    }
    await vsa.close()
    expect(await world.row('real')).toMatchObject({ used: 10 })
    expect(await world.row('trial')).toMatchObject({ used: 11 })
    expect(await world.row('second')).toMatchObject({ used: 1 })
  })

  test('of what it would have denied nothing can be given back by the decision', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [real, trial] = [vsa.budget('real', { initial: 100 }), vsa.budget('trial', { initial: 15, shadow: true })]
    await trial.admit(10)
    const decision = await vsa.decideAll([[real, 10], [trial, 10]]) // oxfmt-ignore
    await vsa.flush()
    trial.refund(10, decision)
    await vsa.close()
    expect(await world.row('trial')).toMatchObject({ used: 10 })
    expect(vsa.stats()).toMatchObject({ shadowDeniedUnits: 10, refundedUnits: 0 })
  })

  test('A1: a reservation of budgets on trial alone is made', async () => {
    const { vsa } = bench().owner()
    const made = await vsa.reserveAll([[vsa.budget('trial', { initial: 5, shadow: true }), 9]])
    expect(made?.map(({ units }) => units)).toEqual([9])
  })

  test('it is tried with the deadline and the durability of the call, and without its signal and its id', () => {
    const { signal } = new AbortController()
    expect(tryingOptions({ signal, deadlineMs: 5, durable: true })).toEqual({ deadlineMs: 5, durable: true })
    expect(tryingOptions({ id: 'call', deadlineMs: 5 })).toEqual({ deadlineMs: 5 })
    expect([tryingOptions({ id: 'call' }), tryingOptions({ durable: true }), tryingOptions(undefined)]).toEqual([
      {},
      { durable: true },
      undefined,
    ])
  })

  test('tryAdmitAll: as admitAll, from memory', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const trial = vsa.budget('trial', { initial: 10, atRisk: 10, shadow: true })
    const real = vsa.budget('real', { initial: 10, atRisk: 10 })
    await vsa.ready()
    real.tryAdmit(10)
    await world.clock.settle()
    expect(vsa.tryAdmitAll([[trial, 5], [real, 4]])).toBe(true) // oxfmt-ignore
    expect(vsa.tryAdmitAll([[trial, 5], [real, 7]])).toBe(false) // oxfmt-ignore
    await vsa.flush()
    expect(vsa.stats()).toMatchObject({ admittedUnits: 4, shadowDeniedUnits: 5, deniedUnits: 10 + 7 })
  })

  test('another policy for the same key is a conflict, and what is no boolean is refused', () => {
    const { vsa } = bench().owner()
    vsa.budget('calls', { initial: 10 })
    expect(() => vsa.budget('calls', TRIAL)).toThrow('another policy')
    expect(() => vsa.budget('other', { initial: 1, shadow: 1 as unknown as boolean })).toThrow('policy.shadow')
    expect(vsa.budget('calls', { initial: 10, shadow: false }).key).toBe('calls')
  })
})

describe('P8: warnAt', () => {
  test('it replaces the thresholds of the engine for its budget', async () => {
    const world = bench()
    const { vsa, events } = world.owner({ thresholds: [0.5] })
    const own = vsa.budget('own', { initial: 10, warnAt: [0.9, 0.2, 0.9] })
    const other = vsa.budget('other', { initial: 10 })
    const none = vsa.budget('none', { initial: 10, warnAt: [] })
    for (let units = 0; units < 10; units += 1) await Promise.all([own.admit(), other.admit(), none.admit()])
    await vsa.close()
    const raised = events.flatMap((event) =>
      event.type === 'threshold' ? [[event.key, event.fraction, event.used]] : [],
    )
    expect(new Set(raised)).toEqual(new Set([['other', 0.5, 5], ['own', 0.2, 2], ['own', 0.9, 9]])) // oxfmt-ignore
  })

  test('fractions are above 0 and at most 1, in any order', () => {
    const { vsa } = bench().owner()
    const make = (warnAt: unknown) => (): unknown => vsa.budget('calls', { initial: 1, warnAt: warnAt as number[] })
    expect(make([0])).toThrow('policy.warnAt[0]')
    expect(make([0.5, 1.1])).toThrow('policy.warnAt[1]')
    expect(make('0.5')).toThrow('policy.warnAt must be an array')
    vsa.budget('calls', { initial: 1, warnAt: [0.5, 1] })
    expect(make([1, 0.5])).not.toThrow()
  })
})
