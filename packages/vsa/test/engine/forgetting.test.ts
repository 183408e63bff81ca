import { describe, expect, test } from 'vitest'
import { MemoryPast } from '../../src/stores/memory/past.ts'
import { bench, type Bench, codeOf, FLUSH_MS, type Owner } from './fixture.ts'

const TTL_MS = 10_000
/** Keepalives come every third of a lease lifetime. */
const KEEPALIVE_MS = TTL_MS / 3 + FLUSH_MS
const ONE = { initial: 1 } as const

interface ForgettingBench extends Bench {
  readonly past: MemoryPast
  /** Marks this moment. The result loses all that was written since. */
  mark(): () => number
  /** Over one lease lifetime from now, in which every owner comes. */
  thaw(): Promise<void>
  /** A joined owner. */
  ready(options?: Parameters<Bench['owner']>[0]): Promise<Owner>
}

function forgetful(): ForgettingBench {
  const past = new MemoryPast()
  const world = bench({ leaseTtlMs: TTL_MS, past })
  return {
    ...world,
    past,
    mark: () => {
      const { size } = past
      return () => past.forget(past.size - size)
    },
    thaw: () => world.clock.advance(TTL_MS + KEEPALIVE_MS),
    ready: async (options) => {
      const owner = world.owner({ exchangeTimeoutMs: 30_000, deadlineMs: 1_000, ...options })
      await owner.vsa.ready()
      return owner
    },
  }
}

/** What the caller learned, as time passes. */
async function asked(world: Bench, admit: Promise<boolean>, forMs = 1_100): Promise<boolean | string> {
  const told = admit.catch(codeOf)
  await world.clock.advance(forMs)
  return told
}

function told({ events }: Owner, type: string): number {
  return events.filter((event) => event.type === type).length
}

describe('a store forgets a take', () => {
  test('F3, L6: T1: it grants none for one lease lifetime, which is no denial; then the units are known to be gone', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    const forget = world.mark()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    a.net.cut('refuse')
    expect(forget()).toBeGreaterThan(0)
    const seat = b.vsa.budget('seat', ONE)
    const error = seat.admit().catch((cause: unknown) => cause)
    await world.clock.advance(1_100)
    expect(await error).toMatchObject({ code: 'store_unavailable', applied: 'no', statusCode: 503 })
    expect(b.vsa.stats().deniedUnits).toBe(0)
    const waiting = seat.admit(1, { deadlineMs: 60_000 })
    a.net.heal()
    await world.clock.advance(KEEPALIVE_MS)
    expect(await world.row('seat')).toMatchObject({ burned: 1, pool: 0, used: 0 })
    await world.thaw()
    expect(await waiting).toBe(false)
    expect(await asked(world, seat.admit())).toBe(false)
    expect([told(a, 'store_forgot'), told(a, 'fenced')]).toEqual([1, 1])
  })

  test('F4, F5: T3 and T9: its owner restates it, though it holds nothing, before anything else', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    const forget = world.mark()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    forget()
    const sent = a.batches.length
    const other = asked(world, a.vsa.budget('other', ONE).admit(1, { deadlineMs: 20_000 }), 15_000)
    await other
    const [first, second] = a.batches.slice(sent).filter(({ epoch }) => epoch !== 1)
    expect(first).toMatchObject({ entries: [{ key: 'seat', known: false, gone: 1, spent: 0, hold: 0 }], takes: [] })
    expect(first?.entries).toHaveLength(1)
    expect(second?.entries).toMatchObject([{ key: 'other' }])
    expect(await other).toBe(true)
    await world.thaw()
    expect(await asked(world, b.vsa.budget('seat', ONE).admit())).toBe(false)
    expect(await world.row('seat')).toMatchObject({ minted: 1, burned: 1, pool: 0 })
  })

  test('F5, L1: T13: a refund that others saw, whose answer was lost, and that the store forgot, is given up', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    expect(await asked(world, b.vsa.budget('seats', { initial: 9 }).admit(4))).toBe(true)
    await a.vsa.budget('seats', { initial: 9 }).peek()
    const forget = world.mark()
    a.net.inject('exchange', { kind: 'lost_answer' })
    a.vsa.budget('seats', { initial: 9 }).refund(1)
    await world.clock.advance(FLUSH_MS)
    expect(await world.row('seats')).toMatchObject({ used: 3, pool: 6 })
    // Of what is gone now, the refund is no part.
    expect(await asked(world, b.vsa.budget('seats', { initial: 9 }).admit(1))).toBe(true)
    forget()
    expect(await world.row('seats')).toMatchObject({ used: 4, pool: 5 })
    await world.thaw()
    await world.clock.advance(60_000)
    // 5 were admitted, and 1 given back: at least 4 are gone.
    const { minted, pool } = await world.row('seats')
    expect(minted - pool).toBe(4)
    expect(a.events).toContainEqual({ type: 'refunds_refused', key: 'seats', period: 0, units: 1 })
    await Promise.all([a.vsa.close(), b.vsa.close()])
  })

  test('F4: T6: an owner that was fenced in between remembers it', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    const forget = world.mark()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    world.reap(a)
    b.vsa.counter('c').add()
    await world.clock.advance(KEEPALIVE_MS)
    expect([told(a, 'fenced'), told(a, 'store_forgot')]).toEqual([1, 0])
    forget()
    await world.thaw()
    expect(await asked(world, b.vsa.budget('seat', ONE).admit())).toBe(false)
  })

  test('F4: T7: an owner that has evicted the budget remembers it', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready({ budgetsMax: 1 }), await world.ready()]
    const forget = world.mark()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    await world.clock.advance(1_000)
    const peeks = [1, 2, 3].map((other) => a.vsa.budget(`other ${other}`, ONE).peek())
    await world.clock.advance(1_000)
    await Promise.all(peeks)
    expect(a.vsa.stats().budgets).toBe(1)
    forget()
    await world.thaw()
    expect(await asked(world, b.vsa.budget('seat', ONE).admit())).toBe(false)
  })

  test('F7: T8: an owner that learns of it by `fenced` remembers it', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready({ exchangeTimeoutMs: 300 }), await world.ready()]
    const forget = world.mark()
    a.net.inject('exchange', { kind: 'lost_answer' })
    const admitted = a.vsa.budget('seat', ONE).admit()
    await world.clock.advance(100)
    world.reap(a)
    b.vsa.counter('c').add()
    expect(await asked(world, admitted)).toBe(true)
    expect(told(a, 'fenced')).toBe(1)
    forget()
    await world.thaw()
    expect(await asked(world, b.vsa.budget('seat', ONE).admit())).toBe(false)
  })

  test('F10: T10: it forgets the restating, too: the freeze starts anew, and the row is restated again', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    const forget = world.mark()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    forget()
    await world.clock.advance(KEEPALIVE_MS)
    expect(await world.row('seat')).toMatchObject({ burned: 1 })
    await world.clock.advance(4_000)
    forget()
    await world.clock.advance(TTL_MS - 1_000)
    expect(await asked(world, b.vsa.budget('seat', ONE).admit())).toBe('store_unavailable')
    await world.thaw()
    expect(await asked(world, b.vsa.budget('seat', ONE).admit())).toBe(false)
    expect(told(a, 'store_forgot')).toBe(2)
  })

  test('F8: T5: an answer that was longer under way than a lease lives tells nothing', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    const forget = world.mark()
    a.net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: TTL_MS + 2_000 })
    const late = a.vsa.budget('seat', ONE).admit(1, { deadlineMs: 60_000 }).catch(codeOf)
    await world.clock.advance(100)
    expect(await world.row('seat')).toMatchObject({ used: 1 })
    forget()
    const seat = b.vsa.budget('seat', ONE)
    b.vsa.counter('c').add()
    await world.clock.advance(TTL_MS + 500)
    expect(await asked(world, seat.admit(), 500)).toBe(true)
    await world.clock.advance(5_000)
    expect(await late).toBe(false)
  })

  test('F3: with onStoreUnavailable `deny` the request is denied as unavailable, without figures', async () => {
    const world = forgetful()
    const a = await world.ready({ onStoreUnavailable: 'deny' })
    world.past.forget(1)
    const decision = a.vsa.budget('seat', ONE).decide()
    await world.clock.advance(1_100)
    expect(await decision).toMatchObject({ admitted: false, reason: 'unavailable' })
  })

  test('F3: a request that may wait is granted once the freeze is over, and asks the store no more in between', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    world.past.forget(1)
    b.vsa.counter('c').add()
    await world.clock.advance(FLUSH_MS)
    const waiting = a.vsa.budget('seat', ONE).admit(1, { deadlineMs: 60_000 })
    const { exchanges } = a.vsa.stats()
    expect(await asked(world, waiting, TTL_MS + 1_000)).toBe(true)
    expect(a.vsa.stats().exchanges - exchanges).toBeLessThan(8)
  })

  test('F3, O13: an engine that closes while the store is frozen tells its waiters that nothing was spent', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    world.past.forget(1)
    b.vsa.counter('c').add()
    await world.clock.advance(FLUSH_MS)
    const waiting = a.vsa
      .budget('seat', ONE)
      .admit(1, { deadlineMs: 60_000 })
      .catch((cause: unknown) => cause)
    await world.clock.advance(500)
    const closed = a.vsa.close()
    await world.clock.advance(1_000)
    expect(await waiting).toMatchObject({ code: 'store_unavailable', applied: 'no' })
    await closed
  })
})

describe('a store forgets a lease', () => {
  const CREDITS = { initial: 4, atRisk: 4 } as const

  /** An owner with a lease on all of it, which the result makes the store forget. */
  async function leased(): Promise<ForgettingBench & { a: Owner; b: Owner; forget: () => number }> {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    const forget = world.mark()
    const credits = a.vsa.budget('credits', CREDITS)
    credits.tryAdmit(4)
    await world.clock.advance(50)
    expect(a.vsa.stats().leasedUnits).toBe(4)
    return { ...world, a, b, forget }
  }

  test('F3: T2: no lease grows for one lease lifetime; then what was leased is gone, whether it was spent or not', async () => {
    const { a, b, forget, ...world } = await leased()
    expect(a.vsa.budget('credits', CREDITS).tryAdmit()).toBe(true)
    forget()
    const credits = b.vsa.budget('credits', CREDITS)
    for (let ms = 0; ms < TTL_MS + KEEPALIVE_MS; ms += 250) {
      expect(credits.tryAdmit()).toBe(false)
      await world.clock.advance(250)
    }
    expect(await world.row('credits')).toMatchObject({ burned: 4, pool: 0 })
    expect(a.vsa.budget('credits', CREDITS).tryAdmit()).toBe(false)
  })

  test('F8: leases stop 0.9 lease lifetimes after the last answered attempt was sent, and go on with the next answer', async () => {
    const world = forgetful()
    const a = await world.ready()
    const credits = a.vsa.budget('many', { initial: 100, atRisk: 50 })
    credits.tryAdmit(50)
    await world.clock.advance(50)
    expect(credits.tryAdmit(10)).toBe(true)
    a.net.cut('refuse')
    await world.clock.advance(0.9 * TTL_MS - 100)
    expect(credits.tryAdmit()).toBe(true)
    await world.clock.advance(60)
    expect(credits.tryAdmit()).toBe(false)
    expect(await asked(world, credits.admit())).toBe('store_unavailable')
    a.net.heal()
    await world.clock.advance(2_000)
    credits.tryAdmit()
    await world.clock.advance(50)
    expect(credits.tryAdmit()).toBe(true)
    expect(told(a, 'fenced')).toBe(0)
  })

  test('F4, F8: a store that may forget only since its owner joined tells it: from that answer on the owner remembers, and its leases stop', async () => {
    const world = forgetful()
    const a = world.owner({ exchangeTimeoutMs: 30_000, deadlineMs: 1_000 }, 'refuse')
    const [join, exchange] = [a.net.join.bind(a.net), a.net.exchange.bind(a.net)]
    let isTold = false
    a.net.join = async (label) => ({ ...(await join(label)), mayForget: false })
    a.net.exchange = async (batch) => {
      const answer = await exchange(batch)
      return isTold && answer.kind === 'applied' ? { ...answer, mayForget: true } : answer
    }
    a.net.heal()
    await world.clock.advance(2_000)
    const many = a.vsa.budget('many', { initial: 100, atRisk: 50 })
    many.tryAdmit(50)
    await world.clock.advance(50)
    expect(many.tryAdmit(10)).toBe(true)
    a.net.cut('refuse')
    await world.clock.advance(0.5 * TTL_MS)
    expect(many.tryAdmit(10)).toBe(true)
    await world.clock.advance(0.45 * TTL_MS)
    expect(many.tryAdmit()).toBe(true)
    a.net.heal()
    await world.clock.advance(2_000)
    isTold = true
    const forget = world.mark()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    a.net.cut('refuse')
    await world.clock.advance(0.95 * TTL_MS)
    expect(many.tryAdmit()).toBe(false)
    forget()
    a.net.heal()
    await world.clock.advance(KEEPALIVE_MS)
    expect(await world.row('seat')).toMatchObject({ burned: 1, pool: 0, used: 0 })
  })

  test('F9: a row that is gone under a lease: the owner joins again, restates what it knows, and says so', async () => {
    const { a, past, ...world } = await leased()
    past.rows.removeBudget({ key: 'credits', period: 0 })
    for (const lease of past.rows.leasesOn({ key: 'credits', period: 0 })) past.rows.saveLease({ ...lease, held: 0 })
    a.vsa.budget('credits', CREDITS).tryAdmit()
    await world.clock.advance(1_000)
    expect([told(a, 'row_lost'), told(a, 'store_forgot'), told(a, 'fenced')]).toEqual([1, 1, 1])
    expect(await world.row('credits')).toMatchObject({ minted: 4, burned: 4, pool: 0 })
    expect(a.vsa.stats().leasedUnits).toBe(0)
  })
})

describe('the epoch itself is forgotten', () => {
  test('F1: T4: another owner gets its number; it is told its own outcome, and the first owner that its own is not known', async () => {
    const world = forgetful()
    const forget = world.mark()
    const a = await world.ready()
    forget()
    const b = await world.ready()
    expect(b.vsa.stats().epoch).toBe(a.vsa.stats().epoch)
    const asks = [a, b].map(({ vsa }) => vsa.budget('seat', ONE).admit(1, { deadlineMs: 60_000 }).catch(codeOf))
    await world.clock.advance(2 * TTL_MS)
    expect(await Promise.all(asks)).toEqual(['store_unavailable', true])
    expect(await world.row('seat')).toMatchObject({ used: 1, pool: 0 })
  })

  test('F2, O5: a batch of before is not applied; its requests and additions move to the next epoch, and its refunds are given up', async () => {
    const world = forgetful()
    const a = await world.ready()
    const seats = a.vsa.budget('seats', { initial: 5 })
    expect(await asked(world, seats.admit(3))).toBe(true)
    await world.clock.advance(2_000)
    world.past.forget(0)
    seats.refund(2)
    a.vsa.counter('c').add(7)
    const more = seats.admit(1, { deadlineMs: 60_000 })
    expect(await asked(world, more, TTL_MS + 2_000)).toBe(true)
    expect(await world.row('seats')).toMatchObject({ minted: 5, used: 4, pool: 1, burned: 0 })
    expect(told(a, 'refunds_refused')).toBe(1)
    expect(
      await asked(
        world,
        a.vsa
          .counter('c')
          .read()
          .then((sum) => sum === 7),
      ),
    ).toBe(true)
    expect(told(a, 'additions_lost')).toBe(0)
  })

  test('F9: an epoch that ended by itself before the store forgot: the next join shows the other incarnation', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    world.reap(a)
    b.vsa.counter('c').add()
    await world.clock.advance(FLUSH_MS)
    a.net.inject('join', { kind: 'refused' })
    a.vsa.counter('c').add()
    await world.clock.advance(FLUSH_MS + 1)
    world.past.forget(0)
    await world.clock.advance(1_000)
    expect([told(a, 'fenced'), told(a, 'store_forgot')]).toEqual([1, 1])
  })
})

describe('what is remembered', () => {
  test('F6, F4: an owner that holds nothing exchanges every third of a lease lifetime, until nothing can be forgotten any more', async () => {
    const world = forgetful()
    const a = await world.ready()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit(), 0)).toBe(true)
    const sent = a.batches.length
    await world.clock.advance(KEEPALIVE_MS)
    expect(a.batches.length - sent).toBe(1)
    await world.clock.advance(5 * TTL_MS)
    expect(a.batches.length - sent).toBeGreaterThanOrEqual(3)
    expect(a.batches.length - sent).toBeLessThanOrEqual(4)
  })

  test('F4, O6: on a store that never forgets nothing is remembered, and an owner that holds nothing is silent', async () => {
    const world = bench()
    const a = world.owner()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit(), 50)).toBe(true)
    const sent = a.batches.length
    await world.clock.advance(5 * TTL_MS)
    expect(a.batches.length).toBe(sent)
  })

  test('F5: more rows than one exchange carries are restated before any request is', async () => {
    const world = forgetful()
    Object.assign(world.books.capabilities, { batchMax: 2 })
    const a = await world.ready()
    const forget = world.mark()
    const keys = ['a', 'b', 'c', 'd', 'e']
    expect(
      await asked(
        world,
        Promise.all(keys.map((key) => a.vsa.budget(key, ONE).admit())).then((all) => all.every(Boolean)),
      ),
    ).toBe(true)
    forget()
    const sent = a.batches.length
    const more = a.vsa.budget('f', ONE).admit(1, { deadlineMs: 60_000 })
    await world.clock.advance(2_000)
    const after = a.batches.slice(sent + 1)
    expect(after.slice(0, 3).map(({ entries, takes }) => [entries.length, takes.length])).toEqual([
      [2, 0],
      [2, 0],
      [1, 0],
    ])
    for (const key of keys) expect(await world.row(key)).toMatchObject({ burned: 1, pool: 0 })
    expect(await asked(world, more, TTL_MS)).toBe(true)
  })

  test('F5, S6: a row that does not balance is left out, and the others are restated', async () => {
    const world = forgetful()
    const [a, b] = [await world.ready(), await world.ready()]
    const forget = world.mark()
    for (const key of ['bad', 'good']) expect(await asked(world, a.vsa.budget(key, ONE).admit())).toBe(true)
    forget()
    const exchange = a.net.exchange.bind(a.net)
    a.net.exchange = async (batch) => {
      if (!batch.entries.some((entry) => entry.kind === 'budget' && entry.key === 'bad')) return exchange(batch)
      return { kind: 'breach', time: world.clock.now(), row: { key: 'bad', period: 0 }, detail: 'planted' }
    }
    await world.thaw()
    expect(await world.row('good')).toMatchObject({ burned: 1 })
    expect(await asked(world, b.vsa.budget('good', ONE).admit())).toBe(false)
  })

  test('F5, O13: an engine that closes restates first', async () => {
    const world = forgetful()
    const a = await world.ready()
    const forget = world.mark()
    expect(await asked(world, a.vsa.budget('seat', ONE).admit())).toBe(true)
    forget()
    const closed = a.vsa.close()
    await world.clock.advance(1_000)
    await closed
    expect(await world.row('seat')).toMatchObject({ burned: 1, pool: 0 })
  })
})
