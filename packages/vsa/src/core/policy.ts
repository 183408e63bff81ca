/** The policies that a user declares (design.md section 4). */
export type Policy = InitialPolicy | WindowPolicy

/** What every policy may have. */
export interface PolicyOptions {
  /**
   * The most units that a crash may burn, which is the largest lease. 0 makes the budget durable.
   * 0 to the limit; for `initial` to 2^53 - 1, because units may come by `mint`.
   * Default: 0 for `initial`; for `limit`, 1 % of the limit rounded up, at least 32 for periods up to a minute; never more than the limit.
   */
  readonly atRisk?: number
  /**
   * Once this many units have burned in a period, the budget admits durably until the period ends. 0: it never leases.
   * Default: 5 % of the limit, rounded up; for `initial`, at least `atRisk`.
   */
  readonly burnMax?: number
  /** Fractions of what was minted, above 0 and at most 1, at which `threshold` is raised for this budget, in place of `thresholds` of `open`. */
  readonly warnAt?: readonly number[]
  /**
   * Tries the policy out: what it would deny, and what would fail because of the store, is admitted, spends nothing, and is counted in
   * `stats().shadowDeniedUnits`. Default false.
   */
  readonly shadow?: boolean
}

/** That many units, plus every `mint`. Durable by default. */
export interface InitialPolicy extends PolicyOptions {
  /** Units minted when the budget is first seen, 0 to 2^53 - 1. Changing it later changes nothing: mint instead. */
  readonly initial: number
}

/** `limit` units in each period. */
export interface WindowPolicy extends PolicyOptions {
  /** Units per period, 0 to 2^53 - 1. */
  readonly limit: number
  readonly per: Per
  /** Time zone of a calendar period: an IANA name, or a fixed offset such as `+02:00`. Default `UTC`. */
  readonly timeZone?: string
  /** The day on which a billing month begins, 1 to 31 (the last day where a month is shorter). Only with `per: 'month'`. Default 1. */
  readonly startDay?: number
  /** How long a past period's row is kept, in ms. Default: none for periods under a day, 400 days for others; never less than one period. */
  readonly retentionMs?: number
}

export type CalendarUnit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

/** A calendar unit (weeks begin on Monday), or a whole number of milliseconds, counted from 1970. */
export type Per = CalendarUnit | number

/** A hundred years: the longest period and retention, in ms. */
export const PERIOD_MAX_MS: number = 36_525 * 86_400_000
