import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leapMaxOf, StoreClock } from '../../src/core/store-clock.ts'

const HOUR_MS = 3_600_000
const LEASE_TTL_MS = 10_000
const LEAP_MS = leapMaxOf(LEASE_TTL_MS)

/** A file's latest time, and several handles on it, each with its own clock offset. */
function file(...offsets: number[]): {
  seen: number
  now: number
  offsets: number[]
  read(handle?: number, isKept?: boolean): number
} {
  const clocks = offsets.map(
    (_, handle) => new StoreClock(() => books.now + (books.offsets[handle] ?? 0), LEASE_TTL_MS),
  )
  const books = {
    seen: 0,
    now: 10 * HOUR_MS,
    offsets,
    read(handle = 0, isKept = true): number {
      const clock = clocks[handle]
      if (clock === undefined) throw new Error(`no handle ${handle}`)
      const { time } = clock.read(books.seen)
      if (isKept) {
        books.seen = Math.max(books.seen, time)
        clock.kept()
      }
      return time
    },
  }
  return books
}

describe('store time', () => {
  test('S1: store time is the wall clock in whole ms', () => {
    const books = file(0)
    expect(books.read()).toBe(10 * HOUR_MS)
    books.now += 0.9
    expect(books.read()).toBe(10 * HOUR_MS)
    books.now += 70_000.2
    expect(books.read()).toBe(10 * HOUR_MS + 70_001)
  })

  test('S1: after the clock is set back, store time advances at half speed until the clock has caught up', () => {
    const books = file(60_000)
    const ahead = books.read()
    books.offsets = [0]
    expect(books.read()).toBe(ahead)
    for (let second = 1; second < 119; second += 1) {
      books.now += 1_000
      expect(books.read()).toBe(ahead + second * 500)
    }
    books.now += 1_000
    expect(books.read()).toBe(books.now)
    books.now += 5_000
    expect(books.read()).toBe(books.now)
  })

  test('S1: short steps add up without rounding loss', () => {
    const books = file(HOUR_MS)
    const ahead = books.read()
    books.offsets = [0]
    books.read()
    for (let step = 0; step < 4_000; step += 1) {
      books.now += 0.25
      books.read()
    }
    expect(books.read()).toBe(ahead + 500)
  })

  test('S1: a new handle begins at the latest stored time', () => {
    const books = file(HOUR_MS, 0)
    const ahead = books.read(0)
    books.now += 5_000
    expect(books.read(1)).toBe(ahead)
    books.now += 5_000
    expect(books.read(1)).toBe(ahead + 2_500)
  })

  test('S1: many handles do not advance store time faster than one', () => {
    const books = file(HOUR_MS, 0, 0, 0)
    const ahead = books.read(0)
    books.offsets = [0, 0, 0, 0]
    for (const handle of [0, 1, 2, 3]) books.read(handle)
    for (let step = 1; step <= 400; step += 1) {
      books.now += 10
      expect(books.read(step % 4)).toBe(ahead + step * 5)
    }
  })

  test('S1 S8: while store time is ahead, no step exceeds the bound, nor a third of the lease lifetime', () => {
    expect([1, 9_002, 15_000, HOUR_MS].map(leapMaxOf)).toEqual([1, 3_000, 5_000, 5_000])
    for (const [passedMs, goneOnMs] of [
      [2 * LEAP_MS, LEAP_MS],
      [2 * LEAP_MS + 2, LEAP_MS],
      [HOUR_MS - 1, LEAP_MS],
    ] as const) {
      const books = file(2 * HOUR_MS)
      const ahead = books.read()
      books.offsets = [0]
      books.read()
      books.now += passedMs
      expect(books.read()).toBe(ahead + goneOnMs)
    }
  })

  test('S1: a clock that is set back again does not move store time back, and the lost time is not made up', () => {
    const books = file(HOUR_MS)
    const ahead = books.read()
    books.offsets = [0]
    books.read()
    books.now += 1_000
    expect(books.read()).toBe(ahead + 500)
    books.offsets = [-HOUR_MS]
    expect(books.read()).toBe(ahead + 500)
    books.now += 1_000
    expect(books.read()).toBe(ahead + 1_000)
  })

  test('S1 S10: a transaction that was not stored does not advance store time', () => {
    const books = file(HOUR_MS)
    const ahead = books.read()
    books.offsets = [0]
    books.read()
    books.now += 1_000
    expect(books.read(0, false)).toBe(ahead + 500)
    books.now += 1_000
    expect(books.read(0, false)).toBe(ahead + 1_000)
    expect(books.read()).toBe(ahead + 1_000)
  })

  test('S1 L5: for any clocks, store time never goes back, follows a clock that is not behind, and takes no step above the bound', () => {
    const step = fc.record({
      handle: fc.nat(2),
      passedMs: fc.oneof(fc.nat(50), fc.nat(20_000)),
      isKept: fc.boolean(),
      jump: fc.option(fc.record({ handle: fc.nat(2), toMs: fc.integer({ min: -HOUR_MS, max: HOUR_MS }) }), {
        nil: undefined,
        freq: 6,
      }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const books = file(0, 0, 0)
        for (const { handle, passedMs, isKept, jump } of steps) {
          if (jump !== undefined) books.offsets = books.offsets.with(jump.handle, jump.toMs)
          books.now += passedMs
          const { seen } = books
          const clock = books.now + (books.offsets[handle] ?? 0)
          const time = books.read(handle, isKept)
          expect(time).toBeGreaterThanOrEqual(seen)
          expect(time).toBeGreaterThanOrEqual(clock)
          if (clock >= seen) expect(time).toBe(clock)
          else expect(time).toBeLessThanOrEqual(seen + LEAP_MS)
        }
      }),
    )
  })

  test('S1: after all clocks are set back once, handles in any order never advance store time faster than half speed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(3_000), fc.boolean()), { maxLength: 80 }), (steps) => {
        const books = file(HOUR_MS, HOUR_MS, HOUR_MS)
        const ahead = books.read()
        books.offsets = [0, 0, 0]
        const from = books.now
        for (const [handle, passedMs, isKept] of steps) {
          books.now += passedMs
          expect(books.read(handle, isKept)).toBeLessThanOrEqual(ahead + (books.now - from) / 2)
        }
      }),
    )
  })
})
