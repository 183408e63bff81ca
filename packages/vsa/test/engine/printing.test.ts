import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { bench } from './fixture.ts'

const MONTHLY = { limit: 10, per: 'month', timeZone: '+02:00' } as const

test('a budget prints and serializes as its key and its policy, also while it is in use', async () => {
  const { owner } = bench()
  const { vsa } = owner()
  const budget = vsa.budgets('calls', MONTHLY).of('tenant-7')
  const shown = { key: 'calls:tenant-7', policy: MONTHLY }
  expect(JSON.parse(JSON.stringify(budget))).toEqual(shown)
  await budget.admit()
  expect(JSON.parse(JSON.stringify({ budget }))).toEqual({ budget: shown })
  expect(inspect(budget)).toBe(inspect(shown))
  expect(inspect(budget).length).toBeLessThan(100)
})

test('a single budget shows its policy as it was declared, and later changes of that object are not seen', () => {
  const { owner } = bench()
  const policy = { initial: 500, atRisk: undefined }
  const seats = owner().vsa.budget('concert-42', policy as unknown as { initial: number })
  policy.initial = 7
  expect(JSON.stringify(seats)).toBe('{"key":"concert-42","policy":{"initial":500}}')
})

test('a family prints its name and its policy, or the function that gives it', () => {
  const { owner } = bench()
  const { vsa } = owner()
  const calls = vsa.budgets('calls', MONTHLY)
  const plans = vsa.budgets('plans', () => MONTHLY)
  expect(JSON.parse(JSON.stringify(calls))).toEqual({ name: 'calls', policy: MONTHLY })
  expect(JSON.stringify(plans)).toBe('{"name":"plans"}')
  expect(inspect(calls)).toBe(inspect({ name: 'calls', policy: MONTHLY }))
  expect(inspect(plans)).toBe("{ name: 'plans', policy: [Function (anonymous)] }")
})

test('a counter prints its key, and an engine its label and epoch', async () => {
  const { owner } = bench()
  const { vsa } = owner({ label: 'web-1' })
  const likes = vsa.counter('post:9:likes')
  likes.add(1)
  expect(JSON.stringify(likes)).toBe('{"key":"post:9:likes"}')
  expect(inspect(likes)).toBe("{ key: 'post:9:likes' }")
  expect(JSON.stringify(vsa)).toBe('{"label":"web-1","epoch":null,"isClosed":false}')
  await vsa.ready()
  expect(inspect(vsa)).toBe("{ label: 'web-1', epoch: 1, isClosed: false }")
  await vsa.close()
  expect(JSON.parse(JSON.stringify(vsa))).toMatchObject({ isClosed: true })
})
