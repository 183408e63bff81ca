import type { Store } from '../../core/store.ts'

/** What the suite needs of a test runner: that of Vitest and Jest, handed in, so that the library depends on neither. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: () => Promise<void>, timeoutMs?: number): unknown
  expect(actual: unknown): Expectation
}

/** The checks that the suite uses, as Vitest and Jest have them. */
export interface Expectation {
  toEqual(expected: unknown): void
  toMatchObject(expected: object): void
}

/** What a store under test is to be made with. */
export interface StoreNeeds {
  /** Store time, ms since 1970. A store that cannot take it says so by `time: 'own'`. */
  readonly now: () => number
  readonly leaseTtlMs: number
}

/** A store on fresh, empty data. */
export interface StoreUnderTest {
  readonly store: Store
  /** Another handle onto the same data, as another process would have it. Disposed of with the rest. */
  another(): Store | Promise<Store>
  /** Closes both and removes the data. */
  dispose(): Promise<void>
}

/** Called once for each test. */
export type MakeStore = (needs: StoreNeeds) => StoreUnderTest | Promise<StoreUnderTest>

export interface ConformanceOptions {
  /**
   * `injected`: store time is what `StoreNeeds.now` says. `own`: it comes from elsewhere, a server's clock say: tests then wait in real
   * time, and those that would wait longer than a second are left out. Default `injected`.
   */
  readonly time?: 'injected' | 'own'
  /** Command sequences to compare with the model. Default 60. */
  readonly sequences?: number
  /** The first sequence's seed; the others count up. Default 1. */
  readonly seed?: number
}
