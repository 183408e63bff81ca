import { expect, test } from 'vitest'
import { CATALOGUE } from '../src/canaries/catalogue.ts'
import { runCanaries } from '../src/proof/programs.ts'

/** One of each kind, each caught within a few seeds. `npm run proof` plants all. */
const SAMPLE = [
  'replay-applied-again',
  'spent-stays-leased',
  'lease-without-debit',
  'dead-lease-returned',
  'spent-is-forgotten',
  'two-gates',
]

test('the simulation catches a sample of planted bugs', async () => {
  const results = await runCanaries(SAMPLE)
  expect(results.map(({ name }) => name).toSorted()).toEqual(SAMPLE.toSorted())
  expect(results.filter(({ caught }) => !caught)).toEqual([])
})

test('every canary has a unique name and a unique bug', () => {
  expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length)
  expect(new Set(CATALOGUE.map(({ file, find, replace }) => [file, find, replace].join('\n'))).size).toBe(
    CATALOGUE.length,
  )
})
