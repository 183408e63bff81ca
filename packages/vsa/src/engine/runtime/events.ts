import type { StoreError } from '../../core/errors.ts'

/** What the engine reports to `onEvent`. {@link isWarning} gives the severity of each. */
export type VsaEvent =
  | { readonly type: 'joined'; readonly epoch: number }
  | { readonly type: 'fenced'; readonly epoch: number; readonly unitsLost: number }
  | {
      readonly type: 'burned'
      readonly key: string
      readonly period: number
      readonly units: number
      readonly burned: number
    }
  | { readonly type: 'burn_limit'; readonly key: string; readonly period: number; readonly burned: number }
  | { readonly type: 'store_away'; readonly error: StoreError }
  | { readonly type: 'store_back'; readonly downMs: number }
  | { readonly type: 'store_forgot'; readonly epoch: number; readonly detail: string }
  /**
   * Store time is more than an hour ahead of this process's clock, or of what it was: a process with a wrong clock has used the store. Periods end
   * by store time. Set that clock, then `vsa repair-clock STORE`. Nothing is removed within one lease lifetime. Also after the machine was suspended.
   */
  | {
      readonly type: 'clock_leap'
      readonly byMs: number
      /** Store time now, ms since 1970. */
      readonly time: number
    }
  /** The engine was given a clock, and the store goes by another one. Times are ms since 1970. */
  | { readonly type: 'clock_differs'; readonly storeTime: number; readonly clockTime: number; readonly detail: string }
  | { readonly type: 'row_lost'; readonly key: string; readonly period: number }
  /** P6: another call has deleted the budget. `units` were spent by this process since the last answer, and are in no account. */
  | { readonly type: 'deleted'; readonly key: string; readonly period: number; readonly units: number }
  | { readonly type: 'policy_conflict'; readonly key: string; readonly declared: number; readonly holds: number }
  /** P1: the limit of a row that this process uses was changed by another one. */
  | {
      readonly type: 'policy_changed'
      readonly key: string
      readonly period: number
      readonly from: number
      readonly to: number
    }
  | {
      readonly type: 'threshold'
      readonly key: string
      readonly period: number
      readonly fraction: number
      readonly used: number
      readonly limit: number
      /** What counts it in `stats().policies`: the name of its family, `:single` or `:other`. */
      readonly policy: string
    }
  | { readonly type: 'cost_above_lease'; readonly key: string; readonly units: number; readonly atRisk: number }
  | { readonly type: 'refunds_refused'; readonly key: string; readonly period: number; readonly units: number }
  | { readonly type: 'counter_overflow'; readonly key: string; readonly pending: number }
  /** The store forgot the epoch that sent them: they may be in the counter, and are not sent again, so that they never count twice. */
  | { readonly type: 'additions_lost'; readonly key: string; readonly sum: number }
  /**
   * T1: what a transaction of yours has written (`{ db }`) can never be applied, and was removed: nothing was settled or minted by it. `unknown_id`: no
   * reservation has the id, or it was forgotten; `id_conflict`: other units were minted under the id; `units_overflow`: minted would be 2^53 or more.
   * `detail` says what to do. Told once, to the process that removed it.
   */
  | {
      readonly type: 'intent_dropped'
      readonly op: 'settle' | 'mint'
      readonly key: string
      readonly id: string
      readonly units: number
      readonly reason: 'unknown_id' | 'id_conflict' | 'units_overflow'
      readonly detail: string
    }
  | { readonly type: 'quarantined'; readonly key: string; readonly detail: string }
  /** A bug in VSA that no budget can be named for. What was under way may be left undone; the engine goes on. */
  | { readonly type: 'internal_error'; readonly error: unknown }

/** Whether the event is printed where there is no listener. */
export function isWarning(event: VsaEvent): boolean {
  switch (event.type) {
    case 'joined':
    case 'store_back':
    case 'threshold':
    case 'policy_changed':
    case 'deleted':
      return false
    case 'fenced':
      // An idle owner that held no lease lost nothing.
      return event.unitsLost > 0
    case 'burned':
    case 'burn_limit':
    case 'store_away':
    case 'store_forgot':
    case 'clock_leap':
    case 'clock_differs':
    case 'row_lost':
    case 'policy_conflict':
    case 'cost_above_lease':
    case 'refunds_refused':
    case 'counter_overflow':
    case 'additions_lost':
    case 'intent_dropped':
    case 'quarantined':
    case 'internal_error':
      return true
  }
}
