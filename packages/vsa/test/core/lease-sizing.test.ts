import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lowWaterOf, nextHold, type LeaseDemand } from '../../src/core/lease-sizing.ts'

/** A row with no limit on its leases, and an idle owner that flushes every 100 ms on a store that answers at once. */
function holdAfter(demand: Partial<LeaseDemand>): number {
  return nextHold({
    hold: 64,
    spent: 0,
    elapsedMs: 100,
    flushIntervalMs: 100,
    exchangeMs: 0,
    atRisk: 1_000_000,
    available: Infinity,
    others: 0,
    ...demand,
  })
}

describe('O7: the next lease', () => {
  test('the first lease is enough for a handful of requests', () => {
    expect(holdAfter({ hold: 0 })).toBe(8)
    expect(holdAfter({ hold: 0, spent: 4 })).toBe(8)
    expect(holdAfter({ hold: 0, spent: 5 })).toBe(16)
  })

  test.each([
    [32, 64],
    [33, 128],
    [64, 128],
    [65, 256],
    [129, 512],
    [256, 512],
    [257, 512],
    [1_000_000, 512],
  ])(
    'a lease of 64, with %d spent in one flush interval, becomes one of %d: by a factor of 2, 4 or 8',
    (spent, hold) => {
      expect(holdAfter({ spent })).toBe(hold)
    },
  )

  test('a burst of a few ms grows the lease by a factor of 2, or by more only when more was spent', () => {
    expect(holdAfter({ spent: 10, elapsedMs: 5 })).toBe(128)
    expect(holdAfter({ spent: 100, elapsedMs: 5 })).toBe(256)
    expect(holdAfter({ spent: 1, elapsedMs: 0 })).toBe(64)
    expect(holdAfter({ spent: 2, elapsedMs: 0 })).toBe(128)
  })

  test('spending over a long time counts as a rate per interval', () => {
    expect(holdAfter({ spent: 320, elapsedMs: 1_000 })).toBe(64)
    expect(holdAfter({ spent: 330, elapsedMs: 1_000 })).toBe(512)
  })

  test('a lease also covers a slow exchange, which does not count as a burst', () => {
    expect(holdAfter({ spent: 33, exchangeMs: 0, elapsedMs: 100 })).toBe(128)
    expect(holdAfter({ spent: 20, exchangeMs: 50, elapsedMs: 100 })).toBe(64)
    expect(holdAfter({ spent: 22, exchangeMs: 50, elapsedMs: 100 })).toBe(128)
    expect(holdAfter({ spent: 32, exchangeMs: 100, elapsedMs: 10 })).toBe(128)
    expect(holdAfter({ spent: 16, exchangeMs: 100, elapsedMs: 10 })).toBe(64)
  })

  test('a lease that is four times too large shrinks by a factor of 2, and never below the first lease', () => {
    expect(holdAfter({ spent: 8 })).toBe(64)
    expect(holdAfter({ spent: 7 })).toBe(32)
    expect(holdAfter({ hold: 37, spent: 0 })).toBe(18)
    expect(holdAfter({ hold: 32, spent: 0 })).toBe(32)
  })

  test('a lease is never above atRisk, nor above an equal share of the units left in the row', () => {
    expect(holdAfter({ spent: 1_000, atRisk: 100 })).toBe(100)
    expect(holdAfter({ spent: 1_000, available: 90 })).toBe(90)
    expect(holdAfter({ spent: 1_000, available: 91, others: 2 })).toBe(31)
    expect(holdAfter({ spent: 1_000, available: -5 })).toBe(0)
  })

  test('for any input, the next lease is a number of units within its bounds', () => {
    const units = fc.nat(1_000_000)
    const ms = fc.double({ min: 0, max: 100_000, noNaN: true })
    const demands = fc.record({
      hold: units,
      spent: units,
      elapsedMs: ms,
      flushIntervalMs: fc.integer({ min: 1, max: 60_000 }),
      exchangeMs: ms,
      atRisk: units,
      available: fc.oneof(units, fc.constant(Infinity), fc.integer({ min: -100, max: 0 })),
      others: fc.nat(100),
    })
    fc.assert(
      fc.property(demands, (demand) => {
        const hold = nextHold(demand)
        const before = Math.max(demand.hold, 8)
        expect(Number.isSafeInteger(hold) && hold >= 0).toBe(true)
        expect(hold).toBeLessThanOrEqual(Math.min(demand.atRisk, 8 * before))
        expect(hold * (demand.others + 1)).toBeLessThan(Math.max(demand.available, 0) + demand.others + 1)
        if (demand.atRisk >= before && demand.available === Infinity)
          expect(hold).toBeGreaterThanOrEqual(Math.floor(before / 2))
      }),
    )
  })
})

test('O8: the low-water mark of a lease is a quarter of it', () => {
  expect([256, 10, 4, 3, 0].map(lowWaterOf)).toEqual([64, 2, 1, 0, 0])
})
