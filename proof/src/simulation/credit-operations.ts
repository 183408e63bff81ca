import type { OnExpire } from '../../../packages/vsa/dist/index.js'

/** What is asked for under an id, or without one. A repeat is the same request in another action. */
export interface CreditRequest {
  /** Names what this process keeps of it where there is no id. */
  readonly tag: number
  /** By index, each once, in order. */
  readonly budgets: readonly number[]
  /** `one` budget, `all` of them, or the `first` that have units (V1). */
  readonly form: 'one' | 'all' | 'first'
  /** V3: the counter, by index, that takes what the budgets lack; null where there is none. Of the form `first` alone. */
  readonly overage: number | null
  /** Of each budget; of the form `first` in all. */
  readonly units: number
  /** Null: kept by the process alone. */
  readonly id: string | null
}

export type CreditOperation =
  | {
      readonly kind: 'reserve'
      readonly request: CreditRequest
      readonly ttlMs: number
      readonly onExpire: OnExpire
    }
  | {
      readonly kind: 'admit'
      readonly request: CreditRequest
      /** Asks for the record, in place of a boolean. */
      readonly isDecided: boolean
      readonly deadlineMs: number | null
    }
  /** R4. @param at which of its budgets names it */
  | {
      readonly kind: 'settle'
      readonly request: CreditRequest
      readonly at: number
      /** Null: `cancel`. */
      readonly units: number | null
    }
  /** R5. */
  | {
      readonly kind: 'extend'
      readonly request: CreditRequest
      readonly at: number
      readonly units: number
      readonly ttlMs: number
    }
  /** I2: by the id; without one, with the decision. */
  | { readonly kind: 'give-back'; readonly request: CreditRequest; readonly at: number; readonly units: number }
