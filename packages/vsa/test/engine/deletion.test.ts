import { describe, expect, test } from 'vitest'
import { open, type Policy } from '../../src/index.ts'
import { bench, codeOf, FLUSH_MS } from './fixture.ts'

/* P6: a budget is deleted while processes use it. */

const CREDITS: Policy = { initial: 100 }
const LEASED: Policy = { initial: 100, atRisk: 20 }

describe('a budget that is deleted', () => {
  test('P6: nothing is left of it on return, and the next request makes a fresh row', async () => {
    const world = bench()
    const { vsa, events } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(100)
    await credits.mint(50, { id: 'invoice-7' })
    await credits.admit(10, { id: 'request-1' })
    await credits.reserve(5, { id: 'call-1', ttlMs: 60_000, onExpire: 'capture' })
    await credits.delete()
    expect((await world.books.list({ limit: 9 })).rows).toEqual([])
    expect(await credits.peek()).toMatchObject({ minted: 100, used: 0, leased: 0, remaining: 100 })
    expect(await credits.admit(100)).toBe(true)
    expect(await credits.mint(50, { id: 'invoice-7' })).toBe(true)
    expect(await credits.decide(10, { id: 'request-1' })).not.toHaveProperty('repeated', true)
    await expect(credits.reservation('call-1').settle(1)).rejects.toMatchObject({ code: 'reservation_unknown' })
    expect(await world.row('credits')).toMatchObject({ minted: 150, used: 110, reserved: 0 })
    expect(events.filter(({ type }) => type === 'deleted')).toHaveLength(1)
  })

  test('P6: the lease of this process is gone with it, spent or not', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', LEASED)
    await credits.admit(3)
    expect(credits.tryAdmit(2)).toBe(true)
    await credits.delete()
    expect([credits.tryAdmit(1), vsa.stats().leasedUnits]).toEqual([false, 0])
    expect(await credits.admit(4)).toBe(true)
    await vsa.flush({ returnLeases: true })
    expect(await world.row('credits')).toMatchObject({ minted: 100, used: 4, burned: 0, pool: 96 })
    await vsa.close()
  })

  test('P6: another process hears with its next exchange, says what is in no account, and goes on with the fresh row', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const mine = one.vsa.budget('credits', LEASED)
    const theirs = other.vsa.budget('credits', LEASED)
    await theirs.admit(1)
    await other.vsa.flush()
    expect(theirs.tryAdmit(5)).toBe(true)
    await mine.delete()
    // Until it hears, what it holds is its own.
    expect(theirs.tryAdmit(2)).toBe(true)
    await world.clock.advance(FLUSH_MS)
    expect(other.events.filter(({ type }) => type === 'deleted')).toEqual([
      { type: 'deleted', key: 'credits', period: 0, units: 7 },
    ])
    expect(await theirs.admit(4)).toBe(true)
    expect(await mine.admit(3)).toBe(true)
    await Promise.all([one.vsa.flush({ returnLeases: true }), other.vsa.flush({ returnLeases: true })])
    expect(await world.row('credits')).toMatchObject({ minted: 100, used: 7, burned: 0, pool: 93 })
    expect(other.events.filter(({ type }) => type === 'row_lost')).toEqual([])
  })

  test('P6: a durable request of a process that has not heard yet is answered from the fresh row', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', CREDITS)
    await theirs.admit(60)
    await one.vsa.budget('credits', CREDITS).delete()
    expect(await theirs.admit(40)).toBe(true)
    expect(await world.row('credits')).toMatchObject({ minted: 100, used: 40 })
  })

  test('P6, O12: a process that knows the budget to be exhausted finds the fresh row', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', CREDITS)
    await theirs.admit(100)
    expect(await theirs.admit()).toBe(false)
    await one.vsa.budget('credits', CREDITS).delete()
    await world.clock.advance(1_500)
    expect(await theirs.admit(99)).toBe(true)
    expect(await world.row('credits')).toMatchObject({ used: 99 })
  })

  test('P6, O9: a durable request that was spent from a lease counts in the fresh row, or not at all', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', LEASED)
    await theirs.admit(1)
    await other.vsa.flush()
    await one.vsa.budget('credits', LEASED).delete()
    expect(await theirs.admit(2, { durable: true })).toBe(true)
    await other.vsa.flush({ returnLeases: true })
    expect(await world.row('credits')).toMatchObject({ used: 2, pool: 98 })
  })

  test('P6, O9: also one that was spent while the exchange was under way that heard of it', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', LEASED)
    await theirs.admit(1)
    await other.vsa.flush()
    other.net.inject('exchange', { kind: 'delay', requestMs: 50, answerMs: 0 })
    const asked = [theirs.admit(2, { durable: true }), theirs.admit(3, { durable: true })]
    await world.clock.advance(1)
    asked.push(theirs.admit(4, { durable: true }))
    await one.vsa.budget('credits', LEASED).delete()
    await world.clock.advance(200)
    expect(await Promise.all(asked)).toEqual([true, true, true])
    await other.vsa.flush({ returnLeases: true })
    expect(await world.row('credits')).toMatchObject({ used: 9, pool: 91 })
  })

  test('P6: every period goes, also the next one that was fetched ahead', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const calls = vsa.budget('calls', { limit: 100, per: 'second', atRisk: 50 })
    for (let step = 0; step < 30; step += 1) {
      await calls.admit(2)
      await world.clock.advance(FLUSH_MS)
    }
    expect((await world.books.list({ key: 'calls', limit: 99 })).rows.length).toBeGreaterThan(1)
    await calls.delete()
    expect((await world.books.list({ key: 'calls', limit: 99 })).rows).toEqual([])
    expect(await calls.admit(5)).toBe(true)
    for (let step = 0; step < 30; step += 1) {
      expect(await calls.admit(2)).toBe(true)
      await world.clock.advance(FLUSH_MS)
    }
    await vsa.close()
    for (const { budget, leases } of (await world.books.list({ key: 'calls', limit: 99 })).rows)
      expect([leases, budget.minted - budget.used - budget.burned - budget.pool]).toEqual([[], 0])
  })

  test('P6: units given back to it before they were stored are refused, and counted', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', LEASED)
    await theirs.admit(8)
    await other.vsa.flush()
    await one.vsa.budget('credits', LEASED).delete()
    theirs.refund(8)
    await world.clock.advance(FLUSH_MS)
    expect(other.vsa.stats().refundsRefused).toBe(8)
    expect(await theirs.admit(100)).toBe(true)
    expect(await world.row('credits')).toMatchObject({ used: 100, pool: 0 })
  })

  test('P6: a mint on its way counts in the fresh row', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', CREDITS)
    await theirs.admit(8)
    await one.vsa.budget('credits', CREDITS).delete()
    expect(await theirs.mint(7, { id: 'm' })).toBe(true)
    expect(await world.row('credits')).toMatchObject({ minted: 107, used: 0 })
  })

  test('P6: `setPolicy` and `reset` of a process that has not heard yet are answered', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const plan = (limit: number): Policy => ({ limit, per: 'month', atRisk: 0 })
    const theirs = other.vsa.budget('quota', plan(10))
    await theirs.admit(10)
    await one.vsa.budget('quota', plan(10)).delete()
    await theirs.setPolicy(plan(30))
    await one.vsa.budget('quota', plan(10)).delete()
    await theirs.reset()
    expect(await theirs.admit(30)).toBe(true)
    expect(await world.row('quota')).toMatchObject({ limit: 30, used: 30 })
  })

  test('P6: other budgets get back what a reservation had set aside of them', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [plan, credits] = [vsa.budget('plan', CREDITS), vsa.budget('credits', CREDITS)]
    await vsa.reserveAll(
      [
        [plan, 30],
        [credits, 40],
      ],
      { id: 'call', ttlMs: 60_000, onExpire: 'return' },
    )
    expect(await world.row('credits')).toMatchObject({ reserved: 40 })
    await plan.delete()
    expect(await world.row('credits')).toMatchObject({ reserved: 0, pool: 100 })
    // A denial stands for as long as O12 lets it.
    await world.clock.advance(1_500)
    expect(await credits.admit(100)).toBe(true)
  })

  test('P6 I1: what was asked for together under an id is forgotten together: in the other budgets the id counts again', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const [plan, credits] = [vsa.budget('plan', CREDITS), vsa.budget('credits', CREDITS)]
    const both = [[plan, 10], [credits, 10]] as const // oxfmt-ignore
    await vsa.admitAll(both, { id: 'order' })
    await plan.delete()
    expect(await world.row('credits')).toMatchObject({ used: 10 })
    expect(await credits.refund(10, { id: 'order' }).catch(codeOf)).toBe('reservation_unknown')
    expect(await vsa.decideAll(both, { id: 'order' })).not.toHaveProperty('repeated')
    expect(await world.row('credits')).toMatchObject({ used: 20 })
  })

  test('P6: more than one transaction deletes is deleted all the same', async () => {
    const world = bench()
    const { vsa, net } = world.owner()
    const credits = vsa.budget('credits', { initial: 1_000 })
    const ids = Array.from({ length: 250 }, (_, at) => `${at}`)
    await Promise.all(ids.map((id) => credits.admit(1, { id })))
    await credits.delete()
    expect(net.calls.delete).toBeGreaterThan(1)
    expect((await world.books.list({ limit: 9 })).rows).toEqual([])
  })

  test('P6, L9: a budget that was evicted, or was never used, is deleted as well', async () => {
    const world = bench()
    const { vsa } = world.owner({ budgetsMax: 1 })
    const family = vsa.budgets('calls', CREDITS)
    await family.of('a').admit(9)
    await family.of('b').admit(9)
    await world.clock.advance(5_000)
    await family.of('a').delete()
    expect((await world.books.list({ limit: 9 })).rows).toMatchObject([{ budget: { key: 'calls:b' } }])
    await family.of('c').delete()
    expect(await family.of('a').admit(100)).toBe(true)
    expect(await family.of('c').admit(100)).toBe(true)
  })
})

describe('the store fails in the middle', () => {
  test('P6: a deletion that surely did not arrive is made again', async () => {
    const world = bench()
    const { vsa, net } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(9)
    for (const fault of [{ kind: 'refused' }, { kind: 'refused' }] as const) net.inject('delete', fault)
    const deleted = credits.delete()
    await world.clock.advance(500)
    await deleted
    expect((await world.books.list({ limit: 9 })).rows).toEqual([])
  })

  test('P6: one whose answer is lost is not made again behind the back of its caller, who hears so', async () => {
    const world = bench()
    const { vsa, net } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(9)
    net.inject('delete', { kind: 'unknown', applied: true })
    expect(await credits.delete().catch((error: unknown) => error)).toMatchObject({ applied: 'unknown' })
    expect(net.calls.delete).toBe(1)
    await credits.delete()
    expect(await credits.admit(100)).toBe(true)
  })

  test('P6: at the deadline the caller hears that all may be gone, or a part', async () => {
    const world = bench()
    const { vsa, net } = world.owner({ deadlineMs: 1_000 })
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(9)
    net.inject('delete', { kind: 'lost_answer' })
    const deleted = credits.delete().catch((error: unknown) => error)
    await world.clock.advance(2_000)
    expect(await deleted).toMatchObject({ code: 'timeout', applied: 'unknown' })
    expect(String(await deleted)).toContain('delete it again')
    await credits.delete()
    expect(await credits.admit(100)).toBe(true)
  })

  test('P6: without a join nothing was deleted, and after a close it is refused', async () => {
    const world = bench()
    const away = world.owner({ deadlineMs: 1_000 }, 'refuse')
    const deleted = away.vsa
      .budget('credits', CREDITS)
      .delete()
      .catch((error: unknown) => error)
    await world.clock.advance(2_000)
    expect(await deleted).toMatchObject({ code: 'store_unavailable', applied: 'no' })
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await vsa.close()
    expect(await credits.delete().catch(codeOf)).toBe('closed')
  })

  test('P6: a store that deletes nothing says so', async () => {
    const world = bench()
    const { delete: _, ...store } = world.books
    const vsa = open({
      clock: world.clock,
      store: {
        ...store,
        join: (label) => world.books.join(label),
        exchange: (batch) => world.books.exchange(batch),
        read: (names) => world.books.read(names),
        list: (range) => world.books.list(range),
        owners: () => world.books.owners(),
        close: () => world.books.close(),
      },
    })
    const deleted = await vsa
      .budget('credits', CREDITS)
      .delete()
      .catch((error: unknown) => error)
    expect(deleted).toMatchObject({ code: 'deletion_unsupported' })
  })
})
