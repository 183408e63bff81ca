import { testBounds } from './conformance/bounds.ts'
import { testCrowds } from './conformance/crowd.ts'
import { testEnding } from './conformance/ending.ts'
import { testPolicies } from './conformance/policies.ts'
import { testReplays } from './conformance/replays.ts'
import { testRows } from './conformance/rows.ts'
import type { ConformanceOptions, MakeStore, TestRunner } from './conformance/runner.ts'
import { testerOf } from './conformance/scene.ts'
import { compareWithModel } from './conformance/sequence.ts'
import { testSettling } from './conformance/settling.ts'
import { testTaking } from './conformance/taking.ts'
import { testWanting } from './conformance/wanting.ts'

export type {
  ConformanceOptions,
  Expectation,
  MakeStore,
  StoreNeeds,
  StoreUnderTest,
  TestRunner,
} from './conformance/runner.ts'

const MODEL_TIMEOUT_MS = 120_000

/**
 * Registers the suite that every store passes: each store rule by hand-computed examples, and random command sequences of several
 * owners compared, answer by answer and row by row, with the specification (`applyExchange`). Behind every test and every step the
 * trial balance must hold.
 * @param makeStore called for each test; must give fresh, empty data
 * @param runner of Vitest or Jest: `{ describe, it, expect }`
 */
export function storeConformance(
  name: string,
  makeStore: MakeStore,
  runner: TestRunner,
  options: ConformanceOptions = {},
): void {
  const test = testerOf(makeStore, runner, options)
  const groups = {
    testReplays,
    testRows,
    testSettling,
    testTaking,
    testPolicies,
    testWanting,
    testEnding,
    testBounds,
    testCrowds,
  }
  runner.describe(`${name} store`, () => {
    for (const register of Object.values(groups)) register(test)
    runner.it(
      'L2, L3, S1-S10: random sequences give the model’s answers and rows, step by step',
      () => compareWithModel(makeStore, options),
      MODEL_TIMEOUT_MS,
    )
  })
}
