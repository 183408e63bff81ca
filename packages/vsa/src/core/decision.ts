/** The result of `decide`: a record for headers and reasons, never thrown. */
export type Decision = Admitted | Denied

/** What is known without the store. */
interface Asked {
  /** The budget that decided: for several, the first that refused, else the first asked. */
  readonly key: string
  readonly units: number
  /** What the period has minted as of the last exchange: the limit; for `{ initial }` with every mint. Before the first one, as it was declared. */
  readonly limit: number
  /** When the period ends, ms since 1970; absent for a budget without windows, and before the first join. */
  readonly resetAtMs?: number
}

/** The figures of the budget as of the last exchange, less what this owner has spent since: for display, never for deciding. */
interface Figures extends Asked {
  readonly remaining: number
  /** The start of the period, ms since 1970; 0 for a budget without windows. */
  readonly period: number
}

/** The store did not answer, so nothing is known of what remains. */
interface NoFigures extends Asked {
  readonly remaining?: undefined
  /** As in other decisions; absent before the first join, when no period is known. */
  readonly period?: number
}

export type Admitted = Accounted | Unaccounted

export interface Accounted extends Figures {
  readonly admitted: true
  /** Its policy is on trial (`shadow`), and would have denied it: nothing was spent. */
  readonly shadow?: 'denied'
  /** With an `id`: it had been admitted before, also by a first attempt of this call whose answer was lost with its epoch, and nothing was spent now. */
  readonly repeated?: true
  /** Of a waterfall: what each source gave, those that gave nothing left out. */
  readonly from?: readonly DecisionShare[]
  readonly unaccounted?: undefined
  readonly reason?: undefined
  readonly retryAfterMs?: undefined
}

/** A part of a decision that has several sources. */
export interface DecisionShare {
  readonly key: string
  readonly units: number
  /** The period that they came from, ms since 1970; of a decision that is `repeated`, the present one; 0 for a budget without windows; null for a counter. */
  readonly period: number | null
}

/** Admitted under `onStoreUnavailable: 'allow'`, and not counted in any budget. Also a look (0 units) before the first join. */
export interface Unaccounted extends NoFigures {
  readonly admitted: true
  readonly unaccounted: true
  /** Its policy is on trial (`shadow`), and without it the call would have failed, or been denied because the store is away. */
  readonly shadow?: 'failed'
  readonly repeated?: undefined
  readonly from?: undefined
  readonly reason?: undefined
  readonly retryAfterMs?: undefined
}

export type Denied = Refused | Unavailable

/** The units are not there. */
export interface Refused extends Figures {
  readonly admitted: false
  readonly reason: Exclude<DenialReason, 'unavailable'>
  /** The time until a retry may help, in ms, at least 1; absent when waiting does not help. */
  readonly retryAfterMs?: number
  readonly shadow?: undefined
  readonly repeated?: undefined
  readonly from?: undefined
  readonly unaccounted?: undefined
}

/** Denied under `onStoreUnavailable: 'deny'`. */
export interface Unavailable extends NoFigures {
  readonly admitted: false
  readonly reason: 'unavailable'
  readonly retryAfterMs?: undefined
  readonly shadow?: undefined
  readonly repeated?: undefined
  readonly from?: undefined
  readonly unaccounted?: undefined
}

/**
 * `exhausted`: the units are spent, or set aside by reservations. `reserved`: other owners hold them, and did not return them in time.
 * `over-limit`: the cost is above everything minted, so it can never be admitted under the present limit.
 * `refunded`: they were admitted under the same `id`, and all of them have been given back.
 * `unavailable`: the store did not answer in time, and `onStoreUnavailable` is `deny`: whether the units are there is not known.
 */
export type DenialReason = 'exhausted' | 'reserved' | 'over-limit' | 'refunded' | 'unavailable'
