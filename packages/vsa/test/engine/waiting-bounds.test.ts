import { describe, expect, test, vi } from 'vitest'
import { ClockEviction } from '../../src/engine/budget/clock-eviction.ts'
import { FamilyRegistry } from '../../src/engine/budget/family-registry.ts'
import { PolicyCache } from '../../src/engine/budget/policy-cache.ts'
import type { SlowPath } from '../../src/engine/budget/slow-path.ts'
import type { Gate } from '../../src/engine/budget/gate.ts'
import { Metrics } from '../../src/engine/runtime/metrics.ts'
import { MetricsTable } from '../../src/engine/runtime/metrics-table.ts'
import { PendingCalls } from '../../src/engine/requests/pending-calls.ts'
import { PendingRequest, RequestTerms } from '../../src/engine/requests/pending-request.ts'
import { WaitQueue } from '../../src/engine/requests/wait-queue.ts'
import { CallList } from '../../src/engine/runtime/call-list.ts'
import { manualClock } from '../../src/testing/index.ts'
import { bench, codeOf } from './fixture.ts'

const LEASED = { limit: 1_000, per: 'month', atRisk: 60 } as const

class Untold extends PendingRequest {
  tell(): void {}
}

function requestOf(deadlineMs: number): PendingRequest {
  return new Untold(new RequestTerms([], false, deadlineMs))
}

describe('calls that wait', () => {
  test('aborted requests leave the line at once, also while the store hangs', async () => {
    const clock = manualClock()
    const metrics = new Metrics()
    const waiting = new WaitQueue(clock, metrics, () => ({ kind: 'unaccounted' }))
    for (const add of ['queue', 'park', 'read'] as const) {
      const kept = requestOf(10)
      const put = (request: PendingRequest): void => {
        if (add === 'read') waiting.read(request)
        else waiting.add(request)
        if (add !== 'park') return
        waiting.drain((drained) => (waiting.park(drained), true))
      }
      put(kept)
      for (let call = 0; call < 20_000; call += 1) {
        const request = requestOf(10)
        put(request)
        waiting.abort(request, new Error('gone'))
      }
      expect(metrics.waiters).toBe(1)
      expect(waiting.size).toBeLessThan(100)
      waiting.resolve(kept, { kind: 'unaccounted' })
    }
  })

  test('mints, counter reads, flushes, peeks and `ready` count as waiters: one too many fails at once', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner({ waitersMax: 10, deadlineMs: 300 })
    const seats = vsa.budget('seats', { initial: 0 })
    await seats.mint(1, { id: 'first' })
    net.cut('hang')
    const calls: Record<string, () => Promise<unknown>> = {
      mint: () => seats.mint(1, { id: 'more' }),
      read: () => vsa.counter('likes').read(),
      flush: () => vsa.flush(),
      peek: () => seats.peek(),
    }
    for (const [name, call] of Object.entries(calls)) {
      const waiting = Array.from({ length: 10 }, () => call().catch(codeOf))
      await expect(call(), name).rejects.toMatchObject({ code: 'too_many_waiters', statusCode: 503, applied: 'no' })
      await expect(seats.admit(), name).rejects.toMatchObject({ code: 'too_many_waiters' })
      expect(vsa.stats().waiters).toBe(10)
      await clock.advance(300)
      for (const code of await Promise.all(waiting)) expect(['timeout', 'store_unavailable'], name).toContain(code)
      expect(vsa.stats().waiters).toBe(0)
    }
    const late = owner({ waitersMax: 3, deadlineMs: 300 }, 'hang')
    const ready = Array.from({ length: 3 }, () => late.vsa.ready().catch(codeOf))
    await expect(late.vsa.ready()).rejects.toMatchObject({ code: 'too_many_waiters' })
    await clock.advance(300)
    expect(new Set(await Promise.all(ready))).toEqual(new Set(['timeout']))
  })

  test('calls that have timed out do not stay in their lists while the store hangs', () => {
    const clock = manualClock()
    const metrics = new Metrics()
    const calls = new PendingCalls({ clock, waitersMax: 3 }, metrics)
    const list = new CallList<{ readonly settled: boolean; reject(error: unknown): void }>(({ settled }) => settled)
    const kept = calls.open<void>({ deadlineMs: 1, timedOut: () => new Error('late') })
    list.add(kept)
    for (let call = 0; call < 10_000; call += 1) {
      const more = calls.open<void>({ deadlineMs: 1, timedOut: () => new Error('late') })
      more.promise.catch(() => undefined)
      list.add(more)
      more.reject(new Error('late'))
    }
    expect(metrics.calls).toBe(1)
    expect(list.length).toBeLessThanOrEqual(40)
    expect(list.takeFirst()).toBe(kept)
    expect(list.takeFirst()).toBeNull()
    list.add(kept)
    list.putBack([kept])
    expect(list.takeAll()).toEqual([kept, kept])
    kept.resolve()
  })

  test('L3: 500 mints on one key are answered one exchange each, and other requests ride along', async () => {
    const { owner, row } = bench()
    const { vsa } = owner()
    const credits = vsa.budget('credits', { initial: 0 })
    const minted = await Promise.all(Array.from({ length: 500 }, (_, at) => credits.mint(2, { id: `m${at}` })))
    expect(minted.every(Boolean)).toBe(true)
    expect(await row('credits')).toMatchObject({ minted: 1_000 })
    expect(vsa.stats().exchanges).toBeLessThanOrEqual(501)
  })
})

describe('what is kept while the store is away', () => {
  test('changes of `budgetsMax` budgets and counters are kept, one more is refused, and all that was accepted is sent', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner({ budgetsMax: 50, deadlineMs: 100 })
    const seats = vsa.budgets('seats', { initial: 9 })
    for (let id = 0; id < 60; id += 1) await seats.of(String(id)).admit(2)
    net.cut('refuse')
    vsa.counter('c0').add()
    await clock.advance(200)
    const refused = (call: () => void): boolean => {
      try {
        call()
        return false
      } catch (error) {
        expect(error).toMatchObject({ code: 'store_unavailable', statusCode: 503, applied: 'no' })
        return true
      }
    }
    let accepted = 0
    for (let id = 1; id < 10_000; id += 1) if (!refused(() => vsa.counter(`c${id}`).add())) accepted += 1
    expect(accepted).toBeLessThanOrEqual(50)
    expect(accepted).toBeGreaterThan(40)
    expect(vsa.stats().counters).toBeLessThanOrEqual(200)
    expect(vsa.stats().operations).toBe(60 + 1 + accepted)
    // A counter that has a change takes more.
    for (let add = 0; add < 100; add += 1) vsa.counter('c1').add()
    expect(refused(() => seats.of('7').refund(1))).toBe(true)
    expect(vsa.stats().refundedUnits).toBe(0)
    await expect(seats.of('8').mint(1, { id: 'x' })).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(vsa.counter('c9999').read()).rejects.toMatchObject({ code: 'store_unavailable' })
    net.heal()
    await clock.advance(5_000)
    expect(await vsa.counter('c1').read()).toBe(101)
    seats.of('7').refund(1)
    await vsa.flush()
    expect(await row('seats:7')).toMatchObject({ used: 1 })
  })

  test('refunds are bounded also before the first join', async () => {
    const { clock, owner } = bench()
    const late = owner({ budgetsMax: 20 }, 'refuse')
    await clock.settle()
    const seats = late.vsa.budgets('seats', LEASED)
    for (let id = 0; id < 20; id += 1) seats.of(String(id)).refund(1)
    seats.of('3').refund(1)
    expect(() => seats.of('20').refund(1)).toThrow(expect.objectContaining({ code: 'store_unavailable' }) as Error)
    expect(late.vsa.stats().refundedUnits).toBe(21)
  })
})

/** How many walks over maps of thousands of entries begin while it runs. */
function longWalks(run: () => void): number {
  let walks = 0
  const spies = (['keys', 'values', 'entries', 'forEach', Symbol.iterator] as const).map((name) => {
    const walk: (...values: never[]) => unknown = Map.prototype[name]
    return vi.spyOn(Map.prototype, name).mockImplementation(function (
      this: Map<unknown, unknown>,
      ...values: unknown[]
    ) {
      if (this.size > 1_000) walks += 1
      return Reflect.apply(walk, this, values) as MapIterator<never>
    })
  })
  try {
    run()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return walks
}

describe('what is kept of names', () => {
  test('L9: a new counter costs about the same beyond `budgetsMax`, and no addition is lost', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner({ budgetsMax: 40_000 })
    const addFrom = (from: number): number =>
      longWalks(() => {
        for (let id = from; id < from + 40_000; id += 1) vsa.counter(`c${id}`).add()
      })
    expect(addFrom(0)).toBe(0)
    await clock.advance(150)
    // The hand goes around now and then. A walk for each counter passes all that was evicted before.
    expect(addFrom(40_000)).toBeLessThanOrEqual(10)
    await clock.advance(150)
    expect(vsa.stats().counters).toBeLessThanOrEqual(80_000)
    expect(await vsa.counter('c0').read()).toBe(1)
    expect(await vsa.counter('c79999').read()).toBe(1)
  })

  test('a name is forgotten with the last of its budgets, and a handle that outlives it leads to the key’s one gate', () => {
    const slowPath = {} as SlowPath<Gate>
    const eviction = new ClockEviction({ max: 100, isIdle: () => true, drop: () => undefined })
    const families = new FamilyRegistry({
      slowPath,
      metrics: new MetricsTable(),
      eviction,
      policies: new PolicyCache(),
    })
    const kept = families.declare('kept', LEASED)
    const early = families.single('tenant-0:x', LEASED)
    for (let tenant = 1; tenant < 20_000; tenant += 1) families.single(`tenant-${tenant}:x`, LEASED)
    expect(families.size).toBeLessThanOrEqual(110)
    expect(families.declare('kept', LEASED)).toBe(kept)
    expect(early.isEvicted).toBe(true)
    const fresh = families.single('tenant-0:x', LEASED)
    expect(fresh).not.toBe(early)
    expect(early.family.live(early)).toBe(fresh)
    for (let tenant = 1; tenant < 1_000; tenant += 1) families.single(`tenant-${tenant}:x`, LEASED)
    expect(fresh.isEvicted).toBe(true)
    const live = early.family.live(early)
    expect(live.isEvicted).toBe(false)
    expect(fresh.family.live(fresh)).toBe(live)
    expect(families.single('tenant-0:x', LEASED)).toBe(live)
    expect(() => families.single('bad:x', { limit: -1, per: 'month' })).toThrow(RangeError)
    const { size } = families
    for (let bad = 0; bad < 100; bad += 1)
      expect(() => families.single(`bad-${bad}:x`, { limit: -1, per: 'month' })).toThrow(RangeError)
    expect(families.size).toBe(size)
  })
})
