import type { CreditOperation } from './credit-operations.ts'
import type { DecisionKind } from './past-decisions.ts'
import type { Policy } from '../../../packages/vsa/dist/index.js'

/** The complete input of one run. Plain data: drawn from a seed, shortened by removing actions, kept in the corpus. */
export interface Script {
  readonly seed: number
  readonly setting: Setting
  readonly actions: readonly Action[]
}

export interface Setting {
  /** The store under test. */
  readonly store: 'memory' | 'sqlite' | 'sqlite-thread'
  /** Wall time at first, ms since 1970. */
  readonly startMs: number
  readonly leaseTtlMs: number
  readonly flushIntervalMs: number
  readonly deadlineMs: number
  readonly exchangeTimeoutMs: number
  readonly budgetsMax: number
  readonly waitersMax: number
  readonly onStoreUnavailable: 'throw' | 'deny' | 'allow'
  readonly budgets: readonly BudgetSetting[]
  /** Many equal budgets, for scripts that exceed the limits of one slice or batch; null in most scripts. */
  readonly wide: WideSetting | null
  readonly counters: readonly string[]
  /** Places for processes: each has one at a time. */
  readonly places: number
  /** A bug in every owner: entries of this budget claim to have spent more than was leased. */
  readonly corrupt: string | null
  readonly faultRates: FaultRates
}

export interface WideSetting {
  readonly rows: number
  /** The setting of each budget; a number from 0 is appended to its key. */
  readonly budget: BudgetSetting
}

export interface BudgetSetting {
  readonly key: string
  /** One for each version of the service; process n declares the policy n modulo their number. */
  readonly policies: readonly [Policy, ...Policy[]]
  /** The most that any of the policies leases to one owner. */
  readonly atRiskMax: number
  /** The largest `burnMax` of the policies: it is not known here which policy a row has. */
  readonly burnMaxMost: number
  readonly windowed: boolean
  /** Its period, if any, does not end during a run. */
  readonly lasting: boolean
}

/** The probability of each fault of a message; together at most 1. */
export interface FaultRates {
  readonly refused: number
  readonly requestLost: number
  readonly answerLost: number
  readonly reset: number
  readonly duplicated: number
  readonly slow: number
  readonly storeDies: number
  readonly latencyMaxMs: number
  readonly slowMaxMs: number
}

export type Action = { readonly atMs: number; readonly place: number } & Operation

export type Operation =
  | CreditOperation
  | {
      readonly kind: 'ask'
      readonly budget: number
      readonly units: number
      readonly durable: boolean | null
      readonly deadlineMs: number | null
      readonly abortAfterMs: number | null
      readonly times: number
    }
  | { readonly kind: 'try'; readonly budget: number; readonly units: number; readonly times: number }
  | { readonly kind: 'all'; readonly budgets: readonly number[]; readonly units: number }
  /** Asks for `units` of each of the wide budgets from number `from` on, in one turn. */
  | { readonly kind: 'sweep'; readonly from: number; readonly rows: number; readonly units: number }
  | { readonly kind: 'churn'; readonly budget: number; readonly times: number }
  | { readonly kind: 'refund'; readonly budget: number; readonly units: number; readonly which: RefundKind }
  | { readonly kind: 'mint'; readonly budget: number; readonly units: number; readonly id: string }
  | { readonly kind: 'add'; readonly counter: number; readonly units: number }
  | { readonly kind: 'count'; readonly counter: number }
  | { readonly kind: 'flush'; readonly returnLeases: boolean }
  | { readonly kind: 'peek'; readonly budget: number }
  /** P5 */
  | { readonly kind: 'reset'; readonly budget: number }
  /** P6 */
  | { readonly kind: 'delete'; readonly budget: number }
  | { readonly kind: 'misuse'; readonly budget: number; readonly how: number }
  | { readonly kind: 'close'; readonly deadlineMs: number; readonly twice: boolean }
  /** A kill; a new process takes the place later. */
  | { readonly kind: 'crash'; readonly restartAfterMs: number }
  /** A new process in the place while the old one closes: a rolling deploy. */
  | { readonly kind: 'replace' }
  | {
      readonly kind: 'stand'
      readonly how: 'stopped' | 'suspended'
      readonly forMs: number
      readonly wakesWith: number
    }
  | { readonly kind: 'jump'; readonly who: 'store' | 'owner'; readonly byMs: number }
  /** Another program holds the store's lock. */
  | { readonly kind: 'lock'; readonly forMs: number }
  /** The store's clock is ten years ahead for a moment. */
  | { readonly kind: 'leap'; readonly forMs: number }
  | { readonly kind: 'outage'; readonly forMs: number; readonly how: 'refused' | 'silent' }

/** `own`: units that this process admitted. `other`: units that another process admitted. `twice`, `unknown`: units that were not admitted. `odd`: into an earlier or later period. */
export type RefundKind = 'own' | 'other' | 'twice' | 'unknown' | 'odd' | DecisionKind
