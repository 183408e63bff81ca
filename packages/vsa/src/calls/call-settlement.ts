import type { CountedTokens } from './token-usage.ts'

/**
 * How a call ended. `finished`: its answer was complete. `aborted`: by its caller. `broken`: the connection, or the provider, in the middle. `stopped`: by its
 * budget, or because nothing was read. `failed`: it brought no answer.
 */
export type CallOutcome = 'finished' | 'aborted' | 'broken' | 'stopped' | 'failed'

/** What a call cost. */
export interface CallSettlement {
  /** Of the budget. */
  readonly key: string
  readonly model: string
  /** Of the reservation, where it has one. */
  readonly id?: string
  readonly outcome: CallOutcome
  /** What was reserved in the end, extensions included. */
  readonly reservedUnits: number
  /** What the call used. */
  readonly usedUnits: number
  /** What of it the budget was charged. */
  readonly settledUnits: number
  /** What of it the budget did not have. */
  readonly uncoveredUnits: number
  readonly tokens: CountedTokens
  /** The provider did not tell all of them: what is lacking was counted here. */
  readonly isEstimated: boolean
  /**
   * The store did not say in time that the call is settled. With an id it may become so yet, by any process; until then all that was reserved stays charged.
   * Without an id all that was reserved is charged, and what was used beyond it is uncovered. Also what the overage counter threw: then the figures hold.
   */
  readonly error?: unknown
}
