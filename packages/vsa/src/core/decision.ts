/** The result of `decide`: a record for headers and reasons, never thrown. */
export type Decision = Admitted | Denied

/** The figures of the budget as of the last exchange, less what this owner has spent since: for display, never for deciding. */
interface Figures {
  /** The budget that decided: for several, the first that refused, else the first asked. */
  readonly key: string
  readonly units: number
  readonly limit: number
  readonly remaining: number
  /** The start of the period, ms since 1970; 0 for a budget without windows. */
  readonly period: number
  /** When the period ends, ms since 1970; absent for a budget without windows. */
  readonly resetAtMs?: number
}

export interface Admitted extends Figures {
  readonly admitted: true
  /** `true`: admitted under `onStoreUnavailable: 'allow'`, and not counted in any budget. */
  readonly unaccounted?: true
  /** Absent, as below: declared so that `decision.reason` can be read without a test of `admitted`. */
  readonly reason?: undefined
  readonly retryAfterMs?: undefined
}

export interface Denied extends Figures {
  readonly admitted: false
  readonly reason: DenialReason
  /** The time until a retry may help, in ms, at least 1; absent when waiting does not help. */
  readonly retryAfterMs?: number
  readonly unaccounted?: undefined
}

/**
 * `exhausted`: the units are spent. `reserved`: other owners hold them, and did not return them in time.
 * `over-limit`: the cost is above everything minted, so it can never be admitted under the present limit.
 */
export type DenialReason = 'exhausted' | 'reserved' | 'over-limit'
