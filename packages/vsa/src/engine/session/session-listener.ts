import type { Clock } from '../../core/clock.ts'
import type { StoreError } from '../../core/errors.ts'
import type { AppliedAnswer, Batch, FencedAnswer, BreachedRow } from '../../core/exchange.ts'
import type { Store } from '../../core/store.ts'
import type { EventSink } from '../runtime/event-sink.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { BatchContent } from './state-machine.ts'

/** What the session reports to the engine. Never called from inside a call of the engine to the session. */
export interface SessionListener {
  /** A new epoch is open and nothing is in flight. `forgot`: the store has lost writes since the one before (F9). */
  readonly opened: (epoch: number, forgot: boolean) => void
  /** The batch in flight counts, once. */
  readonly settled: (batch: Batch, answer: AppliedAnswer) => void
  /** The epoch is over. `batch`: what was in flight; `answer` says what became of it, null when the store has lost it. */
  readonly fenced: (batch: Batch, answer: FencedAnswer | null) => void
  /** The session has left its epoch, because the store has lost writes. Nothing was in flight. */
  readonly left: (epoch: number) => void
  /** F8: leases are not to be spent from until another answer has come, or may be again. */
  readonly leasesStop: (isStopped: boolean) => void
  /** The row is to be left out: returns what to send instead, under the same seq; null when the batch has no such row. */
  readonly voided: (batch: Batch, row: BreachedRow | undefined, detail: string) => BatchContent | null
  /** The closing batch counts: the engine has closed its epoch. */
  readonly ended: (batch: Batch, answer: AppliedAnswer | FencedAnswer) => void
  /** An attempt to join or to exchange failed; another follows. */
  readonly failed: (error: StoreError) => void
}

export interface SessionOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: () => number
  readonly label: string
  readonly flushIntervalMs: number
  /** The user has handed in the clock. Whether it is the store's is looked at elsewhere. */
  readonly isClockGiven: boolean
  readonly exchangeTimeoutMs: number
  readonly emit: EventSink
  readonly metrics: Metrics
}
