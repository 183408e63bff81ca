import { describe, expect, test } from 'vitest'
import type { VsaError } from '../../src/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

const MONTHLY = { limit: 10_000, per: 'month' } as const

describe('admit, decide and tryAdmit', () => {
  test('L1: 5,000 callers for 500 seats: exactly 500 are admitted, and the row says so', async () => {
    const { owner, row } = bench()
    const seats = owner().vsa.budget('concert', { initial: 500 })
    const answers = await Promise.all(Array.from({ length: 5_000 }, () => seats.admit()))
    expect(answers.filter(Boolean)).toHaveLength(500)
    expect(await row('concert')).toMatchObject({ minted: 500, used: 500, pool: 0, burned: 0 })
  })

  test('O1: tryAdmit never admits more than the lease in hand, however often it is called', async () => {
    const { owner, row } = bench()
    const budget = owner().vsa.budget('calls', { limit: 100, per: 'month', atRisk: 20 })
    await budget.admit()
    let admitted = 0
    for (let call = 0; call < 1_000; call += 1) if (budget.tryAdmit()) admitted += 1
    expect(admitted).toBeGreaterThan(0)
    expect(admitted).toBeLessThanOrEqual(20)
    expect((await row('calls')).used).toBe(1)
  })

  test('O8: tryAdmit on a budget that is not loaded is false and starts the load', async () => {
    const { clock, owner } = bench()
    const budget = owner().vsa.budgets('calls', MONTHLY).of('a')
    expect(budget.tryAdmit()).toBe(false)
    await clock.settle()
    expect(budget.tryAdmit()).toBe(true)
  })

  test('O8: a lease that runs low is topped up before the next flush is due', async () => {
    const { clock, owner } = bench()
    const { vsa, batches } = owner()
    const budget = vsa.budgets('calls', { limit: 1_000_000, per: 'month' }).of('a')
    await budget.admit()
    const before = batches.length
    for (let call = 0; call < 400 && budget.tryAdmit(); call += 1) if (call % 2 === 0) await clock.settle()
    expect(batches.length).toBeGreaterThan(before)
    expect(clock.monotonic()).toBe(0)
    expect(budget.tryAdmit()).toBe(true)
  })

  test('O8: a cost above what may be leased is a take by itself', async () => {
    const { owner, row } = bench()
    const budget = owner().vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 5 })
    expect(await budget.admit(700)).toBe(true)
    expect(await row('calls')).toMatchObject({ used: 700 })
    expect(await budget.admit(700)).toBe(false)
  })

  test('O9: a durable request that the lease covers resolves only when its exchange is acknowledged', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', MONTHLY)
    await budget.admit()
    net.inject('exchange', { kind: 'delay', requestMs: 50, answerMs: 0 })
    let resolved = false
    const asked = budget.admit(2, { durable: true }).then((admitted) => {
      resolved = admitted
    })
    await clock.advance(49)
    expect(resolved).toBe(false)
    await clock.advance(2)
    await asked
    expect(resolved).toBe(true)
    expect((await row('calls')).used).toBe(3)
  })

  test('O9, L7: it spends from the lease, and takes nothing beside it', async () => {
    const { clock, owner } = bench()
    const { vsa, batches } = owner()
    const budget = vsa.budget('calls', MONTHLY)
    await vsa.ready()
    budget.tryAdmit(2)
    await clock.settle()
    const before = batches.length
    expect(await budget.admit(2, { durable: true })).toBe(true)
    expect(batches.slice(before)).toMatchObject([{ entries: [{ key: 'calls', spent: 2 }], takes: [] }])
  })

  test('L1, O9: a durable request that waits for a read spends nothing by itself, also where a lease has come meanwhile', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const credits = vsa.budget('credits', { initial: 10, atRisk: 10, burnMax: 10 })
    await credits.admit(10)
    await vsa.flush()
    expect(await credits.admit()).toBe(false)
    await clock.advance(150)
    net.inject('read', { kind: 'delay', requestMs: 200, answerMs: 200 })
    const asked = credits.admit(1, { durable: true })
    await clock.advance(10)
    await credits.mint(20, { id: 'more' })
    await clock.advance(FLUSH_MS)
    credits.tryAdmit(5)
    await clock.advance(10)
    expect(vsa.stats().leasedUnits).toBeGreaterThan(0)
    await clock.advance(1_000)
    expect(await asked).toBe(true)
    await vsa.close()
    expect(await row('credits')).toMatchObject({ used: 11, minted: 30 })
  })

  test('O13: a call over several budgets that is aborted before, or comes after close, rejects', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 3 })
    const stop = new AbortController()
    stop.abort(new Error('gone'))
    await expect(vsa.admitAll([[seats, 1]], { signal: stop.signal })).rejects.toThrow('gone')
    await expect(vsa.admitFirst([seats], 1, { signal: stop.signal })).rejects.toThrow('gone')
    await vsa.close()
    await expect(vsa.admitAll([[seats, 1]])).rejects.toMatchObject({ code: 'closed' })
    await expect(vsa.admitFirst([seats], 1)).rejects.toMatchObject({ code: 'closed' })
  })

  test('bad options of a call over several budgets reject it', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const needs = [[vsa.budget('seats', { initial: 3 }), 1]] as const
    await expect(vsa.admitAll(needs, { deadlineMs: -1 })).rejects.toThrow('options.deadlineMs must be')
    await expect(vsa.decideAll(needs, { deadlineMs: -1 })).rejects.toThrow('options.deadlineMs must be')
  })

  test('O12: an exhausted budget is denied from memory, with at most one store call per flush interval', async () => {
    const { clock, owner } = bench()
    const { vsa, batches } = owner()
    const seats = vsa.budget('seats', { initial: 3 })
    expect(await seats.admit(3)).toBe(true)
    expect(await seats.admit()).toBe(false)
    const before = batches.length
    for (let call = 0; call < 1_000; call += 1) expect(await seats.admit()).toBe(false)
    expect(batches.length).toBe(before)
    await clock.advance(FLUSH_MS + 1)
    expect(await seats.admit()).toBe(false)
    expect(batches.length).toBeLessThanOrEqual(before + 2)
  })

  test('O12: a cost above everything minted is denied as over-limit', async () => {
    const { owner } = bench()
    const seats = owner().vsa.budget('seats', { initial: 3 })
    expect(await seats.decide(2 ** 53 - 1)).toMatchObject({ admitted: false, reason: 'over-limit' })
    expect(await seats.decide(4)).not.toHaveProperty('retryAfterMs')
    expect(await seats.decide(3)).toMatchObject({ admitted: true, remaining: 0 })
  })

  test('L6: a denial changes no minted, used, burned or limit of any budget', async () => {
    const { clock, books, owner } = bench()
    const { vsa } = owner()
    const [full, free] = [vsa.budget('full', { initial: 5 }), vsa.budget('free', { limit: 50, per: 'hour' })]
    await full.admit(5)
    await free.admit(7)
    const before = (await books.list({ limit: 9 })).rows.map(({ budget: { minted, used, burned, limit } }) => ({
      minted,
      used,
      burned,
      limit,
    }))
    for (let call = 0; call < 50; call += 1) {
      expect(await full.admit(1)).toBe(false)
      expect(
        await vsa.decideAll([
          [free, 1],
          [full, 1],
        ]),
      ).toMatchObject({ admitted: false, key: 'full', reason: 'exhausted' })
      await clock.advance(FLUSH_MS)
    }
    const after = (await books.list({ limit: 9 })).rows.map(({ budget: { minted, used, burned, limit } }) => ({
      minted,
      used,
      burned,
      limit,
    }))
    expect(after).toEqual(before)
  })

  test('L1 L6: several budgets at once: all or none, and the same budget twice counts with its sum', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const [a, b] = [vsa.budget('a', { initial: 10 }), vsa.budget('b', { limit: 100, per: 'day' })]
    expect(
      await vsa.admitAll([
        [a, 2],
        [b, 3],
        [a, 4],
      ]),
    ).toBe(true)
    expect(
      await vsa.admitAll([
        [b, 1],
        [a, 5],
      ]),
    ).toBe(false)
    expect(
      await vsa.admitAll([
        [b, 1],
        [a, 4],
      ]),
    ).toBe(true)
    await clock.advance(FLUSH_MS)
    expect((await row('a')).used).toBe(10)
    expect((await row('b')).used).toBe(4)
  })

  test('A2 L7: over several budgets one exchange decides; where leases cover all parts, none does', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const [calls, credits] = [
      vsa.budget('calls', { limit: 100, per: 'month', atRisk: 50 }),
      vsa.budget('credits', { initial: 100, atRisk: 50 }),
    ]
    const needs = [
      [calls, 10],
      [credits, 10],
    ] as const
    await vsa.ready()
    const before = net.calls.exchange
    expect(await vsa.admitAll(needs)).toBe(true)
    expect(net.calls.exchange - before).toBe(1)
    calls.tryAdmit(10)
    credits.tryAdmit(10)
    await clock.advance(1)
    const leased = net.calls.exchange
    expect(await vsa.admitAll(needs)).toBe(true)
    expect(net.calls.exchange).toBe(leased)
  })

  test('G2: a cost of 0 is a look: admitted, and nothing changes', async () => {
    const { clock, owner, row } = bench()
    const { vsa, batches } = owner()
    const budget = vsa.budget('a', { limit: 1, per: 'day', atRisk: 1 })
    expect(await budget.admit()).toBe(true)
    await clock.advance(1_000)
    const before = batches.length
    expect(await budget.admit(0)).toBe(true)
    expect(budget.tryAdmit(0)).toBe(true)
    expect(await budget.decide(0)).toMatchObject({ admitted: true, units: 0 })
    expect(await vsa.admitAll([[budget, 0]])).toBe(true)
    budget.refund(0)
    await clock.advance(1_000)
    expect(batches.length).toBe(before)
    expect((await row('a')).used).toBe(1)
  })

  test('tryAdmit on a durable budget throws: it could never be true', async () => {
    const seats = bench().owner().vsa.budget('seats', { initial: 3 })
    expect(() => seats.tryAdmit()).toThrow(expect.objectContaining({ code: 'durable_only' }) as Error)
  })

  test('one key, one policy: another one throws policy_conflict, the same one gives the same budget', () => {
    const { vsa } = bench().owner()
    const family = vsa.budgets('calls', MONTHLY)
    expect(vsa.budgets('calls', { ...MONTHLY, timeZone: 'UTC' })).toBe(family)
    expect(vsa.budget('calls:x', MONTHLY)).toBe(family.of('x'))
    const conflict = expect.objectContaining({ code: 'policy_conflict' }) as VsaError
    expect(() => vsa.budgets('calls', { limit: 1, per: 'month' })).toThrow(conflict)
    expect(() => vsa.budget('calls:x', { initial: 1 })).toThrow(conflict)
    vsa.budget('other:x', MONTHLY)
    expect(() => vsa.budgets('other', { limit: 1, per: 'month' })).toThrow(conflict)
  })

  test('a family may choose the policy by id', async () => {
    const { vsa } = bench().owner()
    const tiers = vsa.budgets('tier', (id) => ({ initial: id === 'gold' ? 2 : 1 }))
    expect(await tiers.of('gold').admit(2)).toBe(true)
    expect(await tiers.of('tin').admit(2)).toBe(false)
  })
})

describe('bad input changes nothing', () => {
  const bad: readonly (readonly [unknown, typeof TypeError | typeof RangeError])[] = [
    [2 ** 53, RangeError],
    [Number.NaN, RangeError],
    [-1, RangeError],
    [0.5, RangeError],
    [Infinity, RangeError],
    ['3', TypeError],
    [null, TypeError],
    [{}, TypeError],
    [true, TypeError],
  ]
  test.each(bad)('G1: units %s', async (units, kind) => {
    const { owner } = bench()
    const { vsa } = owner()
    const [budget, seats, counter] = [vsa.budget('a', MONTHLY), vsa.budget('s', { initial: 4 }), vsa.counter('c')]
    await budget.admit()
    const before = vsa.stats()
    const left = await budget.decide(0)
    const wrong = units as number
    const named = expect.objectContaining({
      name: kind.name,
      message: expect.stringContaining('units') as string,
    }) as Error
    expect(() => budget.tryAdmit(wrong)).toThrow(named)
    expect(() => budget.refund(wrong)).toThrow(named)
    await expect(budget.admit(wrong)).rejects.toThrow(named)
    await expect(budget.decide(wrong)).rejects.toThrow(named)
    await expect(seats.mint(wrong, { id: 'x' })).rejects.toThrow(named)
    await expect(vsa.admitAll([[budget, wrong]])).rejects.toThrow(
      expect.objectContaining({ name: kind.name, message: expect.stringContaining('needs[0][1]') as string }) as Error,
    )
    if (units !== -1)
      expect(() => counter.add(wrong)).toThrow(
        expect.objectContaining({ message: expect.stringContaining('n must') as string }) as Error,
      )
    expect(vsa.stats()).toEqual(before)
    expect(await budget.decide(0)).toEqual(left)
  })

  test('keys of 1 and 1,024 characters of any kind are good, 0 and 1,025 and half a character are not', async () => {
    const { owner, clock } = bench()
    const { vsa } = owner()
    for (const key of [
      'k',
      'k'.repeat(1_024),
      `"'\`;--`,
      'a\0b',
      '{}',
      '😀'.repeat(512),
      ':',
      'a:',
      ':a',
      '__proto__',
    ]) {
      expect(await vsa.budget(key, { initial: 1 }).admit(), key).toBe(true)
      expect(await vsa.budget(key, { initial: 1 }).admit(), key).toBe(false)
    }
    expect(await vsa.budgets('f', MONTHLY).of('i'.repeat(1_022)).admit()).toBe(true)
    const named = (name: string): Error =>
      expect.objectContaining({ message: expect.stringContaining(name) as string }) as Error
    expect(() => vsa.budget('', MONTHLY)).toThrow(RangeError)
    expect(() => vsa.budget('k'.repeat(1_025), MONTHLY)).toThrow(named('key'))
    expect(() => vsa.budget('\ud800', MONTHLY)).toThrow(named('key'))
    expect(() => vsa.budget(7 as unknown as string, MONTHLY)).toThrow(TypeError)
    expect(() => vsa.budgets('f', MONTHLY).of('i'.repeat(1_023))).toThrow(named('id'))
    expect(() => vsa.budgets('a:b', MONTHLY)).toThrow(named('name'))
    expect(() => vsa.counter('')).toThrow(named('key'))
    await clock.advance(FLUSH_MS)
  })

  test('options of open, admit, flush and close are checked by name', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('a', MONTHLY)
    const named = (name: string): Error =>
      expect.objectContaining({ message: expect.stringContaining(name) as string }) as Error
    expect(() => owner({ flushIntervalMs: 0 })).toThrow(named('flushIntervalMs'))
    expect(() => owner({ flushIntervalMs: 3_600_001 })).toThrow(named('flushIntervalMs'))
    expect(() => owner({ thresholds: [0] })).toThrow(named('thresholds[0]'))
    expect(() => owner({ store: {} as never })).toThrow(named('store'))
    expect(() => owner({ onStoreUnavailable: 'panic' as never })).toThrow(named('onStoreUnavailable'))
    await expect(budget.admit(1, { deadlineMs: 0 })).rejects.toThrow(named('deadlineMs'))
    await expect(budget.admit(1, { durable: 1 as never })).rejects.toThrow(named('durable'))
    await expect(budget.admit(1, { signal: {} as never })).rejects.toThrow(named('signal'))
    await expect(vsa.admitAll([])).rejects.toThrow(named('needs'))
    await expect(vsa.admitAll([[{} as never, 1]])).rejects.toThrow(named('needs[0][0]'))
    await expect(vsa.flush({ deadlineMs: -1 })).rejects.toThrow(named('deadlineMs'))
    expect(() => budget.refund(1, { period: 3 })).toThrow(named('decision.period'))
    expect(() => budget.refund(1, null as never)).toThrow(named('decision'))
  })
})
