import { describe, expect, test } from 'vitest'
import type { Take } from '../../src/core/exchange.ts'
import { changedAdapter } from '../../src/core/changed-adapter.ts'
import { ONE_INCARNATION } from '../../src/core/life.ts'
import { SweepSize } from '../../src/core/reservations/sweep-size.ts'
import { storeFrom } from '../../src/store-from.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { asking, seats } from './books-fixture.ts'

/** The sizes of `times` sweeps, each of which costs so much by itself and for each reservation, in ms. */
function sizesOf(times: number, fixedMs: number, eachMs: number): readonly number[] {
  const size = new SweepSize()
  return Array.from({ length: times }, () => {
    const { count } = size
    size.took(fixedMs + count * eachMs)
    return count
  })
}

describe('the size of a sweep', () => {
  test('R3, L8: stays small while 10,000 a second are kept, so that an exchange waits for little', () => {
    expect(new Set(sizesOf(100, 0.4, 0.03))).toEqual(new Set([50]))
  })

  test('R3, L8: grows on a slow disk until a sweep takes 5 ms, and not beyond', () => {
    const sizes = sizesOf(100, 3, 0.02)
    expect(Math.max(...sizes)).toBeGreaterThan(90)
    // One sweep passes the bound, and the next one is half as large.
    for (const [at, size] of sizes.entries())
      if (3 + size * 0.02 > 5) expect(sizes[at + 1] ?? 0).toBeLessThanOrEqual(size / 2)
    // A quarter more than the largest that is within it.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(125)
  })

  test('R3: is from 50 to 125, whatever a sweep took', () => {
    expect(sizesOf(20, 10_000, 0).at(-1)).toBe(50)
    expect(new Set(sizesOf(20, 0, 0))).toEqual(new Set([50]))
    expect(sizesOf(20, 5, 0).at(-1)).toBe(124)
    expect(Math.max(...sizesOf(1_000, 4.999, 0), ...sizesOf(1_000, 0, 0.05001))).toBeLessThanOrEqual(125)
  })

  test('R3, L8: is small again once the disk is fast again', () => {
    const size = new SweepSize()
    for (let times = 0; times < 10; times += 1) size.took(4)
    expect(size.count).toBeGreaterThan(70)
    for (let times = 0; times < 10; times += 1) size.took(1)
    expect(size.count).toBe(50)
  })

  test('R3, L8: a store takes the time of its sweeps by its own clock, and asks for as many', async () => {
    const asked: number[] = []
    let [now, sweepMs] = [1_000_000, 4]
    const memory = new MemoryAdapter(() => now, 86_400_000)
    const loadSweep = (max: number): ReturnType<MemoryAdapter['loadSweep']> => {
      asked.push(max)
      now += sweepMs
      return memory.loadSweep(max)
    }
    const store = storeFrom(changedAdapter(memory, { loadSweep }), { now: () => now, newToken: () => 'token' })
    const { epoch } = await store.join('test')
    const caller = { epoch, token: 'token', seq: 1 }
    const take = (at: number): Take => ({
      need: [[0, 1]],
      n: 1,
      remember: { id: `r${at}`, as: 'reservation', ttlMs: 1, onExpire: 'return' },
    })
    const batch = { ...caller, incarnation: ONE_INCARNATION, close: false }
    const entries = [asking('a', { policy: seats(1_000) })]
    await store.exchange({ ...batch, entries, takes: Array.from({ length: 1_000 }, (_, at) => take(at)) })
    now += 10_000
    for (let times = 0; times < 3; times += 1) await store.upkeep?.(caller)
    sweepMs = 6
    for (let times = 0; times < 3; times += 1) await store.upkeep?.(caller)
    expect(asked).toEqual([50, 63, 79, 99, 50, 50])
    expect((await store.read([{ key: 'a', period: 0 }]))[0]?.reserved).toBe(
      1_000 - asked.reduce((sum, n) => sum + n, 0),
    )
  })
})
