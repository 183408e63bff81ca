import { array, assert, asyncProperty, boolean, nat, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sharesBack } from '../../src/engine/admission/shares-back.ts'
import type { Source, Vsa } from '../../src/index.ts'
import { bench, codeOf, FLUSH_MS, type Bench } from './fixture.ts'

/* V1 to V3: several sources in order, in one decision. */

interface Scene extends Bench {
  readonly vsa: Vsa
  readonly sources: readonly Source[]
  used(): Promise<readonly number[]>
}

/** A monthly plan of 100, then credits of 50; with `overage`, then a counter. */
function scene({ overage = false, atRisk = 0 }: { readonly overage?: boolean; readonly atRisk?: number } = {}): Scene {
  const world = bench()
  const { vsa } = world.owner()
  const plan = vsa.budget('plan', { limit: 100, per: 'month', atRisk })
  const credits = vsa.budget('credits', { initial: 50, atRisk })
  const over = vsa.counter('over')
  const used = async (): Promise<readonly number[]> => {
    const { rows } = await world.books.list({ limit: 10 })
    const usedOf = (key: string): number => rows.find(({ budget }) => budget.key === key)?.budget.used ?? 0
    return [usedOf('plan'), usedOf('credits'), ...(overage ? [await over.read()] : [])]
  }
  return { ...world, vsa, sources: overage ? [plan, credits, over] : [plan, credits], used }
}

describe('a waterfall', () => {
  test('V1: takes what each source has, in order, all or nothing over their sum', async () => {
    const { vsa, sources, used } = scene()
    expect(await vsa.decideFirst(sources, 80)).toMatchObject({ admitted: true, from: [{ key: 'plan', units: 80 }] })
    expect(await vsa.decideFirst(sources, 30)).toMatchObject({
      from: [
        { key: 'plan', units: 20 },
        { key: 'credits', units: 10, period: 0 },
      ],
    })
    expect(await vsa.decideFirst(sources, 41)).toMatchObject({ admitted: false, key: 'credits', reason: 'exhausted' })
    expect(await used()).toEqual([100, 10])
    expect(await vsa.admitFirst(sources, 40)).toBe(true)
    expect(await vsa.admitFirst(sources, 1)).toBe(false)
    expect(await used()).toEqual([100, 50])
  })

  test('V2: equal requests of one turn each draw what those before them have left', async () => {
    const { vsa, sources, used } = scene()
    const calls = Array.from({ length: 6 }, () => vsa.decideFirst(sources, 30))
    const from = (await Promise.all(calls)).map((one) => (one.admitted ? one.from?.map(({ units }) => units) : null))
    expect(from).toEqual([[30], [30], [30], [10, 20], [30], null])
    expect(await used()).toEqual([100, 50])
  })

  test('G5 V1: a counter that is evicted while waterfalls wait for it has one entry in their batch', async () => {
    const { clock, owner, books } = bench()
    const { vsa, net, batches } = owner({ budgetsMax: 1, exchangeTimeoutMs: 100 })
    const plan = vsa.budget('plan', { initial: 5 })
    const over = vsa.counter('over')
    await vsa.ready()
    net.cut('hang')
    const calls: Promise<unknown>[] = [plan.admit(5)]
    await clock.settle()
    calls.push(vsa.decideFirst([plan, over], 3, { id: 'one' }))
    // It evicts the first counter, which has nothing to send.
    calls.push(vsa.counter('other').read())
    calls.push(vsa.decideFirst([plan, over], 4, { id: 'two' }))
    net.heal()
    await clock.advance(3_000)
    const from = (units: number): object => ({ admitted: true, from: [{ key: 'over', units, period: null }] })
    expect(await Promise.all(calls)).toMatchObject([true, from(3), 0, from(4)])
    for (const { entries } of batches) {
      const keys = entries.flatMap((entry) => (entry.kind === 'void' ? [] : entry.key))
      expect(new Set(keys).size).toBe(keys.length)
    }
    expect(await over.read()).toBe(7)
    expect((await books.list({ limit: 1 })).rows[0]?.budget).toMatchObject({ used: 5, pool: 0 })
  })

  test('V3: an overage never denies, and has what went over', async () => {
    const { vsa, sources, used } = scene({ overage: true })
    expect(await vsa.decideFirst(sources, 400)).toMatchObject({
      admitted: true,
      from: [
        { key: 'plan', units: 100 },
        { key: 'credits', units: 50 },
        { key: 'over', units: 250, period: null },
      ],
    })
    expect(await vsa.admitFirst(sources, 7)).toBe(true)
    expect(await used()).toEqual([100, 50, 257])
  })

  test('V3: a refund with the decision goes to the last source first; a copy of it does as well', async () => {
    const { vsa, sources, used, clock } = scene({ overage: true })
    const decision = await vsa.decideFirst(sources, 170)
    const [plan] = sources
    if (plan === undefined || !('admit' in plan)) throw new Error('the first source is a budget')
    plan.refund(30, structuredClone(decision))
    await clock.advance(2 * FLUSH_MS)
    expect(await used()).toEqual([100, 40, 0])
    plan.refund(1_000, decision)
    await clock.advance(2 * FLUSH_MS)
    expect((await used())[0]).toBe(0)
  })

  test('V2 L7: from memory where leases cover it and what comes before is known to be empty: no store call', async () => {
    const world = bench()
    const one = world.owner()
    const plan = one.vsa.budget('plan', { limit: 100, per: 'month', atRisk: 100 })
    const credits = one.vsa.budget('credits', { initial: 1_000, atRisk: 1_000 })
    await one.vsa.ready()
    plan.tryAdmit(100)
    credits.tryAdmit(1_000)
    await world.clock.settle()
    const before = one.net.calls.exchange
    expect(await one.vsa.admitFirst([plan, credits], 60)).toBe(true)
    const decision = await one.vsa.decideFirst([plan, credits], 60)
    expect(decision).toMatchObject({
      from: [
        { key: 'plan', units: 40 },
        { key: 'credits', units: 20 },
      ],
    })
    expect(one.net.calls.exchange).toBe(before)
    await one.vsa.close()
    expect(await world.row('plan')).toMatchObject({ used: 100 })
    expect(await world.row('credits')).toMatchObject({ used: 20, pool: 980 })
  })

  test('V2 L4: where one of the sources is durable, so is the decision: a crash right after the answer costs nothing', async () => {
    const world = bench()
    const one = world.owner()
    const leased = one.vsa.budget('leased', { initial: 1_000, atRisk: 1_000 })
    const credits = one.vsa.budget('credits', { initial: 50 })
    await one.vsa.ready()
    leased.tryAdmit(1_000)
    await world.clock.settle()
    expect(await one.vsa.admitFirst([leased, credits], 60)).toBe(true)
    expect(await world.row('leased')).toMatchObject({ used: 60 })
  })

  test('V2: where an earlier source may have more, the store decides, and the order is right', async () => {
    const world = bench()
    const one = world.owner()
    const plan = one.vsa.budget('plan', { limit: 100, per: 'month', atRisk: 5 })
    const credits = one.vsa.budget('credits', { initial: 1_000, atRisk: 1_000 })
    await one.vsa.ready()
    credits.tryAdmit(1_000)
    await world.clock.settle()
    expect(await one.vsa.decideFirst([plan, credits], 60)).toMatchObject({ from: [{ key: 'plan', units: 60 }] })
  })

  test('L6 V2: denied again and again it costs one read for a flush interval at most, and no exchange', async () => {
    const world = bench()
    const one = world.owner()
    const plan = one.vsa.budget('plan', { limit: 100, per: 'month', atRisk: 0 })
    const credits = one.vsa.budget('credits', { initial: 50 })
    await one.vsa.admitFirst([plan, credits], 150)
    expect(await one.vsa.admitFirst([plan, credits], 1)).toBe(false)
    const before = one.vsa.stats()
    for (let turn = 0; turn < 1_000; turn += 1) expect(await one.vsa.admitFirst([plan, credits], 1)).toBe(false)
    const after = one.vsa.stats()
    expect(after.exchanges - before.exchanges).toBe(0)
    expect(after.reads - before.reads).toBeLessThanOrEqual(1)
  })

  test('V1 O12: leases of others are called back', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const terms = { initial: 100, atRisk: 100 } as const
    await other.vsa.ready()
    other.vsa.budget('b', terms).tryAdmit(100)
    await world.clock.settle()
    const [a, b] = ['a', 'b'].map((key) => one.vsa.budget(key, terms))
    if (a === undefined || b === undefined) throw new Error('two budgets')
    const call = one.vsa.admitFirst([a, b], 200)
    await world.clock.advance(2_000)
    expect(await call).toBe(true)
  })

  test('I1 V1: with an id it counts once, and the repeat tells the first split', async () => {
    const { vsa, sources, used } = scene({ overage: true })
    const first = await vsa.decideFirst(sources, 120, { id: 'call' })
    expect(await vsa.decideFirst(sources, 120, { id: 'call' })).toMatchObject({
      repeated: true,
      from: first.admitted ? first.from : [],
    })
    expect(await used()).toEqual([100, 20, 0])
    const [plan] = sources
    if (plan === undefined || !('admit' in plan)) throw new Error('the first source is a budget')
    expect(await plan.refund(30, { id: 'call' })).toEqual({ units: 30, repeated: false })
    expect(await used()).toEqual([90, 0, 0])
    expect(await vsa.admitFirst(sources.slice(0, 2), 120, { id: 'call' }).catch(codeOf)).toBe('id_conflict')
  })

  test('R4 V3: one reservation from several sources: in memory and in the store what is not used goes back to the last first', async () => {
    for (const options of [undefined, { id: 'call', ttlMs: 60_000, onExpire: 'return' as const }]) {
      const { vsa, sources, used, clock } = scene({ overage: true })
      const call = await vsa.reserveFirst(sources, 160, options)
      expect(call?.units).toBe(160)
      expect(await call?.extend({ units: 170 })).toBe(true)
      expect(await call?.settle(110)).toEqual({ settled: 110, uncovered: 0, repeated: false })
      await clock.advance(2 * FLUSH_MS)
      expect(await used()).toEqual([100, 10, 0])
    }
  })

  test('R4 V1: used beyond it: taken in order as far as it is there, the rest uncovered; with an overage nothing is', async () => {
    for (const overage of [false, true])
      for (const options of [undefined, { id: 'call', ttlMs: 60_000, onExpire: 'return' as const }]) {
        const { vsa, sources, used, clock } = scene({ overage })
        const call = await vsa.reserveFirst(sources, 90, options)
        const outcome = { settled: overage ? 200 : 150, uncovered: overage ? 0 : 50, repeated: false }
        expect(await call?.settle(200)).toEqual(outcome)
        await clock.advance(2 * FLUSH_MS)
        expect(await used()).toEqual(overage ? [100, 50, 50] : [100, 50])
      }
  })

  test('L1 L2 V1: requests in any order: what was admitted is what the sources have given, and never more than there is', async () => {
    const step = record({ units: nat(60), refund: boolean(), flush: boolean() })
    await assert(
      asyncProperty(array(step, { maxLength: 25 }), boolean(), async (steps, leases) => {
        const { vsa, sources, used, clock } = scene(leases ? { atRisk: 40 } : {})
        const [plan] = sources
        if (plan === undefined || !('admit' in plan)) throw new Error('the first source is a budget')
        let admitted = 0
        for (const { units, refund, flush } of steps) {
          const decision = await vsa.decideFirst(sources, units)
          if (decision.admitted) admitted += units
          const from = decision.admitted ? (decision.from ?? []) : []
          if (decision.admitted) expect(from.reduce((sum, share) => sum + share.units, 0)).toBe(units)
          if (refund && decision.admitted) {
            plan.refund(units, decision)
            admitted -= units
          }
          if (flush) await clock.advance(FLUSH_MS)
        }
        await vsa.close()
        const rows = await used()
        expect(rows.reduce((sum, units) => sum + units, 0)).toBe(admitted)
        expect(rows[0]).toBeLessThanOrEqual(100)
        expect(rows[1]).toBeLessThanOrEqual(50)
      }),
      { numRuns: 60 },
    )
  })

  test('V1: denied by all sources together: it is over the limit where all of them minted less, and the first to come back is waited for', async () => {
    const { vsa, sources, clock } = scene()
    expect(await vsa.decideFirst(sources, 151)).toMatchObject({ reason: 'over-limit' })
    await vsa.decideFirst(sources, 100)
    const denied = await vsa.decideFirst(sources, 120)
    expect(denied).toMatchObject({ reason: 'exhausted', retryAfterMs: expect.any(Number) as number })
    await clock.advance(denied.retryAfterMs ?? 0)
    expect(await vsa.admitFirst(sources, 120)).toBe(true)
  })

  test('V3: a decision from outside is checked before anything changes', async () => {
    const { vsa, sources, used } = scene({ overage: true })
    const [plan] = sources
    if (plan === undefined || !('admit' in plan)) throw new Error('the first source is a budget')
    await vsa.admitFirst(sources, 10)
    for (const from of [
      'plan',
      [null],
      [{ key: 5, units: 1, period: null }],
      [{ key: 'over', units: -1, period: null }],
      [{ key: 'over', units: 1, period: 'x' }],
    ])
      expect(() => plan.refund(1, { admitted: true, key: 'plan', from: from as never })).toThrow('decision.from')
    expect(await used()).toEqual([10, 0, 0])
  })

  test('V3: a refund by any of the sources goes to the last one first, and by another budget nowhere', async () => {
    const { vsa, sources, used, clock } = scene()
    const [plan, credits] = sources
    if (plan === undefined || !('admit' in plan) || credits === undefined || !('admit' in credits))
      throw new Error('two budgets')
    const decision = await vsa.decideFirst(sources, 120)
    credits.refund(30, decision)
    expect(() => vsa.budget('other', { initial: 5 }).refund(30, decision)).toThrow(
      new TypeError('decision must be about "other": it is about "plan"'),
    )
    await clock.advance(2 * FLUSH_MS)
    expect(await used()).toEqual([90, 0])
    expect(vsa.stats()).toMatchObject({ refundedUnits: 30, refundsRefused: 0 })
  })

  test('V3: only the parts that get something are given back', () => {
    const [first, last] = [{ key: 'a', units: 5, period: 0 }, { key: 'b', units: 3, period: 0 }] // oxfmt-ignore
    expect(sharesBack([first, last], 3)).toEqual([last])
    expect(sharesBack([first, last], 4)).toEqual([last, { ...first, units: 1 }])
  })

  test.each([
    ['', false, 2],
    [' and an overage', true, 3],
  ])(
    'V3, L3: while the store is away, all that a decision took%s goes back, or nothing and the call throws',
    async (_text, isOver, budgetsMax) => {
      const world = bench()
      const { vsa, net } = world.owner({ budgetsMax, deadlineMs: 100 })
      const [ann, bob] = ['ann', 'bob'].map((key) => vsa.budget(key, { initial: 100 }))
      if (ann === undefined || bob === undefined) throw new Error('two budgets')
      const over = vsa.counter('over')
      const units = isOver ? 220 : 200
      const decision = await vsa.decideFirst(isOver ? [ann, bob, over] : [ann, bob], units)
      await vsa.flush()
      net.cut('refuse')
      for (const key of ['c', 'd']) {
        vsa.counter(key).add()
        await world.clock.advance(200)
      }
      const refused = expect.objectContaining({ code: 'store_unavailable', applied: 'no' }) as Error
      expect(() => ann.refund(units, decision)).toThrow(refused)
      expect(vsa.stats().refundedUnits).toBe(0)
      net.heal()
      await world.clock.advance(5_000)
      expect([(await world.row('ann')).used, (await world.row('bob')).used]).toEqual([100, 100])
      expect(await over.read()).toBe(isOver ? 20 : 0)
      ann.refund(units, decision)
      await vsa.flush()
      expect([(await world.row('ann')).used, (await world.row('bob')).used]).toEqual([0, 0])
      expect(await over.read()).toBe(0)
    },
  )

  test('V3, L9: a source that was evicted since the decision gets its units back', async () => {
    const world = bench()
    const { vsa } = world.owner({ budgetsMax: 1 })
    const [ann, bob] = ['ann', 'bob'].map((key) => vsa.budget(key, { initial: 100 }))
    if (ann === undefined || bob === undefined) throw new Error('two budgets')
    const decision = await vsa.decideFirst([ann, bob], 120)
    await world.clock.advance(10_000)
    await vsa.budget('cat', { initial: 1 }).admit()
    await world.clock.advance(10_000)
    expect(vsa.stats().budgets).toBe(1)
    ann.refund(120, decision)
    await vsa.close()
    expect([(await world.row('ann')).used, (await world.row('bob')).used]).toEqual([0, 0])
    expect(vsa.stats().refundsRefused).toBe(0)
  })

  test('R4 L3: what was used beyond it is charged once, though the store went away in between', async () => {
    const world = bench()
    const one = world.owner({ deadlineMs: 1_000, exchangeTimeoutMs: 500 })
    const [plan, credits] = [one.vsa.budget('plan', { initial: 15 }), one.vsa.budget('credits', { initial: 50 })]
    const call = await one.vsa.reserveFirst([plan, credits], 10)
    const { exchange } = one.net
    one.net.exchange = (batch) => {
      // The plan has given its rest.
      if (batch.entries.some((entry) => entry.kind !== 'void' && entry.key === 'credits')) one.net.cut('refuse')
      return exchange.call(one.net, batch)
    }
    const failed = call?.settle(40).catch(codeOf)
    await world.clock.advance(5_000)
    expect([await failed, call?.state, (await world.row('plan')).used]).toEqual(['store_unavailable', 'open', 15])
    one.net.exchange = exchange
    one.net.heal()
    await world.clock.advance(5_000)
    expect(await call?.settle(40)).toEqual({ settled: 40, uncovered: 0, repeated: false })
    await one.vsa.close()
    expect([(await world.row('plan')).used, (await world.row('credits')).used]).toEqual([15, 25])
  })

  test('a reservation without a record (onStoreUnavailable allow) gives nothing back', async () => {
    const world = bench()
    const one = world.owner({ deadlineMs: 500, onStoreUnavailable: 'allow' }, 'refuse')
    const [plan, credits] = [one.vsa.budget('plan', { initial: 15 }), one.vsa.budget('credits', { initial: 50 })]
    const asked = one.vsa.reserveFirst([plan, credits], 20)
    await world.clock.advance(1_000)
    const call = await asked
    expect(call?.units).toBe(20)
    expect(await call?.settle(5)).toEqual({ settled: 5, uncovered: 0, repeated: false })
    expect(one.vsa.stats()).toMatchObject({ refundedUnits: 0, unaccountedUnits: 20 })
    one.net.heal()
    await world.clock.advance(20_000)
    await one.vsa.close()
  })

  test('bad arguments are refused by name', async () => {
    const { vsa, sources } = scene()
    const [plan] = sources
    const other = bench().owner().vsa
    const bad: readonly [unknown, unknown, string][] = [
      [[], 1, 'sources must name 1 to'],
      ['plan', 1, 'sources must be an array'],
      [[plan, plan], 1, 'sources[1] is there twice'],
      [[vsa.counter('over')], 1, 'sources must name at least one budget'],
      [[vsa.counter('over'), plan], 1, 'sources[0] must be a budget of this engine'],
      [[plan, other.counter('over')], 1, 'sources[1] must be a budget of this engine'],
      [[other.budget('plan', { initial: 1 })], 1, 'sources[0] must be a budget of this engine'],
      [[vsa.budget('trial', { initial: 1, shadow: true })], 1, 'sources[0] is on trial'],
      [[plan], 0.5, 'units must be'],
    ]
    for (const [wrong, units, message] of bad) {
      await expect(vsa.admitFirst(wrong as Source[], units as number)).rejects.toThrow(message)
      await expect(vsa.decideFirst(wrong as Source[], units as number)).rejects.toThrow(message)
      await expect(vsa.reserveFirst(wrong as Source[], units as number)).rejects.toThrow(message)
    }
    await expect(vsa.admitFirst(sources, 1, { ttlMs: 5 } as object)).rejects.toThrow('options.ttlMs is not known')
    const kept = { id: 'call', ttlMs: 60_000, onExpire: 'return' } as const
    await expect(vsa.reserveFirst(sources, 0, kept)).rejects.toThrow('from 1 to 2^53 - 1, got 0')
    expect(await vsa.admitFirst(sources, 0)).toBe(true)
  })
})
