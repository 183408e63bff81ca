import type { Window } from './calendar.ts'
import type { RowPolicy } from './exchange.ts'
import type { Policy } from './policy.ts'

export type { Window } from './calendar.ts'

/** A policy ready for use: checked, its defaults filled in, its windows computed on demand. */
export interface Plan extends PlanTerms {
  /** As it was declared, for display. Equivalent policies share one plan, and so the policy that was declared first. */
  readonly policy: Policy
}

/** What follows from a policy. */
export interface PlanTerms {
  readonly kind: 'initial' | 'window'
  /** Units minted per period; for `initial`, at creation. */
  readonly limit: number
  /** The largest lease, in units. */
  readonly atRisk: number
  /** No lease grows once this many units of a period have burned. */
  readonly burnMax: number
  /** Declared with `atRisk: 0`, or `initial` by default: every admission waits for the store. */
  readonly durable: boolean
  /** Instead of the thresholds of the engine; null: those. */
  readonly warnAt: readonly number[] | null
  /** What would be denied is admitted and spends nothing (P7). */
  readonly shadow: boolean
  /** Equal for equivalent policies, however they are written. */
  readonly fingerprint: string
  /** The window that holds `time` (ms since 1970): the same object for the same window while it is cached. */
  windowAt(time: number): Window
  /** The window that starts where `window` ends; without windows, the same one. */
  after(window: Window): Window
  /** The policy of the row of `window` in the store. `version`: the declaring owner's epoch. */
  rowPolicy(window: Window, version: number): RowPolicy
}
