import type { Applied } from '../../core/errors.ts'
import type { Account } from '../rows/row-lease.ts'
import type { Gate } from '../budget/gate.ts'

/** How a request ended. */
export type Verdict =
  /** `account`: the row of the first need that the units came from; null where nothing was asked for. */
  | { readonly kind: 'admitted'; readonly account: Account | null }
  /** `account`: the row that lacked them; null when nothing is known of it. */
  | { readonly kind: 'denied'; readonly gate: Gate; readonly units: number; readonly account: Account | null }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The store kept us from knowing, and the user said to admit then. */
  | { readonly kind: 'unaccounted' }

/** One budget and the units wanted of it, at least 1. */
export interface GateNeed {
  readonly gate: Gate
  readonly units: number
}

/** A request that waits for the store: an admission of one or of several budgets, all or nothing. */
export interface Waiter {
  readonly needs: readonly GateNeed[]
  /** Resolve only when durable: never served from a lease before its exchange is acknowledged. */
  readonly durable: boolean
  /** How long it may wait, and until when by the owner's monotonic clock. */
  readonly deadlineMs: number
  readonly deadlineAtMs: number
  /** Called once, with the verdict. */
  readonly tell: (verdict: Verdict) => void
  state: WaiterState
  /** The store has refused it once, for units that others may yet return. */
  refused: boolean
  /** It was told to go ahead without account: what it is granted afterwards stays taken. */
  unaccounted: boolean
}

/**
 * `queued`: rides with the next exchange. `parked`: rides with the next flush, when others may have returned units.
 * `sent`: under way. `told`: answered; what it is granted afterwards is given back (O10).
 */
export type WaiterState = 'queued' | 'parked' | 'sent' | 'told'

/** Whether what it asks for may have been applied without an answer. */
export function appliedOf(waiter: Waiter): Applied {
  return waiter.state === 'sent' ? 'unknown' : 'no'
}
