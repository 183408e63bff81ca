import { describe, expect, test } from 'vitest'
import type { Family, Policy } from '../../src/index.ts'
import { bench, codeOf, type Bench, type Owner } from './fixture.ts'

/* P1: changes that are asked for in one turn share one number. */

const TENANTS = 1_000
const plan = (limit: number): Policy => ({ limit, per: 'month', atRisk: 0 })

interface Tenants {
  readonly world: Bench
  readonly one: Owner
  readonly family: Family
  /** All of them, in one turn. */
  upgrade(to: number): Promise<unknown>
}

/** A process that has asked for each tenant once. */
async function tenants(count: number): Promise<Tenants> {
  const world = bench()
  const one = world.owner({ deadlineMs: 5_000 })
  let limit = 10
  const family = one.vsa.budgets('tenant', () => plan(limit))
  const ids = Array.from({ length: count }, (_, at) => String(at))
  await Promise.all(ids.map((id) => family.of(id).admit()))
  const upgrade = (to: number): Promise<unknown> => {
    limit = to
    return Promise.all(ids.map((id) => family.refresh(id)))
  }
  return { world, one, family, upgrade }
}

describe('many policies that change in one turn', () => {
  test('P1 L7: 1,000 tenants that are upgraded in one loop cost one number and one exchange, and each has its limit', async () => {
    const { world, one, family, upgrade } = await tenants(TENANTS)
    const owners = (await world.books.owners()).length
    const { join, exchange } = one.net.calls
    await upgrade(50)
    expect((await world.books.owners()).length).toBe(owners + 1)
    // The policies, and the end of the epoch that gave the number.
    expect([one.net.calls.join - join, one.net.calls.exchange - exchange]).toEqual([1, 2])
    const { rows } = await world.books.list({ limit: 10_000 })
    expect(rows.filter(({ budget }) => budget.limit === 50 && budget.pool === 49)).toHaveLength(TENANTS)
    expect(new Set(rows.map(({ budget }) => budget.version)).size).toBe(1)
    expect(await family.of('7').admit(49)).toBe(true)
  })

  test('P1: the shared number is above that of every process that runs, and below that of one that starts later', async () => {
    const { world, upgrade } = await tenants(3)
    const running = world.owner()
    await running.vsa.ready()
    await upgrade(50)
    const { version } = await world.row('tenant:1')
    expect(version).toBeGreaterThan(running.vsa.stats().epoch ?? Infinity)
    const later = world.owner()
    await later.vsa.ready()
    expect(later.vsa.stats().epoch).toBeGreaterThan(version)
  })

  test('P1 S2: an answer to the shared join that is lost is asked for once more, and every change counts', async () => {
    const { world, one, upgrade } = await tenants(20)
    const { join } = one.net.calls
    one.net.inject('join', { kind: 'lost_answer' })
    const upgraded = upgrade(50)
    await world.clock.advance(3_000)
    await upgraded
    expect(one.net.calls.join - join).toBe(2)
    const { rows } = await world.books.list({ limit: 100 })
    expect(rows.map(({ budget }) => budget.limit)).toEqual(rows.map(() => 50))
    // The number whose answer was lost is of no row.
    expect(rows[0]?.budget.version).toBe(Math.max(...(await world.books.owners()).map(({ epoch }) => epoch)))
  })

  test('P1: of two changes of one budget in one turn the later one counts, and has a number of its own', async () => {
    const { world, one, family } = await tenants(2)
    const { join } = one.net.calls
    const changes = [10_000, 20, 30].map((limit) => family.of('0').setPolicy(plan(limit)))
    await Promise.all([...changes, family.of('1').setPolicy(plan(40))])
    expect(one.net.calls.join - join).toBe(3)
    expect([await world.row('tenant:0'), await world.row('tenant:1')]).toMatchObject([{ limit: 30 }, { limit: 40 }])
    expect(await family.of('0').admit(30)).toBe(false)
    expect(await family.of('0').admit(29)).toBe(true)
  })

  test('P1: changes of several turns have several numbers', async () => {
    const { one, world, upgrade } = await tenants(5)
    const { join } = one.net.calls
    await upgrade(50)
    await upgrade(60)
    expect(one.net.calls.join - join).toBe(2)
    expect(await world.row('tenant:4')).toMatchObject({ limit: 60 })
  })

  test('P1 P3: one that is refused stops no other', async () => {
    const world = bench()
    const { vsa } = world.owner()
    await world.clock.advance(86_400_000 - (world.clock.now() % 86_400_000))
    const [day, month] = [vsa.budget('day', { limit: 5, per: 'day', atRisk: 0 }), vsa.budget('month', plan(5))]
    await Promise.all([day.admit(), month.admit()])
    const changes = await Promise.allSettled([
      day.setPolicy({ limit: 5, per: 'hour', atRisk: 0 }),
      month.setPolicy(plan(6)),
    ])
    expect(changes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(await world.row('month')).toMatchObject({ limit: 6 })
  })

  test('P1 R8: all fail by their deadline while the store is away, and nothing has changed; then they may be made again', async () => {
    const { world, one, upgrade } = await tenants(3)
    one.net.cut('refuse')
    const failed = upgrade(50).catch(codeOf)
    await world.clock.advance(6_000)
    expect(await failed).toBe('store_unavailable')
    one.net.heal()
    await world.clock.advance(2_000)
    expect(await world.row('tenant:0')).toMatchObject({ limit: 10 })
    await upgrade(50)
    expect(await world.row('tenant:0')).toMatchObject({ limit: 50 })
  })
})
