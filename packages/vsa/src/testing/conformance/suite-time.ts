import { invariant } from '../../core/errors.ts'

/** Where a test's time comes from. */
export interface SuiteTime {
  /** Ms since 1970. */
  readonly now: () => number
  /** How long `ms` of store time are in this test. */
  ms(ms: number): number
  pass(ms: number): Promise<void>
  jump(ms: number): void
}

/** Tests that pass more store time than this are skipped where time cannot be injected. */
export const REAL_PASS_MAX_MS = 1_000

/** Store time at first: the middle of a minute, an hour, a day and a month. */
const START = Date.UTC(2025, 4, 14, 12, 34, 30)
/** Real time is stretched: on a loaded machine, calls that must come before a lease expires may take a second. */
const REAL_STRETCH = 4
/** Waited in addition, because the clocks of the test and the store may differ. */
const REAL_MARGIN_MS = 50

export function injectedTime(): SuiteTime {
  let now = START
  const jump = (ms: number): void => {
    now += ms
  }
  return { now: () => now, ms: (ms) => ms, jump, pass: async (ms) => jump(ms) }
}

export function realTime(): SuiteTime {
  const stretched = (ms: number): number => REAL_STRETCH * ms
  return {
    now: () => Date.now(),
    ms: stretched,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, stretched(ms) + REAL_MARGIN_MS)),
    jump: () => invariant(false, 'a test that sets the clock must say so by `passesMs: Infinity`'),
  }
}
