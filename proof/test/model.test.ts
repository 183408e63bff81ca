import { expect, test } from 'vitest'
import { runModel, runModelCanaries } from '../src/proof/programs.ts'

/** For each configuration. `npm run proof` visits many more. */
const STATES_MAX = 60

/** Planted bugs that the model finds within a few hundred states. `npm run proof` plants all that it can express. */
const SAMPLE = ['replay-applied-again', 'spent-stays-leased', 'refund-beyond-used']

test('L1 L2 L3 L4: no law breaks in the first states of each configuration', async () => {
  const report = await runModel(STATES_MAX)
  expect(report.violations).toBe(0)
  expect(report.configurations.length).toBeGreaterThan(10)
  for (const { name, states, exhausted } of report.configurations)
    expect([name, exhausted || states >= STATES_MAX]).toEqual([name, true])
})

test('the model finds a sample of planted bugs, each with its shortest counterexample', async () => {
  const results = await runModelCanaries(SAMPLE)
  expect(results.map(({ name }) => name).toSorted()).toEqual(SAMPLE.toSorted())
  expect(results.filter(({ caught }) => !caught)).toEqual([])
  for (const { trace, steps } of results) expect(trace).toHaveLength(steps ?? -1)
})
