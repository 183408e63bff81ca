import type { Applied } from '../../core/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowView } from '../budget/row-view.ts'

/** How a request ended. */
export type Verdict =
  /** `rows`: those that the units came from, in the order of the needs; none where no units were asked for. */
  | { readonly kind: 'admitted'; readonly rows: readonly RowView[] }
  /** `row`: the row that lacked them; null when nothing is known of it. */
  | { readonly kind: 'denied'; readonly gate: Gate; readonly units: number; readonly row: RowView | null }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The store did not answer, and `onStoreUnavailable` says to admit. */
  | { readonly kind: 'unaccounted' }

/** One budget and the units wanted of it, at least 1. */
export interface GateNeed {
  readonly gate: Gate
  readonly units: number
}

/** A request that waits for the store: an admission of one or of several budgets, all or nothing. */
export interface PendingRequest {
  readonly needs: readonly GateNeed[]
  /** Resolve only when durable: never served from a lease before its exchange is acknowledged. */
  readonly durable: boolean
  /** How long it may wait, and until when by the owner's monotonic clock. */
  readonly deadlineMs: number
  readonly deadlineAtMs: number
  /** Called once, with the verdict. */
  readonly resolve: (verdict: Verdict) => void
  state: RequestState
  /** The store has refused it once, for units that other owners may yet return. */
  refused: boolean
  /** It was admitted without a record: what it is granted afterwards stays taken. */
  unaccounted: boolean
}

/**
 * `queued`: goes with the next exchange. `parked`: goes with the next flush, when other owners may have returned units.
 * `sent`: in flight. `resolved`: it has its verdict. A late grant is refunded (O10).
 */
export type RequestState = 'queued' | 'parked' | 'sent' | 'resolved'

/** Whether what it asks for may have been applied without an answer. */
export function appliedOf(request: PendingRequest): Applied {
  return request.state === 'sent' ? 'unknown' : 'no'
}

export function unitsOf(needs: readonly GateNeed[]): number {
  return needs.reduce((total, { units }) => total + units, 0)
}
