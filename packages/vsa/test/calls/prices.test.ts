import { expect, test } from 'vitest'
import { unitsOfModel } from '../../src/calls/price.ts'
import { meteredFetch } from '../../src/openai/index.ts'
import { answering, chatRequest } from './answers.ts'
import { credits } from './credits.ts'

const TOKENS = { input: 1_000, cacheRead: 2_000, cacheWrite: 3_000, output: 4_000 }

test('without prices, units are tokens of any kind', () => {
  expect(unitsOfModel(undefined, 'any')(TOKENS)).toBe(10_000)
})

test('units are micro-dollars, exact, and rounded up once for the call', () => {
  const table = { m: { input: 1_250_000, output: 10_000_000, cacheRead: 125_000, cacheWrite: 1_500_000 } }
  expect(unitsOfModel(table, 'm')(TOKENS)).toBe(1_250 + 250 + 4_500 + 40_000)
  // Four parts of less than a unit are two units, and not four.
  const odd = unitsOfModel({ m: { input: 400_000, output: 400_000 } }, 'm')
  expect(odd({ input: 1, cacheRead: 1, cacheWrite: 1, output: 1 })).toBe(2)
  expect(odd({ input: 0, cacheRead: 0, cacheWrite: 0, output: 0 })).toBe(0)
  // Doubles would lose units here.
  const large = unitsOfModel({ m: { input: 9_007_199_254_740_991, output: 1 } }, 'm')
  expect(large({ input: 1_000_000, cacheRead: 0, cacheWrite: 0, output: 0 })).toBe(9_007_199_254_740_991)
  expect(large({ input: 999_999, cacheRead: 0, cacheWrite: 0, output: 1 })).toBe(9_007_190_247_541_737)
  expect(large({ input: 9_007_199_254_740_991, cacheRead: 0, cacheWrite: 0, output: 0 })).toBe(9_007_199_254_740_991)
})

test('what was read from a cache or written to one costs as input where its price is not given', () => {
  const units = unitsOfModel({ m: { input: 1_000_000, output: 2_000_000 } }, 'm')
  expect(units(TOKENS)).toBe(1_000 + 2_000 + 3_000 + 8_000)
})

test('a model without a price, and a price that is none, are errors before anything is reserved', async () => {
  const { budget, used } = credits(1_000)
  const bad = [NaN, -1, 0.5, 2 ** 53, '5'].map((input) => ({ 'gpt-test': { input, output: 1 } }))
  for (const prices of [{}, Object.create({ 'gpt-test': { input: 1, output: 1 } }), () => undefined, ...bad])
    await expect(
      meteredFetch({ budget, prices: prices as never, fetch: answering('x', null) })(...chatRequest()),
    ).rejects.toThrow(TypeError)
  expect(await used()).toBe(0)
})

test('a call is charged by the table', async () => {
  const { budget, onSettled, settlements, used } = credits(10_000)
  const prices = { 'gpt-test': { input: 2_000_000, output: 8_000_000, cacheRead: 500_000 } }
  const fetch = answering('hello', { input: 30, cacheRead: 21, output: 100 })
  await meteredFetch({ budget, prices, fetch, onSettled })(...chatRequest())
  expect(settlements).toMatchObject([{ usedUnits: 60 + 11 + 800 }])
  expect(settlements[0]?.reservedUnits).toBeGreaterThanOrEqual(1_600)
  expect(await used()).toBe(871)
})
