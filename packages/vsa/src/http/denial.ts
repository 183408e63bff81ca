import { type Denied, VsaError } from '../index.ts'
import { type Problem, quotaExceeded, temporarilyReduced } from './problem.ts'
import { retryAfterSeconds } from './retry-after.ts'

/** Why a request does not reach its handler. */
export interface Denial {
  /** 429: the units are not there. 503: the store did not answer, and `onStoreUnavailable` of the engine is `throw` or `deny`. */
  readonly status: 429 | 503
  /** The name of the budget that refused; undefined with 503. */
  readonly budget: string | undefined
  readonly problem: Problem
  /** Undefined: waiting does not help. */
  readonly retryAfterSeconds: number | undefined
  /** With `onStoreUnavailable: 'throw'`. */
  readonly error: VsaError | undefined
}

/** Nothing is known of when the store is back. */
const UNAVAILABLE_RETRY_SECONDS = 1

/** @param resetSeconds what the headers of the same response say */
export function denialOf(
  { reason, retryAfterMs, units }: Denied,
  budget: string,
  resetSeconds: number | undefined,
): Denial {
  if (reason === 'unavailable') return unavailable(undefined)
  return {
    status: 429,
    budget,
    problem: quotaExceeded(budget, units, reason),
    retryAfterSeconds: retryAfterMs === undefined ? undefined : retryAfterSeconds(retryAfterMs, resetSeconds),
    error: undefined,
  }
}

/** Null: it is no failure of the store, and the framework gets it. */
export function denialFrom(error: unknown): Denial | null {
  return error instanceof VsaError && error.statusCode === 503 ? unavailable(error) : null
}

function unavailable(error: VsaError | undefined): Denial {
  return {
    status: 503,
    budget: undefined,
    problem: temporarilyReduced(),
    retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
    error,
  }
}
