import { join } from 'node:path'
import { expect, test } from 'vitest'
import type * as LibraryModule from '../src/simulation/library.ts'
import { huntForgetting } from '../src/forgetting/hunts.ts'
import { FORGETTING_CONFIGURATIONS } from '../src/forgetting/model-bounds.ts'
import { forgettingProductionOf } from '../src/forgetting/model-production.ts'
import { searchForgetting } from '../src/forgetting/model-search.ts'
import type * as RunModule from '../src/forgetting/run-seeds.ts'
import type * as SubjectModule from '../src/subject.ts'

const DIST = join(import.meta.dirname, '../dist')
/** `npm run sim` runs one for ten of its own. */
const SEEDS = 5

test(`L1, L2, L5, F1, F2, F3, F5, F6, F7: ${SEEDS} seeds of owners on a store that forgets run without a violation`, async () => {
  const { loadLibrary } = (await import(join(DIST, 'simulation/library.js'))) as typeof LibraryModule
  const { runForgettingSeeds } = (await import(join(DIST, 'forgetting/run-seeds.js'))) as typeof RunModule
  const { SHIPPED } = (await import(join(DIST, 'subject.js'))) as typeof SubjectModule
  const { totals, failure } = await runForgettingSeeds(await loadLibrary(SHIPPED), 1, SEEDS)
  expect(failure).toBeNull()
  expect(totals.seeds).toBe(SEEDS)
  expect(totals.losses).toBeGreaterThan(2 * SEEDS)
})

/** `npm run model` visits more. */
const STATES_MAX = 800

test.each(Object.entries(FORGETTING_CONFIGURATIONS))(
  'L1, F1, F2, F3, F5, F10: no interleaving of %s breaks L1',
  async (_, bounds) => {
    const { SHIPPED } = (await import(join(DIST, 'subject.js'))) as typeof SubjectModule
    const found = searchForgetting(await forgettingProductionOf(SHIPPED), bounds, STATES_MAX)
    expect(found.trace).toBeNull()
    expect(found.states).toBeGreaterThanOrEqual(STATES_MAX)
  },
)

const REFUNDS = FORGETTING_CONFIGURATIONS['forgotten refunds']
/** From the loss of a refund whose answer was not heard, and of the unit's second admission. The proof searches from the first admission. */
const T13 = {
  ...REFUNDS,
  begun: [
    ...REFUNDS.begun,
    ...['A sends refund 1', 'the store gets the batch of A'],
    ...['B sends hold 0, take 1', 'the store gets the batch of B', 'B hears applied', 'the store forgets its last 2'],
  ],
}

test('F5, L1: T13: no interleaving of a refund whose answer was lost and a store that forgot it breaks L1', async () => {
  const { SHIPPED } = (await import(join(DIST, 'subject.js'))) as typeof SubjectModule
  const found = searchForgetting(await forgettingProductionOf(SHIPPED), T13, 100_000)
  expect(found).toMatchObject({ trace: null, exhausted: true })
  expect(found.states).toBeGreaterThan(500)
})

test('F3: T1: without the freeze of takes, the model finds that one unit is admitted twice in nine steps', async () => {
  const { search } = await huntForgetting('frozen-take-granted', 10_000)
  expect(search.trace).toEqual([
    ...['A joins', 'A sends hold 0, take 1', 'the store gets the batch of A', 'A hears applied'],
    ...['the store forgets its last 1', 'B joins', 'B sends hold 0, take 1', 'the store gets the batch of B'],
    'B hears applied',
  ])
})

test('F5, L1: T13: a refund that is sent again although the store forgot it: the model finds the unit admitted once more', async () => {
  const { search } = await huntForgetting('forgotten-refund-sent-again', 10_000, T13)
  expect(search.trace?.slice(1)).toEqual([
    ...['the store gets the batch of A', 'A hears fenced', 'A joins', 'A sends what it owes'],
    ...['B sends hold 0, take 1', 'the store gets the batch of B', 'B hears fenced', 'B joins', 'B restates'],
    ...['the store gets the batch of B', 'the store gets the batch of A', 'B hears applied', 'B sends hold 0, take 1'],
    ...['the store thaws', 'the store gets the batch of B', 'B hears applied'],
  ])
})
