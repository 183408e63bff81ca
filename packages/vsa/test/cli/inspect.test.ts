import { expect, test } from 'vitest'
import { inspect } from '../../src/cli/inspect.ts'
import { aFolder, aStore } from './store-fixture.ts'

const OPTIONS = { rowsMax: 50, timeZone: 'UTC' }

test('without a key it lists budgets, owners and counters', async () => {
  const path = await aStore(aFolder())
  const { ok, json, text } = await inspect(path, undefined, OPTIONS)
  expect(ok).toBe(true)
  expect(json).toMatchObject({
    store: path,
    budgets: [
      { key: 'concert-42', used: 7, pool: 473, leases: [{ epoch: 1, held: 20 }] },
      { key: 'concert-43', used: 7, pool: 473, leases: [{ epoch: 1, held: 20 }] },
    ],
    owners: [{ epoch: 1, label: 'the test', state: 'open', seq: 2 }],
    counters: [{ key: 'likes', value: 42 }],
  })
  expect(text).toMatch(/Budgets: 2\n.*\nconcert-42 +- +500 +500 +7 +473 +0 +20 +1\n/)
  expect(text).toContain('the test')
  expect(text).toMatch(/likes +42/)
})

test('with a key it lists the periods and leases of that budget', async () => {
  const path = await aStore(aFolder())
  const { json, text } = await inspect(path, 'concert-43', OPTIONS)
  expect(json).toMatchObject({ budgets: [{ key: 'concert-43' }], counters: [] })
  expect(text).toMatch(/Leases: 1\n.*\n- +20 +1 +the test/)
  expect(text).not.toContain('concert-42')
})

test('a key may name only a counter', async () => {
  const { json } = await inspect(await aStore(aFolder()), 'likes', OPTIONS)
  expect(json).toMatchObject({ budgets: [], owners: [], counters: [{ key: 'likes', value: 42 }] })
})

test('an unknown key is an error', async () => {
  await expect(inspect(await aStore(aFolder()), 'concert-44', OPTIONS)).rejects.toMatchObject({ code: 'unknown_key' })
})

test('text output reports the number of omitted rows, and JSON has all rows', async () => {
  const { json, text } = await inspect(await aStore(aFolder()), undefined, { ...OPTIONS, rowsMax: 1 })
  expect(text).toContain('... and 1 more budget: see --rows')
  expect(json).toMatchObject({ budgets: [{}, {}] })
})
