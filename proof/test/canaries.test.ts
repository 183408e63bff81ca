import { join } from 'node:path'
import { expect, test } from 'vitest'
import type * as FindModule from '../src/canaries/find.ts'
import { CATALOGUE } from '../src/canaries/catalogue.ts'
import { plantedText } from '../src/canaries/plant.ts'
import { runCanaries } from '../src/proof/programs.ts'

/** One of each kind, each caught within a few seeds. `npm run proof` plants all. */
const SAMPLE = [
  'replay-applied-again',
  'spent-stays-leased',
  'lease-without-debit',
  'dead-lease-returned',
  'timer-for-nothing',
]

test('the simulation catches a sample of planted bugs', async () => {
  const results = await runCanaries(SAMPLE)
  expect(results.map(({ name }) => name).toSorted()).toEqual(SAMPLE.toSorted())
  expect(results.filter(({ caught }) => !caught)).toEqual([])
})

test('a planted bug is caught by a law that it breaks, and by no other', async () => {
  // The built one: it starts a worker.
  const { find } = (await import(join(import.meta.dirname, '../dist/canaries/find.js'))) as typeof FindModule
  const canary = CATALOGUE.find(({ name }) => name === 'spent-stays-leased')
  if (canary === undefined) throw new Error('no such canary')
  const finding = await find({ ...canary, laws: ['O13'] }, 2)
  expect(finding).toMatchObject({ caught: false, seeds: 2 })
  expect(finding.laws).toContain('L2')
})

test('every canary has a unique name and a unique bug', () => {
  expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length)
  expect(new Set(CATALOGUE.map(({ file, find, replace }) => [file, find, replace].join('\n'))).size).toBe(
    CATALOGUE.length,
  )
})

test('every canary can be planted: the built library has its text once', () => {
  // By name, so that one run shows all that must follow the code.
  const lost = CATALOGUE.flatMap((canary) => {
    try {
      plantedText(canary)
      return []
    } catch (error) {
      return `${canary.name}: ${String(error)}`
    }
  })
  expect(CATALOGUE.length).toBeGreaterThan(100)
  expect(lost).toEqual([])
})
