import { describe, expect, test } from 'vitest'
import { bench, codeOf, type Bench } from './fixture.ts'

/* I1, I2: admissions and refunds that count once for each id. */

const CREDITS = { initial: 1_000 } as const
const DAY_MS = 86_400_000

async function answered<T>({ clock }: Bench, call: Promise<T>): Promise<T> {
  let isOver = false
  const over = call.finally(() => {
    isOver = true
  })
  over.catch(() => undefined)
  for (let step = 0; step < 200 && !isOver; step += 1) await clock.advance(50)
  return over
}

describe('an admission with an id', () => {
  test('I1: counts once, for every process; another request under the id is a conflict', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const [mine, theirs] = [one, other].map(({ vsa }) => vsa.budget('credits', CREDITS))
    expect(await mine?.admit(600, { id: 'order' })).toBe(true)
    expect(await theirs?.admit(600, { id: 'order' })).toBe(true)
    expect(await theirs?.decide(600, { id: 'order' })).toMatchObject({ admitted: true, repeated: true, remaining: 400 })
    expect(await mine?.decide(300, { id: 'second' })).not.toHaveProperty('repeated')
    expect(await world.row('credits')).toMatchObject({ used: 900, pool: 100 })
    for (const call of [
      mine?.admit(599, { id: 'order' }),
      mine?.reserve(600, { id: 'order', ttlMs: 5, onExpire: 'return' }),
    ])
      expect(await call?.catch(codeOf)).toBe('id_conflict')
    expect(await world.row('credits')).toMatchObject({ used: 900, pool: 100 })
  })

  test('I1: where nothing is left, what was admitted under the id is still admitted, and a refusal is not remembered', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    expect(await credits.admit(1_000, { id: 'all' })).toBe(true)
    expect(await credits.admit(1)).toBe(false)
    expect(await credits.admit(1_000, { id: 'all' })).toBe(true)
    expect(await credits.admit(5, { id: 'more' })).toBe(false)
    await credits.mint(5, { id: 'invoice' })
    expect(await credits.admit(5, { id: 'more' })).toBe(true)
    expect(await world.row('credits')).toMatchObject({ used: 1_005, pool: 0 })
  })

  test('I2 L1: a repeated decision took nothing, and gives nothing back: another period is not given what an earlier one lost', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const calls = vsa.budget('calls', { limit: 100, per: 1_000, atRisk: 0 })
    const first = await calls.decide(60, { id: 'order' })
    await world.clock.advance(1_000)
    expect(await calls.admit(50)).toBe(true)
    const repeated = await calls.decide(60, { id: 'order' })
    expect(repeated).toMatchObject({ admitted: true, repeated: true })
    expect(repeated.period).toBeGreaterThan(first.period ?? Infinity)
    calls.refund(60, repeated)
    const waterfall = await vsa.decideFirst([calls, vsa.counter('over')], 5, { id: 'second' })
    const again = await vsa.decideFirst([calls, vsa.counter('over')], 5, { id: 'second' })
    expect([waterfall.repeated, again.repeated]).toEqual([undefined, true])
    calls.refund(5, again)
    await vsa.flush()
    expect(await world.row('calls', repeated.period)).toMatchObject({ used: 55 })
    expect(await calls.refund(60, { id: 'order' })).toEqual({ units: 60, repeated: false })
    expect(await world.row('calls', first.period)).toMatchObject({ used: 0 })
  })

  test('I1 R6: an id is remembered for 7 days, and then counts again', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(100, { id: 'order' })
    await world.clock.advance(7 * DAY_MS - 60_000)
    expect(await credits.decide(100, { id: 'order' })).toMatchObject({ repeated: true })
    await world.clock.advance(120_000)
    expect(await credits.decide(100, { id: 'order' })).not.toHaveProperty('repeated')
    expect(await world.row('credits')).toMatchObject({ used: 200 })
  })

  test('I1: over several budgets all or none, once', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [plan, credits] = [vsa.budget('plan', { initial: 10 }), vsa.budget('credits', CREDITS)]
    const needs = [
      [plan, 1],
      [credits, 800],
    ] as const
    expect(await vsa.admitAll(needs, { id: 'call' })).toBe(true)
    expect(await vsa.admitAll(needs, { id: 'call' })).toBe(true)
    expect(await vsa.decideAll(needs, { id: 'call' })).toMatchObject({ admitted: true, repeated: true })
    expect(await vsa.decideAll(needs, { id: 'next' })).toMatchObject({ admitted: false, key: 'credits' })
    expect(await world.row('plan')).toMatchObject({ used: 1 })
    expect(await vsa.admitAll([[plan, 1]], { id: 'call' }).catch(codeOf)).toBe('id_conflict')
  })

  test('I1 S2: an answer that is lost is no second admission, and the call is answered', async () => {
    const world = bench()
    const one = world.owner()
    const credits = one.vsa.budget('credits', CREDITS)
    await credits.admit()
    one.net.inject('exchange', { kind: 'lost_answer' })
    expect(await answered(world, credits.admit(600, { id: 'order' }))).toBe(true)
    expect(await world.row('credits')).toMatchObject({ used: 601 })
  })

  test('I1 L7: it costs one record and one exchange, and equal ones are not made one', async () => {
    const world = bench()
    const one = world.owner()
    const credits = one.vsa.budget('credits', CREDITS)
    await credits.admit()
    const before = one.vsa.stats()
    const calls = Array.from({ length: 100 }, (_, call) => credits.admit(1, { id: `call ${call}` }))
    expect(await Promise.all(calls)).toEqual(calls.map(() => true))
    const after = one.vsa.stats()
    expect(after.exchanges - before.exchanges).toBe(1)
    expect(after.records - before.records).toBe(101)
    expect(after.admittedUnits - before.admittedUnits).toBe(100)
  })

  test('I1: never from a lease: its spending would not be durable', async () => {
    const world = bench()
    const one = world.owner()
    const budget = one.vsa.budget('credits', { initial: 1_000, atRisk: 500 })
    await one.vsa.ready()
    budget.tryAdmit(100)
    await world.clock.settle()
    expect(await budget.admit(10, { id: 'order' })).toBe(true)
    expect(await world.row('credits')).toMatchObject({ used: 10 })
    await expect(budget.admit(10, { id: 'order', durable: false })).rejects.toThrow('options.durable must not be false')
  })
})

describe('a refund with an id', () => {
  test('I2: credits once, up to what was admitted, by any process', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const [mine, theirs] = [one, other].map(({ vsa }) => vsa.budget('credits', CREDITS))
    await mine?.admit(600, { id: 'order' })
    expect(await theirs?.refund(900, { id: 'order' })).toEqual({ units: 600, repeated: false })
    expect(await mine?.refund(100, { id: 'order' })).toEqual({ units: 600, repeated: true })
    expect(await world.row('credits')).toMatchObject({ used: 0, pool: 1_000 })
    expect(await mine?.decide(600, { id: 'order' })).toMatchObject({ admitted: false, reason: 'refunded' })
    expect(await mine?.admit(600, { id: 'order' })).toBe(false)
  })

  test('I2 L3: what was admitted under an id is given back by the id alone: not by its decision as well', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [credits, plan] = [vsa.budget('credits', CREDITS), vsa.budget('plan', { initial: 100 })]
    const trial = vsa.budget('trial', { initial: 100, shadow: true })
    const over = vsa.counter('over')
    const one = await credits.decide(30, { id: 'one' })
    const all = await vsa.decideAll([[plan, 5], [credits, 5], [trial, 5]], { id: 'all' }) // oxfmt-ignore
    const first = await vsa.decideFirst([plan, over], 120, { id: 'first' })
    await vsa.flush()
    const refused = new TypeError(
      'decision must be one without an id: what was admitted under an id is given back once, by refund(units, { id })',
    )
    expect(() => credits.refund(30, one)).toThrow(refused)
    for (const budget of [plan, credits]) expect(() => budget.refund(5, all)).toThrow(refused)
    expect(() => plan.refund(20, first)).toThrow(refused)
    credits.refund(0, one)
    // A budget on trial was charged without the id.
    trial.refund(5, all)
    await vsa.flush()
    expect(vsa.stats()).toMatchObject({ refundedUnits: 5 })
    expect(await credits.refund(30, { id: 'one' })).toEqual({ units: 30, repeated: false })
    expect(await plan.refund(20, { id: 'first' })).toEqual({ units: 20, repeated: false })
    await vsa.close()
    expect(await world.row('credits')).toMatchObject({ used: 5 })
    expect(await world.row('plan')).toMatchObject({ used: 100 })
    expect(await world.row('trial')).toMatchObject({ used: 0 })
  })

  test('I2: a refund of no units is refused: it would use up the one refund', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(600, { id: 'order' })
    await expect(credits.refund(0, { id: 'order' })).rejects.toThrow(RangeError)
    expect(await credits.refund(600, { id: 'order' })).toEqual({ units: 600, repeated: false })
    expect(await world.row('credits')).toMatchObject({ used: 0 })
  })

  test('I2: after a part of it the admission stands', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(600, { id: 'order' })
    expect(await credits.refund(100, { id: 'order' })).toEqual({ units: 100, repeated: false })
    expect(await credits.admit(600, { id: 'order' })).toBe(true)
    expect(await world.row('credits')).toMatchObject({ used: 500, pool: 500 })
  })

  test('I2: of what is not settled it is an error, and of what is settled it gives back what was charged', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    const call = await credits.reserve(600, { id: 'call', ttlMs: DAY_MS, onExpire: 'capture' })
    expect(await credits.refund(1, { id: 'call' }).catch(codeOf)).toBe('reservation_open')
    await call?.settle(250)
    expect(await credits.refund(600, { id: 'call' })).toEqual({ units: 250, repeated: false })
    expect(await credits.refund(1, { id: 'never' }).catch(codeOf)).toBe('reservation_unknown')
  })

  test('I2 R8: an answer that is lost is no second refund', async () => {
    const world = bench()
    const one = world.owner()
    const credits = one.vsa.budget('credits', CREDITS)
    await credits.admit(600, { id: 'order' })
    one.net.inject('exchange', { kind: 'lost_answer' })
    expect(await answered(world, credits.refund(600, { id: 'order' }))).toMatchObject({ units: 600 })
    expect(await world.row('credits')).toMatchObject({ used: 0, pool: 1_000 })
  })

  test('L6: what came back is admitted at once, although it had just been denied from memory', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(1_000, { id: 'all' })
    expect(await credits.admit()).toBe(false)
    await credits.refund(400, { id: 'all' })
    expect(await credits.admit(400)).toBe(true)
  })

  test('bad arguments are refused by name', async () => {
    const { owner } = bench()
    const credits = owner().vsa.budget('credits', CREDITS)
    await expect(credits.refund(-1, { id: 'x' })).rejects.toThrow('units must be')
    await expect(credits.refund(0, { id: 'x' })).rejects.toThrow('units must be')
    await expect(credits.refund(1, { id: '' })).rejects.toThrow('options.id must have')
    await expect(credits.refund(1, { id: 'x', deadlineMs: 0 })).rejects.toThrow('options.deadlineMs must be')
    await expect(credits.refund(1, { id: 'x', now: true } as { id: string })).rejects.toThrow(
      'options.now is not known',
    )
    await expect(credits.admit(1, { id: 'x'.repeat(257) })).rejects.toThrow('options.id must have 1 to 256')
    await expect(credits.admit(1, { id: 'x', ttlMs: 5 } as object)).rejects.toThrow('options.ttlMs is not known')
  })
})
