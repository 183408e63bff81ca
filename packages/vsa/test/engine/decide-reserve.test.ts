import { describe, expect, test } from 'vitest'
import type { DurableReserve, PastDecision } from '../../src/index.ts'
import { bench, codeOf, FLUSH_MS, holdLease } from './fixture.ts'

/* `decideReserve`, `decideReserveAll`, `decideReserveFirst`: why a reservation was refused, and when to ask again. */

const KEPT: DurableReserve = { id: 'call', ttlMs: 60_000, onExpire: 'return' }
const FORMS = [
  ['in memory', {}],
  ['in the store', KEPT],
] as const

describe.each(FORMS)('%s', (_form, options) => {
  test('one that is made has the figures of the decision, and is settled as any other', async () => {
    const { vsa } = bench().owner()
    const budget = vsa.budget('credits', { initial: 100 })
    const decision = await budget.decideReserve(60, options)
    expect(decision).toMatchObject({ admitted: true, key: 'credits', units: 60, limit: 100, remaining: 40, period: 0 })
    expect(await decision.reservation?.settle(25)).toEqual({ settled: 25, uncovered: 0, repeated: false })
    await vsa.flush()
    expect(await budget.peek()).toMatchObject({ minted: 100, used: 25, reserved: 0, burned: 0, remaining: 75 })
  })

  test('R1: a refused one has the reason, what remains and when the units come back; nothing is set aside', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const calls = vsa.budget('calls', { limit: 100, per: 60_000 })
    const credits = vsa.budget('credits', { initial: 100 })
    await vsa.admitAll([[calls, 60], [credits, 60]]) // oxfmt-ignore
    await world.clock.advance(20_000 - (world.clock.now() % 60_000))
    const refused = { admitted: false, units: 50, limit: 100 }
    expect(await calls.decideReserve(40, options)).toMatchObject({ admitted: true })
    const next = await calls.decideReserve(50, { ...options, ...(options === KEPT && { id: 'next' }) })
    const period = world.clock.now() - (world.clock.now() % 60_000)
    expect(next).toEqual({
      ...refused,
      ...{ key: 'calls', reason: 'exhausted', remaining: 0, period, resetAtMs: period + 60_000 },
      // With a margin of 2 ms.
      retryAfterMs: period + 60_002 - world.clock.now(),
    })
    expect(await credits.decideReserve(50, options)).toEqual({
      ...refused,
      ...{ key: 'credits', reason: 'exhausted', remaining: 40, period: 0 },
    })
    expect(await credits.decideReserve(101, options)).toMatchObject({ reason: 'over-limit' })
    expect(vsa.stats().deniedUnits).toBe(50 + 50 + 101)
    await vsa.flush()
    expect(await credits.peek()).toMatchObject({ minted: 100, used: 60, reserved: 0, remaining: 40 })
  })

  test('O12: what another process holds is reserved, and may be asked for again after a flush interval', async () => {
    const world = bench()
    const [one, other] = [world.owner({ deadlineMs: 500 }), world.owner()]
    const leased = { initial: 100, atRisk: 100 } as const
    await one.vsa.ready()
    other.vsa.budget('credits', leased).tryAdmit(100)
    await world.clock.settle()
    other.net.cut('hang')
    const asked = one.vsa.budget('credits', leased).decideReserve(30, options)
    await world.clock.advance(1_000)
    expect(await asked).toMatchObject({ admitted: false, reason: 'reserved', retryAfterMs: FLUSH_MS })
  })

  test('of several budgets the one that refused is named, and nothing is set aside of any', async () => {
    const { vsa } = bench().owner()
    const [credits, seats] = [vsa.budget('credits', { initial: 100 }), vsa.budget('seats', { initial: 5 })]
    const refused = await vsa.decideReserveAll([[credits, 10], [seats, 6]], options) // oxfmt-ignore
    expect(refused).toMatchObject({ admitted: false, key: 'seats', units: 6, reason: 'over-limit', remaining: 5 })
    expect(refused.reservations).toBeUndefined()
    const made = await vsa.decideReserveAll([[credits, 10], [seats, 5]], options) // oxfmt-ignore
    expect(made).toMatchObject({ admitted: true, key: 'credits', remaining: 90 })
    expect(made.reservations?.map(({ units }) => units)).toEqual([10, 5])
    for (const one of made.reservations ?? []) await one.cancel()
    await vsa.flush()
    for (const [budget, minted] of [
      [credits, 100],
      [seats, 5],
    ] as const)
      // oxfmt-ignore
      expect(await budget.peek()).toMatchObject({ used: 0, reserved: 0, remaining: minted })
  })

  test('V1: of a waterfall, what each source gave; refused, that all together lack', async () => {
    const { vsa } = bench().owner()
    const sources = [vsa.budget('plan', { limit: 10, per: 60_000 }), vsa.budget('credits', { initial: 100 })]
    const made = await vsa.decideReserveFirst(sources, 30, options)
    expect(made).toMatchObject({ admitted: true, from: [{ key: 'plan', units: 10 }, { key: 'credits', units: 20 }] }) // oxfmt-ignore
    expect(made.reservation?.units).toBe(30)
    const next = options === KEPT ? { ...KEPT, id: 'next' } : {}
    const refused = await vsa.decideReserveFirst(sources, 90, next)
    expect(refused).toMatchObject({ admitted: false, units: 90, reason: 'exhausted' })
    expect(refused.retryAfterMs).toBeGreaterThan(0)
    await made.reservation?.cancel()
    await vsa.flush()
    expect(await sources[1]?.peek()).toMatchObject({ used: 0, reserved: 0, remaining: 100 })
  })

  test('onStoreUnavailable: deny says unavailable, throw throws, and allow makes one that is in no account', async () => {
    for (const onStoreUnavailable of ['deny', 'throw', 'allow'] as const) {
      const world = bench()
      const one = world.owner({ deadlineMs: 500, onStoreUnavailable }, 'refuse')
      const [budget, other] = [one.vsa.budget('credits', { initial: 100 }), one.vsa.budget('other', { initial: 100 })]
      const asked = [
        budget.decideReserve(30, options),
        one.vsa.decideReserveAll([[budget, 20], [other, 10]], options), // oxfmt-ignore
        one.vsa.decideReserveFirst([budget, other], 30, options),
      ].map((call) => call.catch(codeOf))
      await world.clock.advance(1_000)
      for (const answer of await Promise.all(asked)) {
        if (onStoreUnavailable === 'throw') expect(answer).toBe('store_unavailable')
        else if (onStoreUnavailable === 'deny')
          expect(answer).toMatchObject({ admitted: false, reason: 'unavailable', limit: 100 })
        else expect(answer).toMatchObject({ admitted: true, unaccounted: true, limit: 100 })
      }
      one.net.heal()
      await world.clock.advance(20_000)
      await one.vsa.close()
    }
  })
})

test('R1: the same id again is repeated, and nothing is set aside for it', async () => {
  const { vsa } = bench().owner()
  const budget = vsa.budget('credits', { initial: 100 })
  expect((await budget.decideReserve(60, KEPT)).admitted).toBe(true)
  expect(await budget.decideReserve(60, KEPT)).toMatchObject({ admitted: true, repeated: true, remaining: 40 })
  await budget.reservation('call').settle(5)
  const ended = await budget.decideReserve(60, KEPT)
  expect(ended).toMatchObject({ admitted: true, repeated: true, reservation: { state: 'settled' } })
  await expect(budget.decideReserve(61, KEPT)).rejects.toMatchObject({ code: 'id_conflict' })
})

test('P7: on trial it is made, and the decision says what would have become of it', async () => {
  const { vsa } = bench().owner()
  const [trial, real] = [vsa.budget('trial', { initial: 10, shadow: true }), vsa.budget('real', { initial: 10 })]
  for (const options of [{}, KEPT]) {
    const alone = await trial.decideReserve(11, options)
    expect(alone).toMatchObject({ admitted: true, shadow: 'denied', reservation: { unaccounted: true } })
    const together = await vsa.decideReserveAll([[trial, 11], [real, 2]], options) // oxfmt-ignore
    expect(together).toMatchObject({ admitted: true, key: 'real' })
    expect(together.reservations?.map(({ unaccounted }) => unaccounted)).toEqual([true, undefined])
    expect(await vsa.decideReserveAll([[trial, 11]], options)).toMatchObject({ admitted: true })
    for (const one of together.reservations ?? []) await one.cancel()
  }
  await vsa.flush()
  expect(await real.peek()).toMatchObject({ used: 0, reserved: 0 })
})

test('a decision with a reservation gives nothing back: what was set aside would be given back twice', async () => {
  const world = bench()
  const { vsa } = world.owner()
  const budget = vsa.budget('credits', { initial: 100 })
  const one = await budget.decideReserve(30)
  const all = await vsa.decideReserveAll([[budget, 30]])
  const first = await vsa.decideReserveFirst([budget], 30)
  // The compiler refuses it as well.
  for (const decision of [one, all, first] as unknown as PastDecision[])
    expect(() => budget.refund(30, decision)).toThrow('decision must not be one with a reservation')
  for (const each of [one.reservation, ...(all.reservations ?? []), first.reservation]) await each?.settle(30)
  await vsa.close()
  expect(await world.row('credits')).toMatchObject({ used: 90, pool: 10 })
})

test('bad arguments and a closed engine are refused by name, before any change', async () => {
  const { vsa } = bench().owner()
  const budget = vsa.budget('credits', { initial: 100 })
  for (const units of [-1, 0.5, Number.NaN, 2 ** 53, '1' as unknown as number]) {
    await expect(budget.decideReserve(units)).rejects.toThrow('units must be')
    await expect(vsa.decideReserveAll([[budget, units]])).rejects.toThrow('needs[0][1] must be')
    await expect(vsa.decideReserveFirst([budget], units)).rejects.toThrow('units must be')
  }
  await expect(budget.decideReserve(1, { ttlMs: 5 } as object)).rejects.toThrow('options.id is missing')
  await expect(vsa.decideReserveAll([])).rejects.toThrow('needs must name 1 to')
  await expect(vsa.decideReserveFirst([], 1)).rejects.toThrow('sources must name 1 to')
  expect(vsa.stats().operations).toBe(0)
  await vsa.close()
  await expect(budget.decideReserve(1)).rejects.toMatchObject({ code: 'closed' })
})

test('L6: refused from memory it costs no store call', async () => {
  const one = bench().owner()
  const budget = one.vsa.budget('credits', { initial: 10 })
  await holdLease(one)
  await budget.admit(10)
  const before = one.net.calls.exchange
  expect(await budget.decideReserve(1)).toMatchObject({ admitted: false, reason: 'exhausted', remaining: 0 })
  expect(one.net.calls.exchange).toBe(before)
})
