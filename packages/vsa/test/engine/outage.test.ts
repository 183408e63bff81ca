import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/core/store.ts'
import { type Budget, type Decision, open, type Reservation, StoreError, type Vsa } from '../../src/index.ts'
import { bench, codeOf, FLUSH_MS } from './fixture.ts'

const LEASED = { limit: 10_000, per: 'month', atRisk: 500 } as const

describe('when the store does not answer', () => {
  test('O2 L3: a lost answer: the same batch goes again under the same seq, and counts once', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net, batches } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    net.inject('exchange', { kind: 'lost_answer' })
    const asked = seats.admit(4)
    await clock.advance(3_000)
    expect(await asked).toBe(true)
    expect(batches).toHaveLength(2)
    expect(batches[1]).toBe(batches[0])
    expect(await row('seats')).toMatchObject({ used: 4 })
  })

  test('O2 S6: a refusal that names no row, and comes during a pause between attempts, does not end the attempts', async () => {
    const { clock, books, row } = bench()
    let refusals = 1
    const store: Store = {
      ...{ capabilities: books.capabilities, join: (label) => books.join(label), read: (names) => books.read(names) },
      ...{ list: (range) => books.list(range), owners: () => books.owners(), close: () => books.close() },
      exchange: (batch) => {
        if (refusals === 0) return books.exchange(batch)
        refusals -= 1
        return new Promise((resolve) => {
          clock.timer(1_005, () => resolve({ kind: 'breach', time: clock.now() }))
        })
      },
    }
    const vsa = open({ store, clock, random: () => 0.5, exchangeTimeoutMs: 1_000, onEvent: () => undefined })
    const asked = vsa.budget('seats', { initial: 10 }).admit(4)
    await clock.advance(3_000)
    expect(await asked).toBe(true)
    expect(await row('seats')).toMatchObject({ used: 4 })
  })

  test('O3: what a batch offers back is deducted before it is sent', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit()
    expect(budget.tryAdmit()).toBe(true)
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 50 })
    const flushed = vsa.flush({ returnLeases: true })
    await clock.advance(10)
    expect(budget.tryAdmit()).toBe(false)
    await clock.advance(100)
    await flushed
    expect(vsa.stats().leasedUnits).toBe(0)
  })

  test('L8: leases go on serving while the store is away, and all that waits is sent when it is back', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net, events } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit(100)
    net.cut('refuse')
    let admitted = 100
    for (let call = 0; call < 50; call += 1) if (budget.tryAdmit()) admitted += 1
    expect(admitted).toBe(150)
    await clock.advance(5_000)
    expect(events.map((event) => event.type)).toContain('store_away')
    net.heal()
    await clock.advance(5_000)
    expect(events.map((event) => event.type)).toContain('store_back')
    expect(await row('calls')).toMatchObject({ used: admitted })
  })

  test.each(['throw', 'deny', 'allow'] as const)(
    'onStoreUnavailable %s: the outcome of a request at its deadline',
    async (onStoreUnavailable) => {
      const { clock, owner, row } = bench()
      const { vsa, net } = owner({ onStoreUnavailable, deadlineMs: 400 })
      const seats = vsa.budget('seats', { initial: 10 })
      await seats.admit()
      net.cut('refuse')
      const asked = seats.decide(2).catch((error: unknown) => error)
      await clock.advance(500)
      const resolved = await asked
      if (onStoreUnavailable === 'throw')
        expect(resolved).toMatchObject({ code: 'store_unavailable', statusCode: 503, applied: 'unknown' })
      if (onStoreUnavailable === 'deny') expect(resolved).toMatchObject({ admitted: false, reason: 'unavailable' })
      if (onStoreUnavailable === 'allow') expect(resolved).toMatchObject({ admitted: true, unaccounted: true })
      expect(vsa.stats().unaccountedUnits).toBe(onStoreUnavailable === 'allow' ? 2 : 0)
      net.heal()
      await clock.advance(5_000)
      // O10: what the store grants late is given back.
      expect(await row('seats')).toMatchObject({ used: 1, pool: 9 })
    },
  )

  const unaccounted: Record<string, (vsa: Vsa, seats: Budget) => Promise<unknown>> = {
    admit: (_vsa, seats) => seats.admit(3),
    decide: (_vsa, seats) => seats.decide(3),
    admitAll: (vsa, seats) => vsa.admitAll([[seats, 3]]),
    decideFirst: (vsa, seats) => vsa.decideFirst([seats], 3),
    'a durable admit from a lease': (vsa) =>
      vsa.budget('leased', { initial: 10, atRisk: 5 }).admit(3, { durable: true }),
    reserve: (_vsa, seats) => seats.reserve(3),
  }
  test.each(Object.entries(unaccounted))(
    'L3 O10: what was answered unaccounted (allow) is charged to no budget, although its exchange is applied later: %s',
    async (name, call) => {
      const { clock, owner, row } = bench()
      const { vsa, net } = owner({ onStoreUnavailable: 'allow', deadlineMs: 400 })
      const seats = vsa.budget('seats', { initial: 10 })
      const leased = vsa.budget('leased', { initial: 10, atRisk: 5 })
      await Promise.all([seats.admit(5), leased.admit()])
      net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 900 })
      const asked = call(vsa, seats)
      await clock.advance(500)
      const answer = await asked
      expect(vsa.stats().unaccountedUnits).toBe(3)
      if (name === 'reserve') expect(await (answer as Reservation).settle(0)).toMatchObject({ settled: 0 })
      await clock.advance(2_000)
      await vsa.flush()
      expect([await row('seats'), await row('leased')]).toMatchObject([{ used: 5 }, { used: 1 }])
      expect(vsa.stats()).toMatchObject({ unaccountedUnits: 3, admittedUnits: 6, waiters: 0 })
      expect(await seats.admit(5)).toBe(true)
      await vsa.close()
    },
  )

  test('O10: a request past its deadline fails with `applied: unknown`; a late grant is refunded', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 900 })
    const asked = seats.admit(5, { deadlineMs: 300 }).catch((error: unknown) => error)
    await clock.advance(400)
    expect(await asked).toMatchObject({ code: 'timeout', applied: 'unknown', statusCode: 503 })
    expect(await row('seats')).toMatchObject({ used: 6 })
    await clock.advance(1_000)
    expect(await row('seats')).toMatchObject({ used: 1, pool: 9 })
  })

  test('O10: an aborted request rejects with the reason, and a late grant is refunded', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 200 })
    const abort = new AbortController()
    const asked = seats.admit(5, { signal: abort.signal })
    const resolved = expect(asked).rejects.toThrow('no longer needed')
    await clock.advance(50)
    abort.abort(new Error('no longer needed'))
    await resolved
    await clock.advance(1_000)
    expect(await row('seats')).toMatchObject({ used: 1 })
    await expect(seats.admit(1, { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
  })

  test('the wait queue has a bound: one request too many fails at once', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner({ waitersMax: 100, deadlineMs: 200 })
    const seats = vsa.budget('seats', { initial: 1_000 })
    await seats.admit()
    net.cut('hang')
    const waiting = Array.from({ length: 100 }, () => seats.admit().catch(codeOf))
    await expect(seats.admit()).rejects.toMatchObject({ code: 'too_many_waiters', applied: 'no' })
    await clock.advance(300)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['timeout']))
    expect(vsa.stats().waiters).toBe(0)
  })

  test('ready rejects as soon as one attempt to join fails; joining goes on, and requests that wait are served', async () => {
    const { clock, owner } = bench()
    const second = owner({}, 'refuse')
    await clock.settle()
    const asked = second.vsa.budget('a', { initial: 1 }).admit()
    const ready = second.vsa.ready()
    const failed = expect(ready).rejects.toBeInstanceOf(StoreError)
    await clock.advance(2_000)
    await failed
    second.net.heal()
    await clock.advance(2_500)
    await second.vsa.ready()
    expect(await asked).toBe(true)
  })

  test('S4: a removed row is never created again: the budget fails closed, and an event reports it', async () => {
    const { clock, owner } = bench()
    const { vsa, net, events } = owner()
    const seats = vsa.budget('seats', { initial: 5 })
    await seats.admit(5)
    const exchange = net.exchange.bind(net)
    net.exchange = async (batch) => {
      const answer = await exchange(batch)
      if (answer.kind !== 'applied') return answer
      return {
        ...answer,
        granted: answer.granted.map(() => 0),
        entries: answer.entries.map(() => ({ kind: 'row_lost' })),
      }
    }
    net.read = () => Promise.resolve([])
    await clock.advance(FLUSH_MS + 1)
    await expect(seats.admit()).rejects.toMatchObject({ code: 'row_lost' })
    expect(events.map((event) => event.type)).toContain('row_lost')
  })

  test('O10, O12: a request that the store has refused is denied at its deadline, also in flight; what comes later goes back', async () => {
    const { clock, owner, row } = bench()
    const [one, other] = [owner({ deadlineMs: 1_500, exchangeTimeoutMs: 5_000 }), owner()]
    const policy = { limit: 100, per: 'month', atRisk: 50 } as const
    const theirs = other.vsa.budget('calls', policy)
    await theirs.admit(60)
    theirs.tryAdmit(30)
    await clock.settle()
    other.net.cut('hang')
    const mine = one.vsa.budget('calls', policy)
    const asked = mine.decide(30, { durable: true })
    await clock.advance(300)
    one.net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 3_000 })
    await clock.advance(1_300)
    expect(await asked).toMatchObject({ admitted: false, key: 'calls' })
    other.net.heal()
    await clock.advance(10_000)
    await Promise.all([one.vsa.close(), other.vsa.close()])
    expect((await row('calls')).used).toBe(other.vsa.stats().admittedUnits)
  })

  test('O12: a request that was refused before the store went away fails at its deadline: units may have come back since', async () => {
    const { clock, owner } = bench()
    const [one, other] = [owner({ deadlineMs: 1_500, exchangeTimeoutMs: 200 }), owner()]
    const policy = { limit: 100, per: 'month', atRisk: 50 } as const
    const theirs = other.vsa.budget('calls', policy)
    await theirs.admit(60)
    theirs.tryAdmit(30)
    await clock.settle()
    other.net.cut('hang')
    const asked = one.vsa
      .budget('calls', policy)
      .decide(30, { durable: true })
      .catch((error: unknown) => error)
    await clock.advance(300)
    one.net.cut('refuse')
    await clock.advance(1_500)
    expect(await asked).toMatchObject({ code: 'store_unavailable' })
  })

  test('the error of a request that times out names its own deadline', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    await vsa.ready()
    net.cut('hang')
    const asked = expect(vsa.budget('seats', { initial: 5 }).admit(1, { deadlineMs: 70 })).rejects.toThrow(
      'within 70 ms',
    )
    await clock.advance(100)
    await asked
  })

  test('O10: a permanent store error fails a request in flight with `applied: unknown`', async () => {
    const { clock, owner, row } = bench()
    const one = owner({ exchangeTimeoutMs: 100 })
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    one.net.inject('exchange', { kind: 'lost_answer' })
    const asked = seats.admit(3).catch((error: unknown) => error)
    await clock.advance(50)
    const { StoreError } = await import('../../src/index.ts')
    const exchange = one.net.exchange.bind(one.net)
    one.net.exchange = () => Promise.reject(new StoreError('disk_full', 'planted', { applied: 'no', transient: false }))
    await clock.advance(200)
    expect(await asked).toMatchObject({ code: 'store_unavailable', applied: 'unknown' })
    one.net.exchange = exchange
    await clock.advance(5_000)
    expect(await row('seats')).toMatchObject({ used: 1 })
  })
})

describe('decisions while the store is away', () => {
  const MONTHLY = { limit: 1_000, per: 'month' } as const

  /** Asked while the store is away, and decided at the deadline. */
  async function asked(onStoreUnavailable: 'deny' | 'allow', cut: 'before the join' | 'later'): Promise<Decision> {
    const { clock, owner } = bench()
    const one = owner({ onStoreUnavailable, deadlineMs: 200 }, cut === 'before the join' ? 'refuse' : undefined)
    const calls = one.vsa.budget('calls', { ...MONTHLY, atRisk: 0 })
    if (cut === 'later') await calls.admit(400)
    one.net.cut('refuse')
    const decided = calls.decide(3)
    await clock.advance(300)
    return decided
  }

  test.each(['before the join', 'later'] as const)(
    'onStoreUnavailable deny, %s: the reason is that the store is away, and no figure is one that only the store knows',
    async (cut) => {
      const decision = await asked('deny', cut)
      expect(decision).toMatchObject({ admitted: false, reason: 'unavailable', key: 'calls', units: 3, limit: 1_000 })
      expect(decision.remaining).toBeUndefined()
      expect(decision.retryAfterMs).toBeUndefined()
    },
  )

  test.each(['before the join', 'later'] as const)(
    'onStoreUnavailable allow, %s: nothing is said of what remains either',
    async (cut) => {
      const decision = await asked('allow', cut)
      expect(decision).toMatchObject({ admitted: true, unaccounted: true, key: 'calls', units: 3, limit: 1_000 })
      expect(decision.remaining).toBeUndefined()
    },
  )

  test.each(['deny', 'allow'] as const)('O11: %s: the period is named once it is known', async (how) => {
    expect(Object.keys(await asked(how, 'before the join'))).not.toContain('period')
    expect(Object.keys(await asked(how, 'before the join'))).not.toContain('resetAtMs')
    const later = await asked(how, 'later')
    expect([later.period, later.resetAtMs]).toEqual([Date.UTC(2025, 0), Date.UTC(2025, 1)])
  })

  test('G2 O11: a look before the first join names no period and no figures', async () => {
    const { clock, owner } = bench()
    const one = owner({}, 'refuse')
    const look = await one.vsa.budget('calls', MONTHLY).decide(0)
    expect(look).toEqual({ admitted: true, unaccounted: true, key: 'calls', units: 0, limit: 1_000 })
    one.net.heal()
    await clock.advance(1_000)
    expect(await one.vsa.budget('calls', MONTHLY).decide(0)).toMatchObject({
      period: Date.UTC(2025, 0),
      remaining: 1_000,
    })
    expect(one.vsa.stats().unaccountedUnits).toBe(0)
  })

  test.each(['throw', 'deny', 'allow'] as const)(
    'O5: an epoch that the store has forgotten: onStoreUnavailable %s holds for the requests of its last batch',
    async (onStoreUnavailable) => {
      const { clock, owner, row } = bench()
      const { vsa, net } = owner({ onStoreUnavailable })
      const seats = vsa.budget('seats', { initial: 10 })
      const credits = vsa.budget('credits', { initial: 100, atRisk: 20 })
      await Promise.all([seats.admit(), credits.admit()])
      await clock.settle()
      const exchange = net.exchange.bind(net)
      net.exchange = async ({ entries }) => {
        net.exchange = exchange
        return { kind: 'fenced', time: clock.now(), last: null, forgot: true, gone: entries.map(() => null) }
      }
      const taken = seats.decide(2).catch((error: unknown) => error)
      const spent = credits.decide(3, { durable: true }).catch((error: unknown) => error)
      await clock.advance(FLUSH_MS)
      for (const resolved of await Promise.all([taken, spent])) {
        if (onStoreUnavailable === 'throw')
          expect(resolved).toMatchObject({ code: 'store_unavailable', applied: 'unknown', statusCode: 503 })
        if (onStoreUnavailable === 'deny') expect(resolved).toMatchObject({ admitted: false, reason: 'unavailable' })
        if (onStoreUnavailable === 'allow') expect(resolved).toMatchObject({ admitted: true, unaccounted: true })
      }
      expect(vsa.stats()).toMatchObject({
        unaccountedUnits: onStoreUnavailable === 'allow' ? 5 : 0,
        deniedUnits: onStoreUnavailable === 'deny' ? 5 : 0,
        waiters: 0,
      })
      expect(await seats.admit(9)).toBe(true)
      expect(await row('seats')).toMatchObject({ used: 10 })
    },
  )

  test('O10: a request that was aborted before the store failed for good is not admitted after all: its late grant is refunded', async () => {
    const { clock, owner, row } = bench()
    const one = owner({ onStoreUnavailable: 'allow', exchangeTimeoutMs: 100 })
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    one.net.inject('exchange', { kind: 'lost_answer' })
    const abort = new AbortController()
    const asked = seats.admit(5, { signal: abort.signal }).catch((error: unknown) => error)
    await clock.advance(50)
    abort.abort(new Error('no longer needed'))
    const exchange = one.net.exchange.bind(one.net)
    one.net.exchange = () => Promise.reject(new StoreError('disk_full', 'planted', { applied: 'no', transient: false }))
    await clock.advance(100)
    one.net.exchange = exchange
    await clock.advance(5_000)
    expect(String(await asked)).toContain('no longer needed')
    expect(one.vsa.stats().unaccountedUnits).toBe(0)
    expect(await row('seats')).toMatchObject({ used: 1 })
  })
})
