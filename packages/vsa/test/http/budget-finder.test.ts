import { expect, test } from 'vitest'
import { budgetFinder } from '../../src/http/budget-finder.ts'
import type { BudgetChoice, BudgetTerms } from '../../src/http/limit-options.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'

const vsa = open({ store: memory() })
const calls = vsa.budgets('calls', { limit: 10, per: 'minute' })
const seats = vsa.budget('seats', { initial: 10 })

async function keyOf(given: BudgetChoice<string> | BudgetTerms<string>, request: string): Promise<string> {
  return (await budgetFinder('calls', given, 1).find(request, () => '192.0.2.1')).key
}

test('a family gets the address; with by what that answers, also later', async () => {
  expect(await keyOf(calls, 'a')).toBe('calls:192.0.2.1')
  expect(await keyOf({ from: calls, by: (request) => request }, 'a')).toBe('calls:a')
  expect(await keyOf({ from: calls, by: async (request, address) => `${request} ${address()}` }, 'a')).toBe(
    'calls:a 192.0.2.1',
  )
})

test('a budget is one for all; a function finds one, also later', async () => {
  expect(await keyOf(seats, 'a')).toBe('seats')
  expect(await keyOf((request) => calls.of(request), 'a')).toBe('calls:a')
  expect(await keyOf({ from: async (request) => calls.of(request) }, 'a')).toBe('calls:a')
})

test('a function that finds none is an error, not a request without a limit', async () => {
  const none = (): typeof seats => JSON.parse('null') as typeof seats
  await expect(keyOf(none, 'a')).rejects.toMatchObject({ code: 'budget_invalid', statusCode: 500 })
})

test('an id of 256 characters is kept, a longer one is replaced by its hash', async () => {
  const by = (request: string): string => request
  expect(await keyOf({ from: calls, by }, 'k'.repeat(256))).toBe(`calls:${'k'.repeat(256)}`)
  expect(await keyOf({ from: calls, by }, 'k'.repeat(257))).toMatch(/^calls:sha256:[0-9a-f]{64}$/)
})

test('two ids never become one key: halves of characters, and texts that look like a hash', async () => {
  const by = (request: string): string => request
  const hashed = (await keyOf({ from: calls, by }, 'k'.repeat(257))).slice('calls:'.length)
  const keys = await Promise.all(
    ['\ud800', '\udfff', 'k'.repeat(257), hashed].map((id) => keyOf({ from: calls, by }, id)),
  )
  expect(new Set(keys).size).toBe(4)
  for (const key of keys) expect(key).toMatch(/^calls:sha256:[0-9a-f]{64}$/)
})
