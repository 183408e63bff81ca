import { tracingChannel } from 'node:diagnostics_channel'
import { invariant } from '../../core/errors.ts'

/** What became of a reservation. `repeated`: the store had it already under this id. `unrecorded`: the policy is on trial, or the store is away and may be. */
export type ReserveOutcome = 'reserved' | 'repeated' | 'denied' | 'unrecorded'

/** The context object of the tracing channel `vsa.reserve`: one for each reservation that the store is to keep. */
export interface ReserveTraceContext {
  /** The budgets, in order: several for `reserveAll` and `reserveFirst`. */
  readonly keys: readonly string[]
  /** Of each key; for `reserveFirst`, what was asked of all of them together, at each. */
  readonly units: readonly number[]
  readonly id: string
  /** Undefined before the end, and where the call failed: `error` has the failure then. */
  result?: ReserveOutcome
  error?: unknown
}

const reservations = tracingChannel<ReserveTraceContext>('vsa.reserve')

/** Calls `reserve`, and tells those who listen to `tracing:vsa.reserve:start` and the others. Where nothing listens, `contextOf` is not called. */
export function traceReserve<T>(
  contextOf: () => ReserveTraceContext,
  reserve: () => Promise<T>,
  outcomeOf: (made: T) => ReserveOutcome,
): Promise<T> {
  if (!reservations.hasSubscribers) return reserve()
  let made: Promise<T> | undefined
  const traced = reservations.tracePromise(() => {
    made = reserve()
    return made.then(outcomeOf)
  }, contextOf())
  // The caller gets the failure from its own promise.
  traced.catch(() => undefined)
  invariant(made !== undefined, 'a traced call is made at once')
  return made
}
