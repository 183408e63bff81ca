import type { Settings } from '../api/settings.ts'
import type { ChangeCalls } from '../requests/change-calls.ts'
import type { PendingRequest, Verdict } from '../requests/pending-request.ts'
import type { RequestTable } from '../requests/row-requests.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'
import type { Recollection } from './recollection.ts'
import type { RefundWaits } from './refund-waits.ts'
import type { SendQueue } from './send-queue.ts'

/** The verdicts of requests that the store does not answer any more: by `onStoreUnavailable`. */
export interface UnansweredVerdicts {
  /** O5: the epoch is over, and the store does not know what became of its last batch. Counts the verdict. */
  forgotten(request: PendingRequest): Verdict
  /** F3: the store grants nothing now, and the engine closes. Counts the verdict. */
  frozen(request: PendingRequest): Verdict
}

/** What the parts of the exchange room share. */
export interface ExchangeParts {
  readonly settings: Settings
  readonly session: Session
  readonly leases: LeaseTable
  /** Requests that wait for the store. */
  readonly waiting: WaitQueue
  /** Changes of reservations that wait for the store. */
  readonly changes: ChangeCalls
  /** Requests that wait for one row's exchange. */
  readonly requests: RequestTable
  readonly sendQueue: SendQueue
  /** What the store has answered, and may forget. */
  readonly recollection: Recollection
  /** Flushes that wait for refunds. */
  readonly refundWaits: RefundWaits
  readonly metrics: Metrics
  readonly unanswered: UnansweredVerdicts
}
