import type { Settings } from '../api/settings.ts'
import type { RequestTable } from '../requests/row-requests.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'
import type { RefundWaits } from './refund-waits.ts'
import type { SendQueue } from './send-queue.ts'

/** What the parts of the exchange room share. */
export interface ExchangeParts {
  readonly settings: Settings
  readonly session: Session
  readonly leases: LeaseTable
  /** Requests that wait for the store. */
  readonly waiting: WaitQueue
  /** Requests that wait for one row's exchange. */
  readonly requests: RequestTable
  readonly sendQueue: SendQueue
  /** Flushes that wait for refunds. */
  readonly refundWaits: RefundWaits
  readonly metrics: Metrics
}
