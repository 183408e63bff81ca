import { array, assert, asyncProperty, constantFrom, integer, nat, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Budget, type Clock, open, type Reservation, type Settled } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { bench, codeOf, FLUSH_MS, type Bench } from './fixture.ts'

const CREDITS = { initial: 1_000, atRisk: 1_000 } as const

async function leased(
  { owner, clock }: Bench,
  units = 1_000,
): Promise<{ budget: Budget; one: ReturnType<Bench['owner']> }> {
  const one = owner()
  const budget = one.vsa.budget('credits', { initial: units, atRisk: units })
  await one.vsa.ready()
  // It asks for a lease of as many.
  budget.tryAdmit(units)
  await clock.settle()
  return { budget, one }
}

function reserved(reservation: Reservation | null): Reservation {
  if (reservation === null) throw new Error('the units are not there')
  return reservation
}

const settled = (units: number, uncovered = 0): Settled => ({ settled: units, uncovered, repeated: false })

describe('a reservation in memory', () => {
  test('L1: what was not used goes back, and may be admitted again at once', async () => {
    const world = bench()
    const { budget, one } = await leased(world)
    const first = reserved(budget.tryReserve(600))
    expect(budget.tryAdmit(600)).toBe(false)
    expect([first.units, first.state]).toEqual([600, 'open'])
    expect(await first.settle(250)).toEqual(settled(250))
    expect(first.state).toBe('settled')
    expect(budget.tryAdmit(750)).toBe(true)
    expect(budget.tryAdmit()).toBe(false)
    await one.vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 1_000, burned: 0 })
  })

  test('L7: reserve and settle in memory is one store call for a flush, however many', async () => {
    const world = bench()
    const { budget, one } = await leased(world)
    const before = one.net.calls.exchange
    for (let turn = 0; turn < 10_000; turn += 1) await reserved(budget.tryReserve(100)).settle(0)
    await world.clock.advance(FLUSH_MS)
    expect(one.net.calls.exchange - before).toBeLessThanOrEqual(1)
    await one.vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 0, pool: 1_000 })
  })

  test('R4: it has one outcome: what it is settled for again does not matter', async () => {
    const { budget } = await leased(bench())
    const one = reserved(budget.tryReserve(100))
    expect(await Promise.all([one.settle(40), one.settle(90), one.cancel()])).toEqual([
      settled(40),
      { ...settled(40), repeated: true },
      { ...settled(40), repeated: true },
    ])
    expect(await one.extend({ units: 200 })).toBe(false)
    expect(one.meter()).toBe(false)
    expect(budget.tryAdmit(960)).toBe(true)
    expect(budget.tryAdmit()).toBe(false)
  })

  test('R9: a stream is metered: true while the reservation covers it, and it is settled for what was metered', async () => {
    const { budget } = await leased(bench())
    const stream = reserved(budget.tryReserve(100))
    expect([stream.meter(60), stream.meter(40), stream.meter()]).toEqual([true, true, false])
    expect(await stream.extend({ units: 300 })).toBe(true)
    expect([stream.units, stream.meter(99)]).toEqual([300, true])
    expect(await stream.settle()).toEqual(settled(200))
    expect(budget.tryAdmit(800)).toBe(true)
    expect(budget.tryAdmit()).toBe(false)
  })

  test('what was used beyond it is taken from the lease, then from the store, and what is not there is said', async () => {
    const world = bench()
    const { budget, one } = await leased(world)
    const other = world.owner()
    await other.vsa.ready()
    const stream = reserved(budget.tryReserve(100))
    stream.meter(700)
    expect(await stream.settle()).toEqual(settled(700))
    const next = reserved(budget.tryReserve(200))
    expect(await next.settle(450)).toEqual(settled(300, 150))
    await one.vsa.flush()
    expect(one.vsa.stats()).toMatchObject({ admittedUnits: 1_000, uncoveredUnits: 150 })
    await one.vsa.close()
    await other.vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 1_000, pool: 0 })
  })

  test('L7: where nothing more is there to charge, nothing is sent for it', async () => {
    const world = bench()
    const { budget, one } = await leased(world)
    const stream = reserved(await budget.reserve(1_000))
    await one.vsa.flush()
    const before = one.net.calls.exchange
    expect(await stream.settle(1_200)).toEqual(settled(1_000, 200))
    await world.clock.advance(2 * FLUSH_MS)
    expect(one.net.calls.exchange).toBe(before)
  })

  test('L5: what others hold is recalled for it', async () => {
    const world = bench()
    const one = world.owner()
    const other = world.owner()
    const policy = { initial: 1_000, atRisk: 400 } as const
    const [mine, theirs] = [one.vsa.budget('credits', policy), other.vsa.budget('credits', policy)]
    await Promise.all([one.vsa.ready(), other.vsa.ready()])
    await mine.admit(100)
    await theirs.admit(100)
    await world.clock.settle()
    expect(other.vsa.stats().leasedUnits).toBeGreaterThan(0)
    const stream = reserved(await mine.reserve(100))
    const outcome = stream.settle(2_000)
    await world.clock.advance(2_000)
    expect(await outcome).toEqual(settled(800, 1_200))
    await Promise.all([one.vsa.close(), other.vsa.close()])
    expect(await world.row('credits')).toMatchObject({ used: 1_000, pool: 0 })
  })

  test.each([
    ['a durable budget', { initial: 500 }],
    ['a leased one', { initial: 500, atRisk: 100 }],
  ] as const)('reserve waits for the store, and null says that the units are not there: %s', async (_what, policy) => {
    const world = bench()
    const { vsa } = world.owner()
    const budget = vsa.budget('credits', policy)
    const first = reserved(await budget.reserve(300))
    expect(await budget.reserve(300)).toBeNull()
    expect(await first.settle(100)).toEqual(settled(100))
    await vsa.flush()
    expect(reserved(await budget.reserve(300)).units).toBe(300)
    await vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 400, pool: 100 })
  })

  test('it is given back into the period of the admission', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const budget = vsa.budget('calls', { limit: 100, per: 60_000, atRisk: 50 })
    await vsa.ready()
    await budget.admit(10)
    await world.clock.settle()
    const period = Math.floor(world.clock.now() / 60_000) * 60_000
    const old = reserved(budget.tryReserve(20))
    await world.clock.advance(60_000)
    await budget.admit(5)
    expect(await old.settle(5)).toEqual(settled(5))
    await vsa.close()
    expect(await world.row('calls', period)).toMatchObject({ used: 15 })
    expect(await world.row('calls', period + 60_000)).toMatchObject({ used: 5 })
  })

  test('L1: it is given back into its own period, also where nothing has seen yet that the period is over', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const policy = { limit: 100, per: 60_000, atRisk: 0 } as const
    const [mine, theirs] = [one.vsa.budget('calls', policy), other.vsa.budget('calls', policy)]
    await Promise.all([one.vsa.ready(), other.vsa.ready()])
    const period = Math.floor(world.clock.now() / 60_000) * 60_000
    await world.clock.advance(period + 60_000 - world.clock.now() - 50)
    const old = reserved(await mine.reserve(90))
    await world.clock.advance(60)
    expect(await theirs.admit(100)).toBe(true)
    expect(await old.settle(10)).toEqual(settled(10))
    await one.vsa.flush()
    const more = theirs.admit(80)
    await world.clock.advance(6_000)
    expect(await more).toBe(false)
    expect(await world.row('calls', period)).toMatchObject({ used: 10 })
  })

  test('what is there is taken, though another owner holds the rest and does not answer: within one deadline', async () => {
    const world = bench()
    const [one, other] = [world.owner({ deadlineMs: 1_000 }), world.owner()]
    await Promise.all([one.vsa.ready(), other.vsa.ready()])
    other.vsa.budget('credits', { initial: 14, atRisk: 6, burnMax: 14 }).tryAdmit(6)
    await world.clock.settle()
    other.net.cut('hang')
    const mine = reserved(await one.vsa.budget('credits', { initial: 14 }).reserve(4))
    const startedAtMs = world.clock.monotonic()
    const outcome = mine.settle(14).then((said) => ({ said, tookMs: world.clock.monotonic() - startedAtMs }))
    for (let passedMs = 0; passedMs < 12_000; passedMs += 100) await world.clock.advance(100)
    expect((await outcome).said).toEqual(settled(8, 6))
    expect((await outcome).tookMs).toBeLessThan(1_500)
    expect(await world.row('credits')).toMatchObject({ pool: 0 })
    expect(one.vsa.stats()).toMatchObject({ deniedUnits: 0, uncoveredUnits: 6 })
  })

  test('O10: what is used beyond it is asked for again as far as it is there, and the answer comes within two deadlines', async () => {
    const world = bench()
    const one = world.owner({ deadlineMs: 1_000 })
    await one.vsa.ready()
    const mine = reserved(await one.vsa.budget('credits', { initial: 1_000 }).reserve(1))
    // Another owner takes units between any two answers, so that each try finds less than the one before.
    const exchange = one.net.exchange.bind(one.net)
    const other = world.owner().vsa.budget('credits', { initial: 1_000 })
    one.net.exchange = async (batch) => {
      const answer = exchange(batch)
      await other.admit(10)
      return answer
    }
    for (let call = 0; call < 20; call += 1)
      one.net.inject('exchange', { kind: 'delay', requestMs: 100, answerMs: 500 })
    const startedAtMs = world.clock.monotonic()
    const tookMs = mine
      .settle(1_000)
      .catch(codeOf)
      .then((said) => ({ said, ms: world.clock.monotonic() - startedAtMs }))
    for (let passedMs = 0; passedMs < 10_000; passedMs += 50) await world.clock.advance(50)
    expect(await tookMs).toMatchObject({ said: 'timeout' })
    expect((await tookMs).ms).toBeLessThanOrEqual(2_000)
    expect((await tookMs).ms).toBeGreaterThan(1_000)
  })

  test('extend: all or nothing; two at once reserve the larger total once', async () => {
    const world = bench()
    const { budget, one } = await leased(world)
    const stream = reserved(budget.tryReserve(100))
    expect(await stream.extend({ units: 1_001 })).toBe(false)
    expect(await Promise.all([stream.extend({ units: 400 }), stream.extend({ units: 300 })])).toEqual([true, true])
    expect(await stream.extend({ units: 50 })).toBe(true)
    expect(stream.units).toBe(400)
    await one.vsa.flush()
    expect(one.vsa.stats().admittedUnits - one.vsa.stats().refundedUnits).toBe(400)
    expect(await stream.cancel()).toEqual(settled(0))
    await one.vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 0, pool: 1_000 })
  })

  test('a settlement while it is extended has its outcome, and what it is extended by goes back', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const budget = vsa.budget('credits', { initial: 500 })
    const stream = reserved(await budget.reserve(100))
    const extended = stream.extend({ units: 300 })
    expect(await stream.settle(80)).toEqual(settled(80))
    expect(await extended).toBe(false)
    await vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 80, pool: 420 })
  })

  test('while the store is away what was used beyond it stays open, and may be settled again', async () => {
    const world = bench()
    const one = world.owner({ deadlineMs: 1_000 })
    const budget = one.vsa.budget('credits', { initial: 500 })
    const stream = reserved(await budget.reserve(100))
    one.net.cut('refuse')
    const failed = stream.settle(150).catch(codeOf)
    await world.clock.advance(1_500)
    expect(await failed).toBe('store_unavailable')
    expect(stream.state).toBe('open')
    one.net.heal()
    await world.clock.advance(5_000)
    expect(await stream.settle(150)).toEqual(settled(150))
    await one.vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 150 })
  })

  test('without a record (onStoreUnavailable allow) nothing of it goes back', async () => {
    const world = bench()
    const one = world.owner({ deadlineMs: 1_000, onStoreUnavailable: 'allow' }, 'refuse')
    const budget = one.vsa.budget('credits', { initial: 500 })
    const asked = budget.reserve(100)
    await world.clock.advance(1_500)
    const stream = reserved(await asked)
    expect(await stream.settle(10)).toEqual(settled(10))
    expect(one.vsa.stats()).toMatchObject({ refundedUnits: 0, unaccountedUnits: 100 })
    one.net.heal()
    await world.clock.advance(20_000)
    await one.vsa.close()
  })

  test.each(['in memory', 'with an id', 'of several budgets', 'of a waterfall'])(
    'L2: %s, made while the store is away (allow): it says so, no account has it, and what is used beyond it is charged as of any other',
    async (form) => {
      const world = bench()
      const one = world.owner({ deadlineMs: 1_000, onStoreUnavailable: 'allow' }, 'refuse')
      const budget = one.vsa.budget('credits', { initial: 500 })
      const make = {
        'in memory': () => budget.reserve(100),
        'with an id': () => budget.reserve(100, { id: 'call', ttlMs: 60_000, onExpire: 'capture' }),
        'of several budgets': () => one.vsa.reserveAll([[budget, 100]]).then((made) => made?.[0] ?? null),
        'of a waterfall': () => one.vsa.reserveFirst([budget], 100),
      }[form]
      const asked = Promise.all(Array.from({ length: 3 }, async () => (await make?.()) ?? null))
      await world.clock.advance(1_500)
      const [within, beyond, extended] = (await asked).map(reserved)
      for (const each of [within, beyond, extended]) {
        expect([each?.unaccounted, each?.id, each?.state]).toEqual([true, undefined, 'open'])
        expect(JSON.parse(JSON.stringify(each))).toMatchObject({ units: 100, unaccounted: true })
      }
      one.net.heal()
      await world.clock.advance(20_000)
      expect(await extended?.extend({ units: 130 })).toBe(true)
      expect(await within?.settle(40)).toEqual(settled(40))
      expect(await beyond?.settle(107)).toEqual(settled(107))
      expect(await extended?.settle(120)).toEqual(settled(120))
      const accounted = reserved(await budget.reserve(10))
      expect(accounted.unaccounted).toBeUndefined()
      expect(accounted).not.toMatchObject({ unaccounted: true })
      await accounted.settle(10)
      await one.vsa.flush()
      expect(await budget.peek()).toEqual({
        ...{ limit: 500, minted: 500, used: 7 + 20 + 10, reserved: 0, remaining: 463, leased: 0, burned: 0 },
      })
      expect(one.vsa.stats()).toMatchObject({ unaccountedUnits: 300, uncoveredUnits: 0 })
      await one.vsa.close()
    },
  )

  test('bad arguments and a closed engine are refused by name, before any change', async () => {
    const { budget, one } = await leased(bench())
    for (const units of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => budget.tryReserve(units)).toThrow(RangeError)
      await expect(budget.reserve(units)).rejects.toThrow('units must be')
    }
    expect(() => (budget.tryReserve as () => unknown)()).toThrow(TypeError)
    budget.tryAdmit(1)
    await expect(budget.reserve(0.5)).rejects.toThrow('units must be')
    const stream = reserved(budget.tryReserve(10))
    expect(() => stream.meter(-1)).toThrow('units must be')
    await expect(stream.settle(-1)).rejects.toThrow('actual must be')
    await expect(stream.settle('1' as unknown as number)).rejects.toThrow(TypeError)
    await expect(stream.extend({})).rejects.toThrow('to must have units, ttlMs, or both')
    await expect(stream.extend({ units: -1 })).rejects.toThrow('to.units must be')
    await expect(stream.extend({ units: 20, ttlMs: 5 })).rejects.toThrow(
      'to.ttlMs goes with a reservation that has an id',
    )
    await expect(budget.reserve(1, { ttlMs: 5 } as object)).rejects.toThrow('options.id is missing')
    expect(stream.state).toBe('open')
    const durable = one.vsa.budget('durable', { initial: 5 })
    expect(() => durable.tryReserve(1)).toThrow('durable')
    const open = reserved(budget.tryReserve(10))
    await one.vsa.close()
    expect(() => budget.tryReserve(1)).toThrow('closed')
    expect(await open.settle(5).catch(codeOf)).toBe('closed')
    expect(await open.settle(10)).toEqual(settled(10))
  })

  test('L1 L2: reservations in any order: what the row says was used is what was settled, and never more than there is', async () => {
    const step = record({
      kind: constantFrom('reserve', 'tryReserve', 'settle', 'extend', 'flush'),
      at: nat(5),
      units: integer({ min: 0, max: 150 }),
    })
    await assert(
      asyncProperty(array(step, { maxLength: 40 }), constantFrom(0, 30, 200), async (steps, atRisk) => {
        const world = bench()
        const { vsa } = world.owner()
        const budget = vsa.budget('credits', { initial: 300, atRisk })
        await vsa.ready()
        const open: Reservation[] = []
        let used = 0
        for (const { kind, at, units } of steps) {
          const one = open[at % Math.max(1, open.length)]
          if (kind === 'reserve' || kind === 'tryReserve') {
            const made = kind === 'reserve' || atRisk === 0 ? await budget.reserve(units) : budget.tryReserve(units)
            if (made !== null) open.push(made)
          } else if (kind === 'flush') await vsa.flush()
          else if (one !== undefined && kind === 'extend') await one.extend({ units })
          else if (one !== undefined) {
            const outcome = await one.settle(units)
            expect(outcome.settled + outcome.uncovered).toBe(units)
            used += outcome.settled
            open.splice(open.indexOf(one), 1)
          }
          expect(used + open.reduce((sum, { units: kept }) => sum + kept, 0)).toBeLessThanOrEqual(300)
        }
        for (const one of open) used += (await one.settle(one.units)).settled
        await vsa.close()
        expect(await world.row('credits').catch(() => ({ used: 0 }))).toMatchObject({ used })
      }),
      { numRuns: 60 },
    )
  })
})

describe('reserveAll', () => {
  test('A1: all or none, one reservation for each need, each settled by itself', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [calls, tokens] = [vsa.budget('calls', { initial: 10 }), vsa.budget('tokens', { initial: 1_000 })]
    expect(await vsa.reserveAll([[calls, 1], [tokens, 2_000]])).toBeNull() // oxfmt-ignore
    const made = await vsa.reserveAll([[calls, 1], [tokens, 400], [tokens, 100]]) // oxfmt-ignore
    expect(made?.map(({ units }) => units)).toEqual([1, 400, 100])
    expect(await made?.[1]?.settle(150)).toEqual(settled(150))
    expect(await made?.[2]?.cancel()).toEqual(settled(0))
    await vsa.close()
    expect(await world.row('calls')).toMatchObject({ used: 1 })
    expect(await world.row('tokens')).toMatchObject({ used: 150, pool: 850 })
    await expect(vsa.reserveAll([])).rejects.toThrow('needs must name')
  })

  test('L1: the list may be used again while it waits', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const budget = vsa.budget('credits', { initial: 500 })
    await budget.admit(300)
    const need: [Budget, number] = [budget, 10]
    const asked = vsa.reserveAll([need])
    need[1] = 300
    for (const one of (await asked) ?? []) await one.cancel()
    await vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 300 })
  })

  test('bad needs are refused', async () => {
    const { vsa } = bench().owner()
    await expect(vsa.reserveAll([])).rejects.toThrow('needs must name')
  })
})

describe('tryAdmitAll', () => {
  test('A4: all or none from memory, without a store call', async () => {
    const world = bench()
    const { vsa, net } = world.owner()
    const names = ['minute', 'month', 'tokens'] as const
    const budgets = names.map((name) => vsa.budget(name, CREDITS))
    await vsa.ready()
    for (const budget of budgets) budget.tryAdmit(500)
    await world.clock.settle()
    const before = net.calls.exchange
    const [minute, month, tokens] = budgets as [Budget, Budget, Budget]
    const held = vsa.stats()
    expect(vsa.tryAdmitAll([[minute, 1], [month, 1], [tokens, 200]])).toBe(true) // oxfmt-ignore
    expect(vsa.tryAdmitAll([[minute, 1], [month, 1], [tokens, 400]])).toBe(false) // oxfmt-ignore
    expect(vsa.tryAdmitAll([[minute, 1], [minute, 1]])).toBe(true) // oxfmt-ignore
    expect(net.calls.exchange).toBe(before)
    await vsa.flush()
    expect(vsa.stats()).toMatchObject({
      admittedUnits: held.admittedUnits + 204,
      deniedUnits: held.deniedUnits + 402,
      operations: held.operations + 3 + 1 + 2,
    })
    await vsa.close()
    expect(await world.row('minute')).toMatchObject({ used: 3 })
    expect(await world.row('month')).toMatchObject({ used: 1 })
    expect(await world.row('tokens')).toMatchObject({ used: 200 })
  })

  test('true means that all of it is spent, also where a period ends between two looks at the clock', async () => {
    for (let off = 0; off < 60; off += 1) {
      const clock = manualClock()
      let [extra, step] = [0, 0]
      const live: Clock = {
        now: () => clock.now() + Math.floor(extra),
        monotonic: () => clock.monotonic() + (extra += step),
        soon: (work) => clock.soon(work),
        timer: (delayMs, work) => clock.timer(delayMs, work),
      }
      const vsa = open({ store: memory(), clock: live, onEvent: () => undefined })
      const [a, b] = [vsa.budget('a', { limit: 100, per: 60_000, atRisk: 100 }), vsa.budget('b', CREDITS)]
      await vsa.ready()
      await clock.advance(59_950 - (clock.now() % 60_000))
      a.tryAdmit(100)
      b.tryAdmit(100)
      await clock.settle()
      await clock.advance(30)
      ;[extra, step] = [off * 0.1, 0.7]
      let admitted = 0
      for (let call = 0; call < 40; call += 1) if (vsa.tryAdmitAll([[b, 1], [a, 1], [b, 0]])) admitted += 1 // oxfmt-ignore
      step = 0
      const flushed = vsa.flush()
      await clock.settle()
      await flushed
      expect(vsa.stats().admittedUnits).toBe(2 * admitted)
    }
  })

  test('nothing is spent by a call that is refused, whatever is wrong with it', async () => {
    const world = bench()
    // More than a call may name.
    const { budget, one } = await leased(world, 2_000)
    const durable = one.vsa.budget('durable', { initial: 5 })
    const other = world.owner().vsa
    const foreign = other.budget('foreign', { initial: 10, atRisk: 10 })
    await other.ready()
    foreign.tryAdmit(10)
    await world.clock.settle()
    // Both have a lease, and room on the hot path.
    expect([foreign.tryAdmit(), budget.tryAdmit()]).toEqual([true, true])
    const room = (budget as unknown as { room: number }).room
    expect(room).toBeGreaterThan(1_001)
    const before = one.vsa.stats()
    const bad =
      (needs: unknown): (() => boolean) =>
      () =>
        one.vsa.tryAdmitAll(needs as [])
    expect(bad([])).toThrow('needs must name')
    expect(bad(5)).toThrow('needs must be an array')
    expect(bad([[budget, 5], [budget, 0.5]])).toThrow('needs[1][1]') // oxfmt-ignore
    expect(bad([[budget, 5], [budget, 5n]])).toThrow('needs[1][1]') // oxfmt-ignore
    expect(bad([[budget, 5], null])).toThrow('needs[1][0]') // oxfmt-ignore
    expect(bad([[budget, 5], [foreign, 1]])).toThrow('needs[1][0]') // oxfmt-ignore
    expect(bad([[budget, 5], [durable, 1]])).toThrow('durable') // oxfmt-ignore
    expect(bad(Array.from({ length: 1_001 }, () => [budget, 1]))).toThrow('1 to 1000')
    expect(one.vsa.tryAdmitAll([[budget, 0]])).toBe(true)
    expect(one.vsa.stats()).toEqual(before)
    await one.vsa.close()
    expect(one.vsa.stats()).toMatchObject({ admittedUnits: before.admittedUnits, operations: before.operations })
    expect(bad([[budget, 5]])).toThrow('closed')
  })
})
