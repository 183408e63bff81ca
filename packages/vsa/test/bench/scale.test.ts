import { expect, test } from 'vitest'
import { crashLoss } from '../../../../bench/src/scale/crash-loss.ts'
import { costOf, type Load } from '../../../../bench/src/scale/offered-load.ts'
import { underUse } from '../../../../bench/src/scale/under-use.ts'

/* `npm run bench:scale` measures these with larger sizes. */

const LOAD: Load = {
  operations: 10_000,
  keys: 8,
  owners: 1,
  durationMs: 1_000,
  flushIntervalMs: 100,
  strength: 'leased',
}

test('L7: ten times the operations on the same keys write as many records', async () => {
  const [few, many] = [await costOf(LOAD), await costOf({ ...LOAD, operations: 100_000 })]
  expect([few.balanced, many.balanced]).toEqual([true, true])
  expect(few.records).toBeLessThanOrEqual(8 * 12)
  // One more flush of each key, while its lease grows.
  expect(many.records).toBeLessThanOrEqual(few.records + 8)
  expect(many.exchanges).toBeLessThanOrEqual(few.exchanges + 4)
})

test('L7: each owner flushes by itself, and a longer interval costs less', async () => {
  const one = await costOf(LOAD)
  const four = await costOf({ ...LOAD, owners: 4 })
  expect(four.exchanges / one.exchanges).toBeGreaterThan(3)
  expect(four.exchanges / one.exchanges).toBeLessThan(5)
  const rarely = await costOf({ ...LOAD, flushIntervalMs: 500 })
  expect(rarely.records).toBeLessThanOrEqual(one.records / 2)
  expect([four.balanced, rarely.balanced]).toEqual([true, true])
})

test('L7: cold keys: one record for each operation', async () => {
  for (const strength of ['leased', 'durable'] as const) {
    const cold = await costOf({ ...LOAD, strength, operations: 500, keys: 500 })
    expect(cold).toMatchObject({ balanced: true, records: 500, leaseRecords: strength === 'leased' ? 1_500 : 0 })
  }
})

test('L4: a crash burns at most what is at risk, and nothing where that is 0', async () => {
  for (const atRisk of [0, 10, 1_000]) {
    const { burnedMost, unusedMean } = await crashLoss(atRisk, 1)
    expect(burnedMost).toBeLessThanOrEqual(atRisk)
    expect(unusedMean).toBeLessThanOrEqual(burnedMost)
  }
})

test.each([
  [2, 100, 'one-hot'],
  [8, 2_500, 'moving'],
] as const)(
  'L5: %d owners with %d at risk and demand that is %s: every unit is admitted, and soon',
  async (owners, atRisk, skew) => {
    const { left, deniedEarly, strandedMs, strandedMost } = await underUse(owners, atRisk, skew)
    expect({ left, deniedEarly }).toEqual({ left: 0, deniedEarly: 0 })
    // Three flush intervals.
    expect(strandedMs).toBeLessThanOrEqual(300)
    expect(strandedMost).toBeLessThan(500)
  },
)
