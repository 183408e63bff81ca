import type { ListedRow, Store } from '../../core/store.ts'
import { allRows } from './listed-rows.ts'
import type { OpenStores } from './open-stores.ts'
import type { Expectation, LoseWrites, TestRunner } from './runner.ts'
import type { SuiteTime } from './suite-time.ts'
import { TestOwner } from './test-owner.ts'

/** One behaviour that every store must have. */
export interface ConformanceTest {
  /** Begins with the ids of the laws and rules that it tests. */
  readonly title: string
  readonly run: (scene: Scene) => Promise<void>
  /** The most store time that the test passes, in ms. A store with a clock of its own skips tests that pass more than a second. Default 0. */
  readonly passesMs?: number
  /** Default 10,000. */
  readonly leaseTtlMs?: number
  /** How long the test may run. Default: the runner's. */
  readonly timeoutMs?: number
}

/** What a test works with: a fresh store with two handles, and its time. */
export interface Scene {
  readonly store: Store
  /** The second handle, as another process would have it. */
  readonly other: Store
  readonly expect: (actual: unknown) => Expectation
  /** How long `ms` of store time are in this test. */
  ms(ms: number): number
  /** Lets store time pass. */
  pass(ms: number): Promise<void>
  /** Sets the clock that the store reads forwards or back. Only where time is injected. */
  jump(ms: number): void
  /** What is acknowledged from now on is lost by the result. Only of stores that may forget. */
  startLosing: () => Promise<LoseWrites>
  /** A new epoch, on `store` unless another handle is given. */
  owner(handle?: Store): Promise<TestOwner>
  /** Every row of the store. */
  rows(): Promise<readonly ListedRow[]>
}

export function sceneOn({ store, other, startLosing }: OpenStores, time: SuiteTime, runner: TestRunner): Scene {
  return {
    store,
    other,
    expect: (actual) => runner.expect(actual),
    ms: (ms) => time.ms(ms),
    pass: (ms) => time.pass(ms),
    jump: (ms) => time.jump(ms),
    startLosing,
    owner: async (handle = store) => new TestOwner(handle, await handle.join('test')),
    rows: () => allRows(store),
  }
}
