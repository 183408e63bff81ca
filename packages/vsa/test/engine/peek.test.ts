import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../src/core/errors.ts'
import { StoreError } from '../../src/index.ts'
import { bench, codeOf, damage } from './fixture.ts'

describe('peek', () => {
  test('peek shows the row with what this owner has spent and not sent', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 100, per: 'month', atRisk: 50 })
    expect(await budget.peek()).toMatchObject({
      limit: 100,
      minted: 100,
      used: 0,
      remaining: 100,
      leased: 0,
      burned: 0,
    })
    await budget.admit(10)
    expect(budget.tryAdmit(5)).toBe(true)
    expect(await budget.peek()).toMatchObject({ used: 15, remaining: 85, burned: 0 })
    expect(await vsa.budget('seats', { initial: 3 }).peek()).toEqual({
      limit: 3,
      minted: 3,
      used: 0,
      reserved: 0,
      remaining: 3,
      leased: 0,
      burned: 0,
    })
  })

  test('S6: peek of a row that cannot be read says at once that it is quarantined; a store that fails otherwise is asked again', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 3 })
    await seats.admit()
    const read = net.read.bind(net)
    const failures = [new Error('busy'), new InvariantError('used is text')]
    net.read = async (names) => {
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      return read(names)
    }
    const peeked = seats.peek().catch(codeOf)
    await clock.advance(100)
    expect(failures).toEqual([])
    expect(await peeked).toBe('quarantined')
    expect(await seats.peek()).toMatchObject({ used: 1 })
  })

  test('S6: peek of a quarantined budget says so where its row cannot be read', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 3 })
    await seats.admit()
    damage(one, clock, 'seats')
    await expect(seats.admit()).rejects.toMatchObject({ code: 'quarantined' })
    one.net.inject('read', { kind: 'refused' })
    await expect(seats.peek()).rejects.toMatchObject({ code: 'quarantined' })
  })

  test('a row that is created while the store is read shows no mix of policy and row', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    await vsa.ready()
    const credits = vsa.budget('credits', { initial: 12 })
    net.inject('read', { kind: 'delay', requestMs: 0, answerMs: 50 })
    const peeked = credits.peek()
    await clock.settle()
    await credits.mint(15, { id: 'm' })
    await clock.advance(100)
    expect(await peeked).toMatchObject({ minted: 27, used: 0, remaining: 27 })
  })

  test('the figures are of one moment and add up, also while an exchange is in flight and its answer is late', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const other = owner().vsa.budget('calls', { limit: 100, per: 'month', atRisk: 50 })
    const budget = vsa.budget('calls', { limit: 100, per: 'month', atRisk: 50 })
    await other.admit(7)
    await budget.admit()
    let mine = 1
    for (let turn = 0; turn < 60; turn += 1) {
      if (mine < 60 && budget.tryAdmit()) mine += 1
      if (turn % 7 === 0 && mine > 3) {
        budget.refund(3)
        mine -= 3
      }
      net.inject('exchange', { kind: 'delay', requestMs: turn % 9, answerMs: turn % 13 })
      net.inject('read', { kind: 'delay', requestMs: turn % 5, answerMs: turn % 11 })
      if (turn % 3 === 0) vsa.flush().catch(() => undefined)
      const peeked = budget.peek()
      await clock.advance(15 + (turn % 20))
      const { limit, minted, used, remaining, leased, burned } = await peeked
      expect([used, remaining], `turn ${turn}`).toEqual([mine + 7, 100 - mine - 7])
      expect([limit, minted, burned, used + remaining + burned]).toEqual([100, 100, 0, 100])
      expect(leased).toBeLessThanOrEqual(50)
    }
  })

  test('peek shows what other owners have spent since the last answer, and when the period ends', async () => {
    const { owner, clock } = bench()
    const [one, other] = [owner(), owner()]
    const [mine, theirs] = [one, other].map(({ vsa }) => vsa.budget('calls', { limit: 100, per: 60_000, atRisk: 0 }))
    await mine?.admit(10)
    await theirs?.admit(30)
    const resetAtMs = clock.now() - (clock.now() % 60_000) + 60_000
    expect(await mine?.peek()).toMatchObject({ used: 40, remaining: 60, resetAtMs })
  })

  test('peek counts a refund that is not sent, and shows only what is left of the lease', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const calls = vsa.budget('calls', { limit: 100, per: 'month', atRisk: 8 })
    await calls.admit(20)
    const leased = vsa.stats().leasedUnits
    expect(calls.tryAdmit(2)).toBe(true)
    expect(await calls.peek()).toMatchObject({ used: 22, remaining: 78, leased: leased - 2 })
    calls.refund(10)
    expect(await calls.peek()).toMatchObject({ used: 12, remaining: 88, leased })
  })

  test('credits show what was minted as their limit; before the first mint they are exhausted, not over the limit', async () => {
    const { clock, owner } = bench()
    const { vsa, events } = owner({ thresholds: [0.5] })
    const credits = vsa.budget('credits', { initial: 0 })
    expect(await credits.decide(3)).toMatchObject({ admitted: false, reason: 'exhausted', limit: 0, remaining: 0 })
    await credits.mint(100, { id: 'invoice' })
    expect(await credits.peek()).toMatchObject({ limit: 100, minted: 100, used: 0, remaining: 100, burned: 0 })
    expect(await credits.decide(60)).toMatchObject({ admitted: true, limit: 100, remaining: 40 })
    expect(await credits.decide(101)).toMatchObject({ admitted: false, reason: 'over-limit', limit: 100 })
    expect(events.filter(({ type }) => type === 'threshold')).toMatchObject([{ used: 60, limit: 100 }])
    const none = vsa.budget('none', { limit: 0, per: 'month' })
    expect(await none.decide()).toMatchObject({ admitted: false, reason: 'over-limit' })
    await clock.settle()
  })

  test('a decision made without the store shows what was minted as the limit of credits, too', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner({ onStoreUnavailable: 'deny', deadlineMs: 100 })
    const credits = vsa.budget('credits', { initial: 0 })
    await credits.mint(100, { id: 'invoice' })
    net.cut('refuse')
    const asked = credits.decide(60)
    await clock.advance(110)
    expect(await asked).toMatchObject({ admitted: false, reason: 'unavailable', limit: 100 })
  })

  test('a peek has a deadline: a read that is never answered is made again, and then the call fails', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner({ deadlineMs: 900, exchangeTimeoutMs: 300 })
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit(4)
    net.inject('read', { kind: 'lost_request' })
    net.inject('read', { kind: 'refused' })
    const peeked = seats.peek()
    await clock.advance(500)
    expect(await peeked).toMatchObject({ used: 4 })
    net.cut('hang')
    const lost = seats.peek().catch((error: unknown) => error)
    await clock.advance(900)
    expect(await lost).toMatchObject({ name: 'VsaError', code: 'store_unavailable', statusCode: 503, applied: 'no' })
    expect(vsa.stats().waiters).toBe(0)
    await clock.advance(1_000)
  })

  test('before the store is joined a peek waits, and fails by its deadline with an error of the library', async () => {
    const { clock, owner } = bench()
    const late = owner({ deadlineMs: 400 }, 'refuse')
    const seats = late.vsa.budget('seats', { initial: 10 })
    const early = seats.peek().catch((error: unknown) => error)
    await clock.advance(450)
    expect(await early).toMatchObject({ name: 'VsaError', code: 'store_unavailable', applied: 'no' })
    const peeked = seats.peek()
    late.net.heal()
    await clock.advance(399)
    expect(await peeked).toMatchObject({ minted: 10, used: 0 })
  })

  test('a store that failed for good fails a peek at once', async () => {
    const { owner } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    net.read = () => Promise.reject(new StoreError('database_replaced', 'planted', { applied: 'no', transient: false }))
    await expect(seats.peek()).rejects.toMatchObject({ name: 'VsaError', code: 'store_unavailable' })
  })

  test('O13: a close ends a peek that waits', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    net.inject('read', { kind: 'lost_request' })
    const peeked = seats.peek().catch((error: unknown) => error)
    await clock.settle()
    await vsa.close()
    expect(await peeked).toMatchObject({ code: 'closed' })
    expect(vsa.stats().waiters).toBe(0)
    const other = owner()
    await other.vsa.ready()
    other.net.cut('hang')
    const lost = other.vsa
      .budget('seats', { initial: 10 })
      .peek()
      .catch((error: unknown) => error)
    const closing = other.vsa.close({ deadlineMs: 100 }).catch(codeOf)
    await clock.advance(100)
    expect([await closing, await lost]).toMatchObject(['close_ambiguous', { code: 'closed' }])
  })

  test('O13: a peek after close is refused: it would open the store again', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    await vsa.close()
    await expect(seats.peek()).rejects.toMatchObject({ code: 'closed' })
  })
})
