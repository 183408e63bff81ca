import type { Clock } from '../../core/clock.ts'
import type { Store } from '../../core/store.ts'
import type { VsaEvent } from '../runtime/events.ts'

export interface OpenOptions {
  readonly store: Store
  /** What this process calls itself in `vsa inspect`. Default: host name and pid. */
  readonly label?: string
  /** How often changes are made durable, in ms, 1 to 3,600,000. Default 100. */
  readonly flushIntervalMs?: number
  /** How long `admit` and `decide` wait for the store, in ms, 1 to 3,600,000. Default 5,000. */
  readonly deadlineMs?: number
  /** How long one exchange may take before it is sent again, in ms. Default 2,000. */
  readonly exchangeTimeoutMs?: number
  /**
   * Requests that may wait at once (admissions, mints, counter reads, flushes, peeks, `ready`); one more throws `too_many_waiters`. Default
   * 1,000,000. So does an admission in a crowd as soon as it is clear that its turn would come after its deadline.
   */
  readonly waitersMax?: number
  /**
   * Budgets kept in memory, and counters; idle ones above this are evicted, which changes nothing (L9). While the store is away, refunds,
   * mints and additions of no more budgets and counters than this are kept: one more throws `store_unavailable`. Default 1,048,576.
   */
  readonly budgetsMax?: number
  /** What a request gets when the store does not answer and no lease covers it. Default `throw`. */
  readonly onStoreUnavailable?: 'throw' | 'deny' | 'allow'
  /** Fractions of what was minted, above 0 and at most 1, at which a `threshold` event is raised: once each for a period and what it has minted. Default `[0.8, 1]`. */
  readonly thresholds?: readonly number[]
  /**
   * Gets every event, in order, after the work that raised it; without it, warnings go to `console.warn`. It may call anything, also `close`.
   * It may be async: nothing waits for it. An error that it throws or rejects with is printed.
   */
  readonly onEvent?: (event: VsaEvent) => unknown
  /** For tests: the store takes its time from it, too, unless it has a source of its own. Default: the machine's. */
  readonly clock?: Clock
  /** Numbers in [0, 1), for the jitter of retries. Default `Math.random`. */
  readonly random?: () => number
}
