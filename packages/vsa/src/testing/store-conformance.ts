import { batchTests } from './conformance/batches.ts'
import { closingTests } from './conformance/closing.ts'
import { concurrencyTests } from './conformance/concurrency.ts'
import { creditReplayTests } from './conformance/credit-replays.ts'
import { deletionTests } from './conformance/deletion.ts'
import { fencingTests } from './conformance/fencing.ts'
import { forgettingTests } from './conformance/forgetting.ts'
import { identifiedAdmissionTests } from './conformance/identified-admissions.ts'
import { leaseTests } from './conformance/leases.ts'
import { limitTests } from './conformance/limits.ts'
import { mintTests } from './conformance/mints.ts'
import { compareWithModel } from './conformance/model-comparison.ts'
import { readingTests } from './conformance/reading.ts'
import { reapingTests } from './conformance/reaping.ts'
import { register } from './conformance/register.ts'
import { rememberedTests } from './conformance/remembered.ts'
import { replayTests } from './conformance/replays.ts'
import { reservationTests } from './conformance/reservations.ts'
import { reservationEndTests } from './conformance/reservation-ends.ts'
import { retentionTests } from './conformance/retention.ts'
import { rowCreationTests } from './conformance/row-creation.ts'
import { checkConformance, type ConformanceOptions, type MakeStore, type TestRunner } from './conformance/runner.ts'
import { settlingTests } from './conformance/settling.ts'
import { storeTimeTests } from './conformance/store-time.ts'
import { takeTests } from './conformance/takes.ts'
import { valueTests } from './conformance/values.ts'
import { waterfallTests } from './conformance/waterfalls.ts'

export type {
  ConformanceOptions,
  Expectation,
  LoseWrites,
  MakeStore,
  StoreNeeds,
  StoreUnderTest,
  TestRunner,
} from './conformance/runner.ts'

const MODEL_TIMEOUT_MS = 120_000

const TESTS = [
  ...replayTests,
  ...fencingTests,
  ...rowCreationTests,
  ...settlingTests,
  ...takeTests,
  ...limitTests,
  ...mintTests,
  ...leaseTests,
  ...reapingTests,
  ...storeTimeTests,
  ...closingTests,
  ...retentionTests,
  ...valueTests,
  ...batchTests,
  ...readingTests,
  ...concurrencyTests,
  ...reservationTests,
  ...reservationEndTests,
  ...rememberedTests,
  ...identifiedAdmissionTests,
  ...waterfallTests,
  ...creditReplayTests,
]

/**
 * Registers the tests that every store must pass: each store rule by examples computed by hand, and random sequences of commands of
 * several owners, whose answers and rows are compared with those of the reference model after each command. After every test, each row
 * must balance (L2).
 *
 * A store that breaks a rule fails the test whose title cites the rule, such as `S2, L3: …`. There are about 110 tests; they take a few
 * seconds on a store in memory. Tests that may take longer than usual set their own time limit, 30 s to 120 s.
 *
 * ```ts
 * import { describe, expect, it } from 'vitest'
 * import { memory } from 'vsa/memory'
 * import { storeConformance } from 'vsa/testing'
 *
 * storeConformance(
 *   'memory',
 *   ({ now, leaseTtlMs }) => {
 *     const store = memory({ now, leaseTtlMs })
 *     return { store, another: () => store, dispose: () => store.close() }
 *   },
 *   { describe, it, expect },
 * )
 * ```
 *
 * @param name of the store, for the title of the group
 * @param makeStore called once for each test and each random sequence; must give a store on fresh, empty data
 * @param runner `describe`, `it` and `expect` of Vitest or Jest, or three functions that do the same
 * @param options default: store time is injected; 60 random sequences, with seeds 1 to 60
 * @throws TypeError, RangeError that name the argument
 */
export function storeConformance(
  name: string,
  makeStore: MakeStore,
  runner: TestRunner,
  options: ConformanceOptions = {},
): void {
  checkConformance(name, makeStore, runner, options)
  runner.describe(`${name} store`, () => {
    for (const test of TESTS) register(test, makeStore, runner, options)
    if (options.deletes === true) for (const test of deletionTests) register(test, makeStore, runner, options)
    if (options.forgets === true) for (const test of forgettingTests) register(test, makeStore, runner, options)
    runner.it(
      'L2, L3, S1-S10: random sequences give the answers and rows of the model, command by command',
      () => compareWithModel(makeStore, options),
      MODEL_TIMEOUT_MS,
    )
  })
}
