/**
 * Why a call may not begin. `exhausted`, `reserved`, `over-limit` and `unavailable` as for `decide`. `overage`: earlier calls used more than the budget
 * had, and that is not paid yet.
 */
export type CallDenialReason = 'exhausted' | 'reserved' | 'over-limit' | 'unavailable' | 'overage'

/** A call that was denied before anything was sent to the provider. */
export interface CallDenial {
  /** Of the budget. */
  readonly key: string
  readonly reason: CallDenialReason
  /** What the call would have set aside. */
  readonly units: number
  /** As of the last exchange; absent where it is not known. */
  readonly remaining?: number
  /** The time until a retry may help, in ms, at least 1; absent where waiting does not help. */
  readonly retryAfterMs?: number
}

/** The call was denied, and has cost nothing. */
export class CallDeniedError extends Error implements CallDenial {
  override readonly name: string = 'CallDeniedError'
  readonly code = 'call_denied'
  readonly statusCode = 429
  readonly key: string
  readonly reason: CallDenialReason
  readonly units: number
  readonly remaining?: number
  readonly retryAfterMs?: number

  constructor(denial: CallDenial) {
    super(denialMessage(denial))
    this.key = denial.key
    this.reason = denial.reason
    this.units = denial.units
    if (denial.remaining !== undefined) this.remaining = denial.remaining
    if (denial.retryAfterMs !== undefined) this.retryAfterMs = denial.retryAfterMs
  }
}

export function denialMessage({ key, reason, units, retryAfterMs }: CallDenial): string {
  const later = retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(retryAfterMs / 1_000)} s`
  return `The budget ${JSON.stringify(key)} denied the call, which may take ${units} units: ${reason}${later}.`
}

/**
 * Why a stream was ended. `budget-spent`: it used what was reserved, and the budget has no more. `store-unavailable`: whether it has more cannot be told.
 * `reservation-ended`: another process settled the reservation, or its time is over. `stalled`: nothing was read for `ttlMs`.
 */
export type CallStopReason = 'budget-spent' | 'store-unavailable' | 'reservation-ended' | 'stalled'

/** The stream was ended before its end. What was seen of it is charged. */
export class CallStoppedError extends Error {
  override readonly name: string = 'CallStoppedError'
  readonly code = 'call_stopped'
  readonly reason: CallStopReason
  /** Of the budget. */
  readonly key: string

  constructor(reason: CallStopReason, key: string, cause?: unknown) {
    super(
      `The stream was ended: ${reason}, of the budget ${JSON.stringify(key)}.`,
      cause === undefined ? {} : { cause },
    )
    this.reason = reason
    this.key = key
  }
}
