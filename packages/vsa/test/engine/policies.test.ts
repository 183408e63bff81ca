import { describe, expect, test } from 'vitest'
import type { Budget, Policy } from '../../src/index.ts'
import { bench, codeOf, FLUSH_MS } from './fixture.ts'

/* P1 to P5, P9: policies that change while processes run. */

const DAY_MS = 86_400_000
const plan = (limit: number, atRisk = 0): Policy => ({ limit, per: 'month', atRisk })

describe('a policy that changes at run time', () => {
  test('P1 P4: a raised limit is durable on return, and the next request has it, though the one before was denied', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const quota = vsa.budget('quota', plan(100))
    await quota.admit(100)
    expect(await quota.admit()).toBe(false)
    await quota.setPolicy(plan(250))
    expect(await world.row('quota')).toMatchObject({ limit: 250, minted: 250, used: 100, pool: 150 })
    expect(await quota.admit(150)).toBe(true)
    expect(await quota.decide()).toMatchObject({ admitted: false, reason: 'exhausted', limit: 250 })
  })

  test('P4: a lowered limit leaves nothing until enough has come back, and never takes what was admitted', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const quota = vsa.budget('quota', plan(100))
    await quota.admit(80)
    await quota.setPolicy(plan(50))
    expect(await world.row('quota')).toMatchObject({ limit: 50, minted: 50, used: 80, pool: -30 })
    expect(await quota.admit()).toBe(false)
    expect(await quota.peek()).toMatchObject({ remaining: 0 })
  })

  test('P1: it beats every process that runs; the others adopt the limit with their next exchange, and say so', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('quota', plan(100))
    await theirs.admit(100)
    await one.vsa.budget('quota', plan(100)).setPolicy(plan(130))
    await world.clock.advance(2_000)
    expect(await theirs.admit(30)).toBe(true)
    expect(other.events.filter(({ type }) => type === 'policy_changed')).toEqual([
      { type: 'policy_changed', key: 'quota', period: expect.any(Number) as number, from: 100, to: 130 },
    ])
    expect(await world.row('quota')).toMatchObject({ limit: 130, used: 130 })
  })

  test('P2: it outlives its period, although an older process makes the next row', async () => {
    const world = bench()
    const [one, older] = [world.owner(), world.owner()]
    const theirs = older.vsa.budget('quota', { limit: 100, per: 'day', atRisk: 0 })
    await theirs.admit()
    await one.vsa.budget('quota', { limit: 100, per: 'day', atRisk: 0 }).setPolicy({ limit: 30, per: 'day', atRisk: 0 })
    await world.clock.advance(DAY_MS)
    expect(await theirs.admit(31)).toBe(false)
    expect(await theirs.admit(30)).toBe(true)
  })

  test('P4, L8: a raised limit leaves the lease as it is', async () => {
    const world = bench()
    const one = world.owner()
    const leased = (limit: number): Policy => ({ limit, per: 'day', atRisk: 20 })
    const quota = one.vsa.budget('quota', leased(100))
    await quota.admit(10)
    const { leasedUnits } = one.vsa.stats()
    await quota.setPolicy(leased(200))
    expect(leasedUnits).toBeGreaterThan(0)
    expect(one.vsa.stats().leasedUnits).toBeGreaterThanOrEqual(leasedUnits)
    expect(quota.tryAdmit()).toBe(true)
  })

  test('P4, L1: a lowered limit holds for what this process had leased, and for the leases of others with their next exchange', async () => {
    const world = bench()
    const leased = (limit: number): Policy => ({ limit, per: 'day', atRisk: 20 })
    const [one, two] = [world.owner(), world.owner()]
    const [mine, theirs] = [one, two].map(({ vsa }) => vsa.budget('quota', leased(100))) as [Budget, Budget]
    await Promise.all([mine.admit(10), theirs.admit(10)])
    expect([mine.tryAdmit(), theirs.tryAdmit()]).toEqual([true, true])
    await mine.setPolicy(leased(22))
    expect([mine.tryAdmit(), theirs.tryAdmit()]).toEqual([false, true])
    await world.clock.advance(3 * FLUSH_MS)
    expect([mine.tryAdmit(), theirs.tryAdmit()]).toEqual([false, false])
    expect([one.vsa.stats().leasedUnits, two.vsa.stats().leasedUnits]).toEqual([0, 0])
    expect(await world.row('quota')).toMatchObject({ minted: 22, used: 23, pool: -1, burned: 0 })
    expect([await mine.admit(), await theirs.admit()]).toEqual([false, false])
    theirs.refund(2)
    await two.vsa.flush()
    await world.clock.advance(2_000)
    expect([await mine.admit(), await mine.admit()]).toEqual([true, false])
  })

  test('P1: a process that starts later beats it', async () => {
    const world = bench()
    const one = world.owner()
    await one.vsa.budget('quota', plan(100)).setPolicy(plan(30))
    const later = world.owner()
    expect(await later.vsa.budget('quota', plan(500)).admit(400)).toBe(true)
    expect(await world.row('quota')).toMatchObject({ limit: 500 })
  })

  test('P3: another kind or another period is another row, and changing back finds what was spent', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const quota = vsa.budget('quota', plan(100, 50))
    await vsa.ready()
    await quota.admit(60)
    await quota.setPolicy({ initial: 10 })
    expect(await quota.admit(11)).toBe(false)
    expect(await quota.admit(10)).toBe(true)
    await quota.setPolicy(plan(100, 50))
    expect(await quota.admit(41)).toBe(false)
    expect(await quota.admit(40)).toBe(true)
    await vsa.close()
    const { rows } = await world.books.list({ key: 'quota', limit: 10 })
    expect(rows.map(({ budget, leases }) => [budget.kind, budget.used, leases.length])).toEqual([
      ['initial', 10, 0],
      ['window', 100, 0],
    ])
  })

  test('P3: another `per` whose period begins at the same moment would be the same row: it is refused, and nothing has changed', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const DAY = { limit: 100, per: 'day', atRisk: 0 } as const
    await world.clock.advance(DAY_MS - (world.clock.now() % DAY_MS))
    const quota = vsa.budget('quota', DAY)
    await quota.admit(60)
    await expect(quota.setPolicy({ limit: 100, per: 'hour', atRisk: 0 })).rejects.toThrow('would be the same row')
    expect(await quota.admit(41)).toBe(false)
    await world.clock.advance(3_600_000)
    await quota.setPolicy({ limit: 100, per: 'hour', atRisk: 0 })
    expect(await quota.admit(100)).toBe(true)
  })

  test('P2 P3: a limit is not handed on to the rows of another `per`', async () => {
    const world = bench()
    const [one, older] = [world.owner(), world.owner()]
    const hourly = { limit: 10, per: 'hour', atRisk: 0 } as const
    const theirs = older.vsa.budget('quota', hourly)
    await theirs.admit()
    await world.clock.advance(1_000)
    await one.vsa.budget('quota', hourly).setPolicy({ limit: 10_000, per: 7_000_000, atRisk: 0 })
    await one.vsa.budget('quota', hourly).admit()
    for (let hour = 0; hour < 3; hour += 1) {
      await world.clock.advance(3_600_000)
      expect(await theirs.admit(11)).toBe(false)
    }
  })

  test('P1: `refresh` by a process, or after an eviction, that has not seen the row changes it', async () => {
    const world = bench()
    const [one, other] = [world.owner({ budgetsMax: 1 }), world.owner()]
    let limit = 5
    const [mine, theirs] = [one, other].map(({ vsa }) => vsa.budgets('user', () => plan(limit)))
    await mine?.of('ann').admit(5)
    limit = 50
    await theirs?.refresh('ann')
    expect(await world.row('user:ann')).toMatchObject({ limit: 50 })
    await world.clock.advance(5_000)
    for (let other = 0; other < 10; other += 1) mine?.of(`other ${other}`)
    limit = 60
    await mine?.refresh('ann')
    expect(await world.row('user:ann')).toMatchObject({ limit: 60 })
    expect(await mine?.of('ann').admit(55)).toBe(true)
  })

  test('L9 P1: what `setPolicy` changed is not evicted, also where it was evicted while it waited', async () => {
    const world = bench()
    const one = world.owner({ budgetsMax: 1 })
    await one.vsa.ready()
    const family = one.vsa.budgets('user', plan(100))
    const changed = family.of('ann').setPolicy({ initial: 3 })
    for (let other = 0; other < 10; other += 1) family.of(`other ${other}`)
    family.of('ann')
    await changed
    expect(await family.of('ann').admit(3)).toBe(true)
    await world.clock.advance(5_000)
    for (let other = 0; other < 10; other += 1) family.of(`more ${other}`)
    expect(await family.of('ann').admit(50)).toBe(false)
  })

  test('P1: the row of the next period that was fetched ahead has the new limit, too', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const quota = vsa.budget('quota', { limit: 100, per: 'day', atRisk: 10 })
    const end = Math.floor(world.clock.now() / DAY_MS) * DAY_MS + DAY_MS
    await world.clock.advance(end - world.clock.now() - 1_000)
    for (let turn = 0; turn < 8; turn += 1) {
      await quota.admit()
      await world.clock.advance(100)
    }
    await quota.admit()
    await quota.setPolicy({ limit: 5, per: 'day', atRisk: 5 })
    await world.clock.advance(1_000)
    await quota.admit()
    await world.clock.advance(1_000)
    expect(await world.row('quota', end)).toMatchObject({ limit: 5 })
  })

  test('P3: what was admitted before the change is given back into its own row', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const quota = vsa.budget('quota', plan(100))
    const call = await quota.reserve(50)
    await quota.setPolicy({ initial: 10 })
    await call?.settle(10)
    await world.clock.advance(500)
    const { rows } = await world.books.list({ key: 'quota', limit: 10 })
    expect(rows.map(({ budget }) => [budget.kind, budget.used])).toEqual([
      ['initial', 0],
      ['window', 10],
    ])
  })

  test('P3: a reservation in memory is settled into its own row, however often the period has changed, and that row keeps its limit', async () => {
    const world = bench()
    const { vsa } = world.owner()
    await world.clock.advance(44 * DAY_MS + 5 * 3_600_000)
    const quota = vsa.budget('quota', { limit: 100, per: 'year', atRisk: 50 })
    const first = await quota.reserve(50)
    await quota.admit(1)
    const second = quota.tryReserve(20)
    const sources = await vsa.reserveFirst([quota, vsa.counter('over')], 9)
    for (const per of ['month', 'week', 'day'] as const) await quota.setPolicy({ limit: 999, per, atRisk: 50 })
    const other = vsa.budget('other', plan(100))
    for (let batch = 0; batch < 5; batch += 1) {
      await other.admit()
      await world.clock.advance(3_600_000)
    }
    expect(await first?.settle(10)).toMatchObject({ settled: 10 })
    expect(await second?.cancel()).toMatchObject({ settled: 0 })
    expect(await sources?.settle(4)).toMatchObject({ settled: 4 })
    await vsa.close()
    const { rows } = await world.books.list({ key: 'quota', limit: 10 })
    expect(rows.map(({ budget }) => [budget.limit, budget.used])).toEqual([[100, 15], [999, 0], [999, 0], [999, 0]]) // oxfmt-ignore
    expect(vsa.stats()).toMatchObject({ refundsRefused: 0 })
  })

  test('P3 O4: a decision of a period that no policy has any more goes into its row while that is kept, and is refused with an event after that', async () => {
    const world = bench()
    const { vsa, events } = world.owner()
    await world.clock.advance(44 * DAY_MS + 5 * 3_600_000)
    const quota = vsa.budget('quota', { limit: 100, per: 'day', atRisk: 50 })
    const decision = await quota.decide(50)
    const first = await vsa.decideFirst([quota, vsa.counter('over')], 9)
    for (const per of ['week', 'month'] as const) await quota.setPolicy({ limit: 999, per, atRisk: 50 })
    quota.refund(20, decision)
    quota.refund(2, first)
    await world.clock.advance(3 * DAY_MS)
    quota.refund(10, decision)
    quota.refund(3, first)
    expect(() => quota.refund(1, { period: decision.period })).toThrow(RangeError)
    await vsa.close()
    const { rows } = await world.books.list({ key: 'quota', limit: 10 })
    expect(rows.find(({ budget }) => budget.period === decision.period)?.budget).toMatchObject({ limit: 100, used: 37 })
    const refused = { type: 'refunds_refused', key: 'quota', period: decision.period }
    expect(events.filter(({ type }) => type === 'refunds_refused')).toEqual([
      { ...refused, units: 10 },
      { ...refused, units: 3 },
    ])
    expect(vsa.stats()).toMatchObject({ refundsRefused: 13, refundedUnits: 35 })
  })

  test('P1: of two changes at once the later one counts, whichever is answered first', async () => {
    const world = bench()
    const one = world.owner()
    await one.vsa.ready()
    const quota = one.vsa.budget('quota', plan(100))
    await quota.admit()
    const join = one.net.join.bind(one.net)
    let joins = 0
    one.net.join = async (label) => {
      const joined = await join(label)
      joins += 1
      if (joins === 1) await new Promise<void>((resolve) => world.clock.timer(50, resolve))
      return joined
    }
    const both = [quota.setPolicy(plan(10)), quota.setPolicy(plan(20))]
    await world.clock.advance(1_000)
    await Promise.all(both)
    expect(quota).toMatchObject({ plan: { limit: (await world.row('quota')).limit } })
  })

  test('P9: the policy that was declared is still this budget, and so is the new one; any other is a conflict', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const quota = vsa.budget('quota', plan(100))
    await quota.setPolicy(plan(250))
    expect(vsa.budget('quota', plan(100))).toBe(quota)
    expect(vsa.budget('quota', plan(250))).toBe(quota)
    expect(() => vsa.budget('quota', plan(99))).toThrow('another policy')
  })

  test('P1: `refresh` asks the function again; the same answer is no call, and what it throws changes nothing', async () => {
    const world = bench()
    const one = world.owner()
    const limits = new Map([['ann', 100]])
    const family = one.vsa.budgets('user', (id) => {
      const limit = limits.get(id)
      if (limit === undefined) throw new Error(`no plan for ${id}`)
      return plan(limit)
    })
    const ann = family.of('ann')
    await ann.admit(100)
    const before = one.net.calls.exchange
    await family.refresh('ann')
    expect(one.net.calls.exchange).toBe(before)
    limits.set('ann', 300)
    expect(await ann.admit()).toBe(false)
    await family.refresh('ann')
    expect(await ann.admit(200)).toBe(true)
    limits.delete('ann')
    await expect(family.refresh('ann')).rejects.toThrow('no plan for ann')
    expect(await world.row('user:ann')).toMatchObject({ limit: 300, used: 300 })
    await expect(one.vsa.budgets('flat', plan(5)).refresh('x')).resolves.toBeUndefined()
  })

  test('P1: a function that answers with a promise is refused by name, and a promise that fails ends nothing', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const refused = 'the policy of "quota:ann" must be given at once, got a promise: its function must not be async'
    let later = false
    const failed = (): Promise<Policy> => Promise.reject(new Error('the database is away'))
    const policyOf = (): Policy => (later ? (failed() as never) : plan(100))
    const quotas = vsa.budgets('quota', policyOf)
    await quotas.of('ann').admit()
    later = true
    await expect(quotas.refresh('ann')).rejects.toThrow(new TypeError(refused))
    expect(() => quotas.of('bob')).toThrow(new TypeError(refused.replace('ann', 'bob')))
    expect(await quotas.of('ann').admit()).toBe(true)
  })

  test('P1 S2: an answer that is lost is asked for again', async () => {
    const world = bench()
    const one = world.owner()
    const quota = one.vsa.budget('quota', plan(100))
    await quota.admit()
    one.net.inject('exchange', undefined)
    one.net.inject('exchange', { kind: 'lost_answer' })
    const changed = quota.setPolicy(plan(7))
    await world.clock.advance(3_000)
    await changed
    expect(await world.row('quota')).toMatchObject({ limit: 7, used: 1, pool: 6 })
  })

  test('P1 R8: one whose answer does not come in time fails as unknown, and may be made again', async () => {
    const world = bench()
    const one = world.owner({ deadlineMs: 300 })
    const quota = one.vsa.budget('quota', plan(100))
    await quota.admit()
    one.net.inject('exchange', undefined)
    one.net.inject('exchange', { kind: 'lost_answer' })
    const late = quota.setPolicy(plan(7)).catch((error: unknown) => error)
    await world.clock.advance(400)
    expect(await late).toMatchObject({ code: 'timeout', applied: 'unknown' })
    await world.clock.advance(5_000)
    await quota.setPolicy(plan(7))
    expect(await world.row('quota')).toMatchObject({ limit: 7, used: 1, pool: 6 })
  })

  test('a store that is away fails it by its deadline, and a closed engine refuses it', async () => {
    const world = bench()
    const one = world.owner({ deadlineMs: 1_000 })
    const quota = one.vsa.budget('quota', plan(100))
    await quota.admit()
    one.net.cut('refuse')
    const failed = quota.setPolicy(plan(7)).catch((error: unknown) => error)
    await world.clock.advance(2_000)
    expect(await failed).toMatchObject({ code: 'store_unavailable', applied: 'no' })
    one.net.heal()
    await world.clock.advance(5_000)
    await one.vsa.close()
    expect(await quota.setPolicy(plan(9)).catch(codeOf)).toBe('closed')
    expect(await quota.reset().catch(codeOf)).toBe('closed')
    await expect(quota.setPolicy({ limit: -1, per: 'day' })).rejects.toThrow('policy.limit must be')
  })
})

describe('a reset', () => {
  test('P5: what was spent and burned can be had again; leases and reservations stay, and what was spent before and not settled counts after', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const quota = vsa.budget('quota', plan(100, 20))
    await vsa.ready()
    await quota.admit(50)
    await quota.reserve(10, { id: 'call', ttlMs: DAY_MS, onExpire: 'capture' })
    await world.clock.advance(FLUSH_MS)
    await quota.reset()
    expect(await quota.peek()).toMatchObject({ used: 0, reserved: 10, remaining: 90 })
    expect(await quota.admit(91)).toBe(false)
    expect(await quota.admit(90)).toBe(true)
  })

  test('P5 I2: what was admitted with an id before it gives nothing back', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', { initial: 100 })
    await credits.admit(60, { id: 'order' })
    await credits.reset()
    await credits.admit(80)
    expect(await credits.refund(60, { id: 'order' })).toEqual({ units: 0, repeated: false })
    expect(await world.row('credits')).toMatchObject({ used: 80, pool: 20 })
  })
})
