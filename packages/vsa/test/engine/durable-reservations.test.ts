import { describe, expect, test } from 'vitest'
import type { DurableReserve, InitialPolicy, Need, Reservation, Settled } from '../../src/index.ts'
import { bench, codeOf, type Bench, type Owner } from './fixture.ts'

/* R1 to R9: reservations that the store keeps. */

const CREDITS = { initial: 1_000 } as const
const HOUR_MS = 3_600_000
const LATE = expect.stringContaining('it may have counted; the same call again tells, and counts once') as string
const DAY_MS = 24 * HOUR_MS

const kept = (id: string, part: Partial<DurableReserve> = {}): DurableReserve => ({
  ...{ id, ttlMs: HOUR_MS, onExpire: 'return' },
  ...part,
})
const settled = (units: number, uncovered = 0, repeated = false): Settled => ({ settled: units, uncovered, repeated })

function there(reservation: Reservation | null): Reservation {
  if (reservation === null) throw new Error('the units are not there')
  return reservation
}

/** The call is answered while the clock goes on: its retries wait for it. */
async function answered<T>({ clock }: Bench, call: Promise<T>): Promise<T> {
  let isOver = false
  const over = call.finally(() => {
    isOver = true
  })
  over.catch(() => undefined)
  for (let step = 0; step < 200 && !isOver; step += 1) await clock.advance(50)
  return over
}

/** The owner holds a lease of 400 units or so, and has spent none. */
async function lease({ clock }: Bench, { vsa }: Owner, policy: InitialPolicy): Promise<void> {
  const budget = vsa.budget('credits', policy)
  await vsa.ready()
  budget.tryAdmit(400)
  await clock.settle()
}

/** The first owner dies: what it knew is gone. */
function die({ net }: Owner): void {
  net.cut('hang')
}

describe('exchanges of ids over many budgets', () => {
  const budgets = (owner: Owner, count: number): readonly Need[] =>
    Array.from({ length: count }, (_, at) => [owner.vsa.budget(`b${at}`, { initial: 100 }), 1] as const)

  test('S3: changes beyond what one exchange looks at are sent again, and each has its outcome', async () => {
    const world = bench()
    const owner = world.owner()
    const needs = budgets(owner, 100)
    const reservations: Reservation[] = []
    for (let at = 0; at < 22; at += 1) {
      const made = await answered(world, owner.vsa.reserveAll(needs, kept(`r${at}`)))
      if (made?.[0] !== undefined) reservations.push(made[0])
    }
    const before = owner.batches.length
    const outcomes = await answered(world, Promise.all(reservations.map((one) => one.settle(1))))
    expect(outcomes).toEqual(Array.from({ length: 22 }, () => settled(1)))
    const sent = owner.batches.slice(before).map(({ changes = [] }) => changes.length)
    expect(sent.filter((changes) => changes > 0)).toEqual([22, 2])
  })

  test('the budgets of all takes under ids of one exchange are bounded: at the bound they go together, past it apart', async () => {
    for (const [calls, takes] of [
      [2, [2]],
      [3, [2, 1]],
    ] as const) {
      const world = bench()
      const owner = world.owner()
      await answered(world, owner.vsa.ready())
      const needs = budgets(owner, 1_000)
      const asked = Array.from({ length: calls }, (_, at) => owner.vsa.admitAll(needs, { id: `call-${at}` }))
      expect(await answered(world, Promise.all(asked))).toEqual(Array.from({ length: calls }, () => true))
      expect(owner.batches.map((one) => one.takes.length).filter((count) => count > 0)).toEqual(takes)
    }
  })
})

describe('a reservation that the store keeps', () => {
  test('R1 R2: its units are set aside, durable on return, and the same call by another process gives the same one', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const first = there(await one.vsa.budget('credits', CREDITS).reserve(600, kept('call')))
    expect([first.id, first.units, first.state]).toEqual(['call', 600, 'open'])
    expect(await world.row('credits')).toMatchObject({ used: 0, reserved: 600, pool: 400 })
    die(one)
    const credits = other.vsa.budget('credits', CREDITS)
    expect(there(await credits.reserve(600, kept('call'))).units).toBe(600)
    expect(await world.row('credits')).toMatchObject({ reserved: 600, pool: 400 })
    expect(await credits.reserve(401, kept('second'))).toBeNull()
    expect(await credits.reserve(599, kept('call')).catch(codeOf)).toBe('id_conflict')
    expect(await credits.peek()).toMatchObject({ used: 0, reserved: 600, remaining: 400 })
    expect(await credits.decide(500)).toMatchObject({ admitted: false, reason: 'exhausted', remaining: 400 })
  })

  test('R4: settled by a process that has its id alone, once, for less; later settlements hear the first outcome', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    await one.vsa.budget('credits', CREDITS).reserve(600, kept('call'))
    die(one)
    const handle = other.vsa.budget('credits', CREDITS).reservation('call')
    expect([handle.state, handle.units]).toEqual(['unknown', 0])
    expect(await handle.settle(250)).toEqual(settled(250))
    expect(handle.state).toBe('settled')
    expect(await handle.cancel()).toEqual(settled(250, 0, true))
    expect(await other.vsa.budget('credits', CREDITS).reservation('call').settle(9)).toEqual(settled(250, 0, true))
    expect(await world.row('credits')).toMatchObject({ used: 250, reserved: 0, pool: 750 })
  })

  test('R4: what was used beyond it is charged as far as it is there, and counted where it is not', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    const call = there(await credits.reserve(600, kept('call')))
    await credits.admit(300)
    expect(await call.settle(750)).toEqual(settled(700, 50))
    expect(vsa.stats().uncoveredUnits).toBe(50)
    expect(await world.row('credits')).toMatchObject({ used: 1_000, reserved: 0, pool: 0 })
  })

  test('R4: it takes what is in the pool, and not what leases hold', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const leasing = { initial: 1_000, atRisk: 500 } as const
    await lease(world, other, leasing)
    const call = there(await one.vsa.budget('credits', leasing).reserve(300, kept('call')))
    const { pool } = await world.row('credits')
    expect(pool).toBeLessThan(700)
    expect(await call.settle(1_000)).toEqual(settled(300 + pool, 700 - pool))
  })

  test('R3: it ends by itself: `return` gives its units back, `capture` leaves them; it can still be put right, once', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    const back = there(await credits.reserve(300, kept('back', { ttlMs: 1_000 })))
    const captured = there(await credits.reserve(400, kept('captured', { ttlMs: 1_000, onExpire: 'capture' })))
    await world.clock.advance(1_001)
    expect(await credits.admit(301)).toBe(true)
    expect(await world.row('credits')).toMatchObject({ used: 301, reserved: 400, pool: 299 })
    expect(await back.extend({ units: 310 })).toBe(false)
    expect(back.state).toBe('expired')
    expect(await back.settle(300)).toEqual(settled(299, 1))
    expect(await captured.settle(100)).toEqual(settled(100))
    expect(await world.row('credits')).toMatchObject({ used: 700, reserved: 0, pool: 300 })
  })

  test('R5: it is extended to a total and to an end, all or nothing, and a repeat changes nothing', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    const call = there(await credits.reserve(600, kept('call', { ttlMs: 1_000 })))
    expect(await call.extend({ units: 900 })).toBe(true)
    expect(await call.extend({ units: 700, ttlMs: HOUR_MS })).toBe(true)
    expect(call.units).toBe(900)
    expect(await call.extend({ units: 1_001 })).toBe(false)
    await world.clock.advance(2_000)
    expect(await world.row('credits')).toMatchObject({ reserved: 900, pool: 100 })
    expect(await call.settle(850)).toEqual(settled(850))
    expect(await call.extend({ units: 950 })).toBe(false)
  })

  test('R5 O12: units that leases hold are called back for an extension', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const leasing = { initial: 1_000, atRisk: 500 } as const
    await lease(world, other, leasing)
    expect((await world.row('credits')).pool).toBeLessThan(700)
    const call = there(await one.vsa.budget('credits', leasing).reserve(600, kept('call')))
    expect(await answered(world, call.extend({ units: 1_000 }))).toBe(true)
    expect(await world.row('credits')).toMatchObject({ reserved: 1_000, pool: 0 })
  })

  test('R5: what others hold and have spent is not there: the extension is refused at its deadline, and nothing has changed', async () => {
    const world = bench()
    const [one, other] = [world.owner({ deadlineMs: 1_000 }), world.owner()]
    const leasing = { initial: 1_000, atRisk: 500 } as const
    await lease(world, other, leasing)
    other.net.cut('hang')
    const call = there(await one.vsa.budget('credits', leasing).reserve(600, kept('call')))
    expect(await answered(world, call.extend({ units: 700 }))).toBe(false)
    expect(await world.row('credits')).toMatchObject({ reserved: 600 })
  })

  test('R6: it is forgotten 7 days after its end; what was captured is used then, and the id is unknown', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    const call = there(await credits.reserve(400, kept('call', { ttlMs: 1_000, onExpire: 'capture' })))
    await world.clock.advance(1_001)
    await credits.admit()
    await world.clock.advance(7 * DAY_MS + 2_000)
    await credits.admit()
    await world.clock.advance(20_000)
    await credits.admit()
    expect(await world.row('credits')).toMatchObject({ used: 403, reserved: 0 })
    expect(await call.settle(1).catch(codeOf)).toBe('reservation_unknown')
    expect(await vsa.budget('credits', CREDITS).reservation('never').settle(1).catch(codeOf)).toBe(
      'reservation_unknown',
    )
  })

  test('R7: its units go back into the period that they came from', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const quota = vsa.budget('quota', { limit: 100, per: 'day', atRisk: 0 })
    const call = there(await quota.reserve(60, kept('call', { ttlMs: 3 * DAY_MS })))
    const { period } = await world.row('quota')
    await world.clock.advance(DAY_MS)
    expect(await quota.admit(100)).toBe(true)
    expect(await call.settle(20)).toEqual(settled(20))
    expect(await world.row('quota', period)).toMatchObject({ used: 20, reserved: 0, pool: 80 })
    expect(await quota.admit()).toBe(false)
  })

  test('R8: a call whose answer is lost is asked again by its id, and has one outcome', async () => {
    const world = bench()
    const one = world.owner()
    const credits = one.vsa.budget('credits', CREDITS)
    await credits.admit()
    one.net.inject('exchange', { kind: 'lost_answer' })
    const call = there(await answered(world, credits.reserve(600, kept('call'))))
    one.net.inject('exchange', { kind: 'lost_answer' })
    expect(await answered(world, call.settle(100))).toMatchObject({ settled: 100, uncovered: 0 })
    expect(await world.row('credits')).toMatchObject({ used: 101, reserved: 0, pool: 899 })
  })

  test('R8 O10: granted after its caller has left, it stays, and the id tells', async () => {
    const world = bench()
    const one = world.owner({ exchangeTimeoutMs: 500 })
    const credits = one.vsa.budget('credits', CREDITS)
    await credits.admit()
    one.net.inject('exchange', { kind: 'lost_answer' })
    const gone = credits.reserve(600, kept('call', { deadlineMs: 200 })).catch((error: unknown) => error)
    expect(await answered(world, gone)).toMatchObject({ code: 'timeout', applied: 'unknown' })
    await world.clock.advance(5_000)
    expect(await world.row('credits')).toMatchObject({ used: 1, reserved: 600 })
    expect(await credits.reservation('call').settle(0)).toEqual(settled(0))
  })

  test('R8 O13: a settlement is taken until the last batch, and close waits for it', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const call = there(await vsa.budget('credits', CREDITS).reserve(600, kept('call')))
    const closed = vsa.close()
    const last = call.settle(10)
    await closed
    expect(await last).toEqual(settled(10))
    expect(await call.extend({ units: 1 }).catch(codeOf)).toBe('closed')
    expect(await world.row('credits')).toMatchObject({ used: 10, reserved: 0, pool: 990 })
  })

  test('R1 O12: units in the lease of this owner or of others are called back for it', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const leasing = { initial: 1_000, atRisk: 500 } as const
    for (const owner of [one, other]) await lease(world, owner, leasing)
    expect((await world.row('credits')).pool).toBeLessThan(300)
    const credits = one.vsa.budget('credits', leasing)
    const call = there(await answered(world, credits.reserve(1_000, kept('call'))))
    expect(call.units).toBe(1_000)
    expect(await world.row('credits')).toMatchObject({ used: 0, reserved: 1_000, pool: 0 })
  })

  test('R1: of several budgets all or none, and each is settled by itself', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [tokens, credits] = [vsa.budget('tokens', { initial: 100 }), vsa.budget('credits', CREDITS)]
    expect(
      await vsa.reserveAll(
        [
          [tokens, 101],
          [credits, 1],
        ],
        kept('call'),
      ),
    ).toBeNull()
    expect(await world.row('credits')).toMatchObject({ reserved: 0 })
    const made = await vsa.reserveAll(
      [
        [tokens, 90],
        [credits, 500],
      ],
      kept('call'),
    )
    expect(made?.map(({ id, units }) => [id, units])).toEqual([
      ['call', 90],
      ['call', 500],
    ])
    expect(await made?.[0]?.settle(50)).toEqual(settled(50))
    expect(await world.row('credits')).toMatchObject({ reserved: 500 })
    expect(await credits.reservation('call').settle(400)).toEqual(settled(400))
    expect(await world.row('tokens')).toMatchObject({ used: 50, pool: 50 })
    expect(await vsa.reserveAll([[tokens, 90]], kept('call')).catch(codeOf)).toBe('id_conflict')
    await expect(
      vsa.reserveAll(
        [
          [tokens, 1],
          [tokens, 1],
        ],
        kept('two'),
      ),
    ).rejects.toThrow('each budget once')
  })

  test('P7: on trial it refuses nothing, and nothing is set aside', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('trial', { initial: 5, shadow: true })
    const call = there(await budget.reserve(9, kept('call')))
    expect(await call.settle(9)).toEqual(settled(9))
    expect(vsa.stats().shadowDeniedUnits).toBe(9)
  })

  test('R9: metered in memory alone, and settled for what was metered', async () => {
    const world = bench()
    const one = world.owner()
    const call = there(await one.vsa.budget('credits', CREDITS).reserve(10, kept('call', { onExpire: 'capture' })))
    const before = one.net.calls.exchange
    expect([call.meter(6), call.meter(4), call.meter()]).toEqual([true, true, false])
    expect(one.net.calls.exchange).toBe(before)
    expect(await call.settle()).toEqual(settled(11))
    expect(call.meter()).toBe(false)
  })

  test('bad arguments are refused by name, before any call', async () => {
    const world = bench()
    const one = world.owner()
    const credits = one.vsa.budget('credits', CREDITS)
    await one.vsa.ready()
    const before = one.net.calls.exchange
    const bad: readonly [Record<string, unknown>, string][] = [
      [{ id: '' }, 'options.id must have 1 to 256 characters'],
      [{ id: 'x'.repeat(257) }, 'options.id must have 1 to 256 characters'],
      [{ id: 5 }, 'options.id must be a string'],
      [{ id: '\ud800' }, 'options.id must be well-formed'],
      [{ ttlMs: 0 }, 'options.ttlMs must be'],
      [{ ttlMs: 401 * DAY_MS }, 'options.ttlMs must be'],
      [{ ttlMs: undefined }, 'options.ttlMs is missing'],
      [{ onExpire: undefined }, 'options.onExpire is missing'],
      [{ id: undefined }, 'options.id is missing'],
      [{ onExpire: 'burn' }, 'options.onExpire must be one of'],
      [{ durable: false }, 'options.durable must not be false'],
      [{ units: 3 }, 'options.units is not known'],
    ]
    for (const [part, message] of bad)
      await expect(credits.reserve(5, kept('call', part as Partial<DurableReserve>))).rejects.toThrow(message)
    await expect(credits.reserve(0, kept('call'))).rejects.toThrow('units must be')
    expect(() => credits.reservation('')).toThrow('id must have 1 to 256 characters')
    await expect(credits.reservation('call').settle(-1)).rejects.toThrow('actual must be')
    await expect(credits.reservation('call').extend({ ttlMs: 0 })).rejects.toThrow('to.ttlMs must be')
    await expect(credits.reservation('call').extend({ more: 1 } as object)).rejects.toThrow('to.more is not known')
    expect(one.net.calls.exchange).toBe(before)
    expect(there(await credits.reserve(5, kept('x'.repeat(256)))).units).toBe(5)
    expect(there(await credits.reserve(5, kept('x', { ttlMs: 400 * DAY_MS }))).units).toBe(5)
  })
})

test.each(['throw', 'allow', 'deny'] as const)(
  'R8: what is in flight at its deadline is not known, also where the store had refused it before: %s',
  async (onStoreUnavailable) => {
    const world = bench()
    const one = world.owner({ deadlineMs: 500, exchangeTimeoutMs: 2_000, onStoreUnavailable })
    const credits = one.vsa.budget('credits', CREDITS)
    await credits.admit()
    one.net.inject('exchange', { kind: 'lost_answer' })
    const failed = credits.reserve(80, kept('call', { onExpire: 'capture' })).catch((error: unknown) => error)
    expect(await answered(world, failed)).toMatchObject({ code: 'timeout', applied: 'unknown' })
    await world.clock.advance(5_000)
    expect(there(await credits.reserve(80, kept('call'))).units).toBe(80)
  },
)

test('O12, R1: what others hold and have spent is not there: it is denied at its deadline, and nothing is remembered', async () => {
  const world = bench()
  const [one, other] = [world.owner({ deadlineMs: 1_000 }), world.owner()]
  const leasing = { initial: 1_000, atRisk: 500 } as const
  await lease(world, other, leasing)
  other.net.cut('hang')
  const credits = one.vsa.budget('credits', leasing)
  expect(await answered(world, credits.reserve(900, kept('call')))).toBeNull()
  expect(await credits.reservation('call').settle(1).catch(codeOf)).toBe('reservation_unknown')
})

test('R5, R1: a repeat tells the units that it was extended to', async () => {
  const { vsa } = bench().owner()
  const credits = vsa.budget('credits', CREDITS)
  const call = there(await credits.reserve(100, kept('call')))
  await call.extend({ units: 250 })
  expect(there(await credits.reserve(100, kept('call'))).units).toBe(250)
})

test('R8: a settlement whose answer does not come in time says that the same call again tells', async () => {
  const world = bench()
  const one = world.owner({ deadlineMs: 300, exchangeTimeoutMs: 1_000 })
  const call = there(await one.vsa.budget('credits', CREDITS).reserve(100, kept('call')))
  one.net.inject('exchange', { kind: 'lost_answer' })
  const failed = answered(world, call.settle(60)).catch((error: unknown) => error)
  expect(await failed).toMatchObject({ code: 'timeout', applied: 'unknown', message: LATE })
  await world.clock.advance(5_000)
  expect(await call.settle(60)).toMatchObject({ settled: 60, repeated: true })
})

test('R9: a handle without an answer does not settle for nothing by itself, and one that is over covers nothing', async () => {
  const world = bench()
  const [one, other] = [world.owner(), world.owner()]
  const credits = one.vsa.budget('credits', CREDITS)
  await credits.reserve(50, kept('call', { ttlMs: 1_000 }))
  const handle = other.vsa.budget('credits', CREDITS).reservation('call')
  await expect(handle.settle()).rejects.toThrow('actual must be given')
  await world.clock.advance(2_000)
  const again = there(await credits.reserve(50, kept('call')))
  expect([again.state, again.meter()]).toEqual(['expired', false])
})

test('R1 R3 R4: asked for again under its id, its `state` says whether its units are still set aside', async () => {
  const world = bench()
  const { vsa } = world.owner()
  const seats = vsa.budget('seats', { initial: 4 })
  const held = async (id: string): Promise<Reservation['state']> =>
    there(await seats.reserve(1, kept(id, { ttlMs: 1_000 }))).state
  for (const id of ['paid', 'left', 'late']) expect(await held(id)).toBe('open')
  expect(seats.reservation('paid').state).toBe('unknown')
  await seats.reservation('paid').settle(1)
  await seats.reservation('left').cancel()
  await world.clock.advance(2_000)
  expect([await held('paid'), await held('left'), await held('late')]).toEqual(['settled', 'settled', 'expired'])
  expect([await held('another'), await seats.peek()]).toMatchObject(['open', { used: 1, reserved: 1, remaining: 2 }])
  // What is not there any more is not charged.
  expect(await seats.admit(2)).toBe(true)
  expect(await seats.reservation('late').settle(1)).toEqual(settled(0, 1))
  expect(await seats.peek()).toMatchObject({ used: 3, reserved: 1, remaining: 0, burned: 0 })
})

test('R1: the handles of a repeated request of several budgets have each its own state', async () => {
  const { vsa } = bench().owner()
  const needs = ['a', 'b'].map((key) => [vsa.budget(key, CREDITS), 10] as const)
  const made = await vsa.reserveAll(needs, kept('call'))
  await made?.[0]?.settle(3)
  const again = await vsa.reserveAll(needs, kept('call'))
  expect(again?.map(({ state }) => state)).toEqual(['settled', 'open'])
})

test('P7: of several budgets, one on trial does not refuse a reservation that the store keeps', async () => {
  const world = bench()
  const { vsa } = world.owner()
  const trial = vsa.budget('trial', { initial: 5, shadow: true })
  const made = await vsa.reserveAll(
    [
      [trial, 9],
      [vsa.budget('credits', CREDITS), 60],
    ],
    kept('call'),
  )
  expect(made?.map(({ id, units }) => [id, units])).toEqual([
    [undefined, 9],
    ['call', 60],
  ])
  expect(await world.row('credits')).toMatchObject({ reserved: 60 })
})

test('P7 R1: of several budgets, one on trial is counted as any other while it admits: once for the id, and settled by any process', async () => {
  const world = bench()
  const [one, other] = [world.owner(), world.owner()]
  const needsOf = ({ vsa }: typeof one): readonly Need[] => [
    [vsa.budget('trial', { initial: 1_000, shadow: true }), 10],
    [vsa.budget('full', { initial: 5, shadow: true }), 10],
    [vsa.budget('credits', CREDITS), 10],
  ]
  for (const owner of [one, other, one]) {
    const made = await owner.vsa.reserveAll(needsOf(owner), kept('call'))
    expect(made?.map(({ id, units }) => [id, units])).toEqual([['call', 10], [undefined, 10], ['call', 10]]) // oxfmt-ignore
  }
  expect(await world.row('trial')).toMatchObject({ reserved: 10, used: 0 })
  expect(one.vsa.stats()).toMatchObject({ shadowDeniedUnits: 20, deniedUnits: 0 })
  for (const reservation of (await other.vsa.reserveAll(needsOf(other), kept('call'))) ?? [])
    await reservation.settle(7)
  for (const key of ['trial', 'credits']) expect(await world.row(key)).toMatchObject({ reserved: 0, used: 7 })
  expect(await world.row('full')).toMatchObject({ reserved: 0, used: 0 })
  const alone = await one.vsa.reserveAll(needsOf(one).slice(0, 2), kept('alone'))
  expect(alone?.map(({ id, units }) => [id, units])).toEqual([['alone', 10], [undefined, 10]]) // oxfmt-ignore
  expect(await world.row('trial')).toMatchObject({ reserved: 10, used: 7 })
})

test('P7: a conflict of the id in a budget on trial fails nothing', async () => {
  const world = bench()
  const { vsa } = world.owner()
  const [trial, credits] = [vsa.budget('trial', { initial: 100, shadow: true }), vsa.budget('credits', CREDITS)]
  await trial.reserve(3, kept('call'))
  const made = await vsa.reserveAll([[trial, 4], [credits, 4]], kept('call')) // oxfmt-ignore
  expect(made?.map(({ unaccounted }) => unaccounted)).toEqual([true, undefined])
  for (const reservation of made ?? []) await reservation.cancel()
  expect(await world.row('trial')).toMatchObject({ reserved: 3 })
  expect(await world.row('credits')).toMatchObject({ reserved: 0, used: 0 })
})

test('L8 R4: 3,000 settlements at once go 1,000 with an exchange, and each has its outcome', async () => {
  const world = bench()
  const one = world.owner()
  const credits = one.vsa.budget('credits', { initial: 3_000 })
  const ids = Array.from({ length: 3_000 }, (_, call) => `call ${call}`)
  const made = await Promise.all(ids.map((id) => credits.reserve(1, kept(id))))
  const before = one.net.calls.exchange
  const outcomes = await Promise.all(made.map((call, at) => there(call).settle(at % 2)))
  expect(outcomes.reduce((sum, outcome) => sum + outcome.settled, 0)).toBe(1_500)
  expect(one.net.calls.exchange - before).toBe(3)
  expect(await world.row('credits')).toMatchObject({ used: 1_500, reserved: 0, pool: 1_500 })
})
