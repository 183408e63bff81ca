import type { StoreAdapter } from '../../core/adapter.ts'
import { assertBoolean, assertFunction, assertMethods, assertOneOf, assertOptions } from '../../core/options.ts'
import type { Store } from '../../core/store.ts'
import { assertWhole, describe } from '../../core/units.ts'

/** What the suite needs of a test runner. Handed in, so that the library depends on none: those of Vitest and Jest fit as they are. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  /** @param timeoutMs absent: the runner's default */
  it(name: string, body: () => Promise<void>, timeoutMs?: number): unknown
  expect(actual: unknown): Expectation
}

/** The checks that the suite uses. Each throws when it does not hold. */
export interface Expectation {
  /** Deeply equal; properties that are undefined count as absent. */
  toEqual(expected: unknown): void
  /** Every property of `expected` is there and matches; arrays match element by element and have the same length. */
  toMatchObject(expected: object): void
}

/** What a store under test is made with. */
export interface StoreNeeds {
  /** The clock that the store reads, ms since 1970. A store that cannot take one is tested with `time: 'own'`. */
  readonly now: () => number
  /** How long an epoch lives after its last exchange, in ms: 400 to 14,400,000 where time is injected, 1,600 to 40,000 in real time. */
  readonly leaseTtlMs: number
}

/** A store on fresh, empty data. */
export interface StoreUnderTest {
  /** A store, or an adapter that `storeFrom` makes a store of. */
  readonly store: Store | StoreAdapter
  /** Called once: a second handle onto the same data, as another process would have it. May be `store` itself where the data is in memory. */
  another(): Store | StoreAdapter | Promise<Store | StoreAdapter>
  /**
   * Only for stores that may forget, and that are tested with `forgets`. What is acknowledged after this call is lost when its result is called, and
   * the store goes on in another incarnation: a replica that is cut off now and then takes over, for example.
   */
  startLosing?(): LoseWrites | Promise<LoseWrites>
  /** Closes both handles and removes the data. Called once, also after a failed test. */
  dispose(): Promise<void>
}

export type LoseWrites = () => void | Promise<void>

/** Makes the store of one test. What it throws fails that test. */
export type MakeStore = (needs: StoreNeeds) => StoreUnderTest | Promise<StoreUnderTest>

export interface ConformanceOptions {
  /**
   * `injected`: the store reads its time from `StoreNeeds.now`. `own`: it has a clock of its own, such as that of a server. Tests then
   * wait in real time, up to 4 s each, and those that would wait longer are not registered. Default `injected`.
   */
  readonly time?: 'injected' | 'own'
  /** The store may forget, and has `startLosing`: the rules F1 to F7 are tested, too. Default false. */
  readonly forgets?: boolean
  /** The store has `delete`, or the adapter `loadDeletion`: P6 is tested, too, by examples and in the random sequences. Default false. */
  readonly deletes?: boolean
  /** How many random sequences of 60 commands are compared with the model; 0 compares none. Default 60. */
  readonly sequences?: number
  /** A whole number: the seed of the first sequence; each next one has the seed after it. Default 1. */
  readonly seed?: number
}

const OPTIONS = Object.keys({ time: true, forgets: true, deletes: true, sequences: true, seed: true } satisfies Record<
  keyof ConformanceOptions,
  true
>)

/** @throws TypeError, RangeError that name the argument */
export function checkConformance(
  name: unknown,
  makeStore: unknown,
  runner: unknown,
  options: ConformanceOptions,
): void {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${describe(name)}`)
  assertFunction('makeStore', makeStore)
  assertMethods('runner', runner, 'a test runner, such as { describe, it, expect }', ['describe', 'it', 'expect'])
  assertOptions('options', options, OPTIONS)
  const { time = 'injected', forgets = false, deletes = false, sequences = 0, seed = 1 } = options
  assertBoolean('options.forgets', forgets)
  assertBoolean('options.deletes', deletes)
  assertOneOf('options.time', time, ['injected', 'own'])
  assertWhole('options.sequences', sequences, { min: 0 })
  assertWhole('options.seed', seed, { min: 0 })
}
