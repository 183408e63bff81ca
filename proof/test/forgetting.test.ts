import { join } from 'node:path'
import { expect, test } from 'vitest'
import type * as LibraryModule from '../src/simulation/library.ts'
import type * as RunModule from '../src/forgetting/run-seeds.ts'
import type * as SubjectModule from '../src/subject.ts'

const DIST = join(import.meta.dirname, '../dist')
/** `npm run sim` runs one for ten of its own. */
const SEEDS = 12

test(`L1, L2, L5, F1, F2, F3, F5, F6, F7: ${SEEDS} seeds of owners on a store that forgets run without a violation`, async () => {
  const { loadLibrary } = (await import(join(DIST, 'simulation/library.js'))) as typeof LibraryModule
  const { runForgettingSeeds } = (await import(join(DIST, 'forgetting/run-seeds.js'))) as typeof RunModule
  const { SHIPPED } = (await import(join(DIST, 'subject.js'))) as typeof SubjectModule
  const { totals, failure } = await runForgettingSeeds(await loadLibrary(SHIPPED), 1, SEEDS)
  expect(failure).toBeNull()
  expect(totals.seeds).toBe(SEEDS)
  expect(totals.losses).toBeGreaterThan(2 * SEEDS)
})
