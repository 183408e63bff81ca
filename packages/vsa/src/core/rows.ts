import type { Outcome } from './exchange.ts'

/* The rows that a store keeps (protocol.md section 1). Plain data; times are store time in ms since 1970. */

/** One epoch of one engine. */
export interface OwnerRow {
  readonly epoch: number
  /** A random text. A store that was restored from a backup gives epochs out again, but no token. */
  readonly token: string
  /** A label of the process, for display. */
  readonly label: string
  readonly state: 'open' | 'closed'
  /** The last seq that was applied; 0 at first. */
  readonly seq: number
  /** The part of that seq's outcome that is not in the rows. */
  readonly outcome: Outcome
  /** Store time of its last transaction. */
  readonly seenAt: number
  /** Reaped when store time passes this. */
  readonly expiresAt: number
  /** How long the epoch lives after each exchange, in ms. */
  readonly leaseTtlMs: number
  /** The process, where it is known: a dead one is reaped at once (S8). Opaque here. */
  readonly process: string | null
}

/** `minted = used + pool + burned + sum(held)` */
export interface BudgetRow {
  readonly key: string
  readonly period: number
  readonly kind: 'initial' | 'window'
  readonly minted: number
  readonly used: number
  /** Negative after a limit was lowered below what is used and leased. */
  readonly pool: number
  readonly burned: number
  readonly limit: number
  readonly burnMax: number
  readonly version: number
  readonly wantedUntil: number
  readonly endsAt: number | null
  readonly keepUntil: number | null
}

export interface LeaseRow {
  readonly key: string
  readonly period: number
  readonly epoch: number
  /** Above 0 while the row exists. */
  readonly held: number
}

/** Units minted once under an id, for ever. */
export interface MintRow {
  readonly key: string
  readonly id: string
  readonly units: number
}

export interface CounterRow {
  readonly key: string
  /** Any safe integer. */
  readonly value: number
}

/** The last leap of store time (S8, S10). All times are store time, ms since 1970; all 0 when there was none. */
export interface Leap {
  readonly from: number
  readonly at: number
  /** Nothing is removed before, except by a handle whose own clock says so: raised as long as a clock contradicts store time. */
  readonly until: number
}
