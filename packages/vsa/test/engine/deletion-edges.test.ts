import { describe, expect, test } from 'vitest'
import { open, type Policy } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

/* P6 where it meets lost answers, ended epochs, waterfalls and calls under way. */

const CREDITS: Policy = { initial: 100 }
const LEASED: Policy = { initial: 100, atRisk: 20 }

describe('an owner that has not heard of a deletion', () => {
  test('P6, L3, O5: when its epoch ends before it hears, its mint and its durable request count in the fresh row', async () => {
    const world = bench({ leaseTtlMs: 500 })
    const [one, other, third] = [world.owner(), world.owner({ exchangeTimeoutMs: 900 }), world.owner()]
    const theirs = other.vsa.budget('credits', LEASED)
    await theirs.admit(1)
    await other.vsa.flush()
    await one.vsa.budget('credits', LEASED).delete()
    other.net.inject('exchange', { kind: 'lost_answer' })
    const [minted, asked] = [theirs.mint(50, { id: 'm' }), theirs.admit(2, { durable: true })]
    await world.clock.advance(700)
    world.reap(other)
    await third.vsa.budget('x', CREDITS).admit()
    await world.clock.advance(3_000)
    expect([await minted, await asked]).toEqual([true, true])
    await other.vsa.flush({ returnLeases: true })
    expect(await world.row('credits')).toMatchObject({ minted: 150, used: 2, pool: 148 })
    expect(other.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['fenced', 'deleted']))
  })

  test('P6, L3: its mint that was applied, and deleted before its answer came, counts in the fresh row', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', CREDITS)
    await theirs.admit(1)
    other.net.inject('exchange', { kind: 'lost_answer' })
    const minted = theirs.mint(50, { id: 'm' })
    await world.clock.advance(1)
    await one.vsa.budget('credits', CREDITS).delete()
    await world.clock.advance(4_000)
    expect(await minted).toBe(true)
    expect(await world.row('credits')).toMatchObject({ minted: 150, used: 0 })
  })

  test('P6: what it spends while a batch from before the deletion is repeated is told, and is in no account', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const theirs = other.vsa.budget('credits', LEASED)
    await theirs.admit(1)
    await other.vsa.flush()
    other.net.inject('exchange', { kind: 'lost_answer' })
    expect(theirs.tryAdmit(2)).toBe(true)
    await world.clock.advance(FLUSH_MS)
    expect(await world.row('credits')).toMatchObject({ used: 3 })
    expect(theirs.tryAdmit(7)).toBe(true)
    await one.vsa.budget('credits', LEASED).delete()
    await world.clock.advance(4_000)
    const told = other.events.filter((event) => event.type === 'deleted')
    expect(told.map(({ units }) => units)).toEqual([7, 0])
    expect(await theirs.admit(4)).toBe(true)
    await other.vsa.flush({ returnLeases: true })
    expect(await world.row('credits')).toMatchObject({ minted: 100, used: 4, pool: 96 })
  })

  test('P6: its durable requests go again in their order', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const policy = { initial: 10, atRisk: 10 }
    const theirs = other.vsa.budget('credits', policy)
    await theirs.admit(1)
    await other.vsa.flush()
    expect(other.vsa.stats().leasedUnits).toBe(9)
    const mine = one.vsa.budget('credits', policy)
    await mine.delete()
    await mine.admit(5, { durable: true })
    await one.vsa.flush({ returnLeases: true })
    const asked = [theirs.admit(5, { durable: true }), theirs.admit(4, { durable: true, deadlineMs: 300 })]
    await world.clock.advance(500)
    expect(await Promise.all(asked)).toEqual([true, false])
  })

  test('P1, P6: its changed policy is durable when the call answers', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const plan = (limit: number): Policy => ({ limit, per: 'month', atRisk: 0 })
    const theirs = other.vsa.budget('quota', plan(10))
    await theirs.admit(1)
    await one.vsa.budget('quota', plan(10)).delete()
    await theirs.setPolicy(plan(30))
    expect(await world.row('quota')).toMatchObject({ limit: 30, minted: 30 })
  })

  test('P6, V2: a waterfall takes from the fresh row of its first source, not from the next one', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const [plan, credits] = [other.vsa.budget('plan', CREDITS), other.vsa.budget('credits', CREDITS)]
    const over = other.vsa.counter('over')
    await Promise.all([plan.admit(100), credits.admit(1)])
    await one.vsa.budget('plan', CREDITS).delete()
    await world.clock.advance(1_500)
    const decided = other.vsa.decideFirst([plan, credits, over], 10)
    const reserved = other.vsa.reserveFirst([plan, credits, over], 10, { id: 'r', ttlMs: 9_000, onExpire: 'return' })
    await world.clock.advance(FLUSH_MS)
    expect(await decided).toMatchObject({ admitted: true, from: [{ key: 'plan', units: 10 }] })
    await reserved
    expect(await world.row('plan')).toMatchObject({ used: 10, reserved: 10 })
    expect(await world.row('credits')).toMatchObject({ used: 1, reserved: 0 })
  })
})

describe('the process that deletes', () => {
  test('P6: an answer under way brings it no lease of the deleted row', async () => {
    const world = bench()
    const { vsa, net } = world.owner()
    await vsa.ready()
    const credits = vsa.budget('credits', LEASED)
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 50 })
    const first = credits.admit(1)
    await world.clock.advance(10)
    const deleted = credits.delete()
    await world.clock.advance(60)
    await Promise.all([first, deleted])
    expect([credits.tryAdmit(10), vsa.stats().leasedUnits]).toEqual([false, 0])
  })

  test.each([
    ['no other call may wait', { waitersMax: 1 }],
    ['as many changes wait as may', { budgetsMax: 1 }],
  ])('P6: its lease is gone although %s', async (_why, limits) => {
    const world = bench()
    const { vsa, net } = world.owner(limits)
    const credits = vsa.budget('credits', LEASED)
    await credits.admit(1)
    await vsa.flush()
    net.inject('exchange', { kind: 'refused' })
    vsa.counter('calls').add(1)
    await world.clock.advance(FLUSH_MS)
    vsa.counter('calls').add(1)
    const deleted = credits.delete()
    await world.clock.advance(2_000)
    await deleted
    expect([credits.tryAdmit(1), vsa.stats().leasedUnits, vsa.stats().waiters]).toEqual([false, 0, 0])
  })

  test('P6: it is answered although the clock leaps by a week before its next exchange', async () => {
    const world = bench()
    const { vsa, net } = world.owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(1)
    net.inject('exchange', { kind: 'delay', requestMs: 50, answerMs: 0 })
    const deleted = credits.delete()
    await world.clock.settle()
    world.clock.jumpWall(8 * 86_400_000)
    await world.clock.advance(60)
    await deleted
    expect(await credits.admit(100)).toBe(true)
  })

  test('P6, S4: it is answered although the period is over before its next exchange', async () => {
    const world = bench()
    const { vsa, net } = world.owner()
    await vsa.ready()
    const calls = vsa.budget('calls', { limit: 10, per: 1_000, atRisk: 5 })
    net.inject('exchange', { kind: 'delay', requestMs: 50, answerMs: 0 })
    const asked = calls.decide(1)
    await world.clock.advance(1)
    const deleted = calls.delete()
    await world.clock.settle()
    world.clock.jumpWall(120_000)
    await world.clock.advance(300)
    await deleted
    expect([(await asked).admitted, await calls.admit(9)]).toEqual([true, true])
  })

  test('P6, L8: a store that answers at once leaves the event loop a turn between two calls', async () => {
    const store = memory()
    let [calls, turns] = [0, 0]
    store.delete = async () => {
      calls += 1
      setImmediate(() => (turns += 1))
      return calls > 50
    }
    const vsa = open({ store })
    await vsa.budget('credits', CREDITS).delete()
    expect([calls, turns]).toEqual([51, 50])
    await vsa.close()
  })

  test('P6, L3: an id that was minted does not mint again while a deletion goes on', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const credits = vsa.budget('credits', { initial: 0 })
    await credits.mint(5, { id: 'm' })
    const day = { limit: 9, per: 1_000, atRisk: 0, retentionMs: 10 ** 9 } as const
    await credits.setPolicy(day)
    for (let at = 0; at < 120; at += 1) {
      await credits.admit()
      await world.clock.advance(1_000)
    }
    expect(await world.books.delete?.('credits')).toBe(false)
    const other = world.owner()
    expect(await other.vsa.budget('credits', { initial: 0 }).mint(5, { id: 'm' })).toBe(false)
    expect(await world.books.delete?.('credits')).toBe(true)
  })
})

test('P1: of two changes of one turn the later one holds, although the first number had to be asked for twice', async () => {
  const world = bench()
  const { vsa, net } = world.owner()
  const plan = (limit: number): Policy => ({ limit, per: 'month', atRisk: 0 })
  const quota = vsa.budget('quota', plan(10))
  await quota.admit()
  net.inject('join', { kind: 'refused' })
  const changed = Promise.all([quota.setPolicy(plan(20)), quota.setPolicy(plan(30))])
  await world.clock.advance(500)
  await changed
  expect(await world.row('quota')).toMatchObject({ limit: 30 })
})

test('G1: units that were spent while a close was given up are counted once', async () => {
  const world = bench()
  const { vsa, net } = world.owner()
  const credits = vsa.budget('credits', LEASED)
  await credits.admit(1)
  await vsa.flush()
  net.inject('exchange', { kind: 'lost_answer' })
  credits.tryAdmit(5)
  await world.clock.advance(FLUSH_MS)
  credits.tryAdmit(3)
  net.cut('hang')
  const closed = vsa.close({ deadlineMs: 500 }).catch(() => undefined)
  await world.clock.advance(600)
  await closed
  expect(vsa.stats()).toMatchObject({ admittedUnits: 9, operations: 3 })
})
