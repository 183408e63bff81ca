import type { AskOp, Books, CreditBatch, CreditOp, ExchangeAnswer, Intent } from './books.ts'

/* The state of the model. A step copies what it changes. */

export interface CreditOwner {
  readonly epoch: number
  readonly seq: number
  /** In flight: sent again until its answer is certain (O2). */
  readonly sent: CreditBatch | null
  /** What the network carries back. It may be lost, or heard at any time. */
  readonly answer: ExchangeAnswer | null
  /** Units of a lease that are left, and what was spent of it since the last flush. */
  readonly left: number
  readonly spent: number
  /** What it owes for a late grant. Only a canary gives that back. */
  readonly owed: CreditOp | null
}

export interface Transaction {
  readonly state: 'none' | 'open' | 'committed' | 'rolled back'
  readonly intent: Intent
  /** What its settlement is owed: it committed before the reservation ended. */
  readonly owed: number
}

/** One list that was granted. A reservation of `all` has one for each key. */
export interface Grant {
  readonly id: string
  readonly request: string
  readonly kind: AskOp['kind']
  readonly onExpire: AskOp['onExpire']
  readonly list: readonly string[]
  readonly shares: readonly number[]
  /** Of a reservation. Of an admission, when it was granted. */
  readonly expiresAt: number
  readonly settled: { readonly shares: readonly number[]; readonly uncovered: number; readonly until: number } | null
  readonly refund: { readonly back: readonly number[]; readonly until: number } | null
  /** Keys that were reset after it was final: its units there count no more. */
  readonly waived: readonly string[]
}

export interface CreditState {
  readonly books: Books
  readonly owners: readonly [CreditOwner, CreditOwner]
  /** Batches of ended owners that have not reached the store. */
  readonly late: readonly CreditBatch[]
  readonly transactions: readonly Transaction[]
  /** How often each ask was sent. */
  readonly asked: readonly number[]
  readonly joins: number
  readonly events: number
  /** Intents that an upkeep has read. Only a canary reads them ahead of its time. */
  readonly read: readonly Intent[] | null
  /** What the laws know, independently of the books. */
  readonly grants: readonly Grant[]
  /** By key: units admitted without an id, less what was given back without one. */
  readonly plain: Readonly<Record<string, number>>
  /** By `key id`. */
  readonly mints: Readonly<Record<string, number>>
}

/** What may happen at most. */
export interface CreditBounds {
  readonly what: string
  /** Budgets with their first pools. */
  readonly pools: Readonly<Record<string, number>>
  /** Overage counters. */
  readonly counters: readonly string[]
  /** A budget whose row is made later, without units. */
  readonly unmade?: string
  /** What callers ask for, by any owner, and how often. */
  readonly asks: readonly (readonly [op: CreditOp, times: number])[]
  readonly transactions?: readonly Omit<Intent, 'number'>[]
  /** A lease that the second owner holds at the start. */
  readonly lease?: { readonly key: string; readonly units: number }
  /** A budget that is reset once. */
  readonly reset?: string
  /** A budget whose row is removed once, when nothing is reserved of it. */
  readonly removed?: string
  readonly timeMax: number
  /** An answer may be lost, and its batch is sent again. By S2 that only delays the same answer, unless the epoch has ended. */
  readonly isLossy?: boolean
  /** Epochs that may begin beyond the first two. Without any, a batch is sent, applied and answered at once. */
  readonly joins: number
}
