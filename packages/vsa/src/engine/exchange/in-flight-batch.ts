import { invariant } from '../../core/errors.ts'
import type { ChangeCall } from '../requests/change-calls.ts'
import type { PendingRequest, RequestForm } from '../requests/pending-request.ts'
import type { CounterState } from '../budget/counter-state.ts'
import { LeasedRow } from '../rows/leased-row.ts'
import type { Remembered } from './recollection.ts'
import type { FlushRequest } from './send-queue.ts'

/** What one batch carries, and for which requests: rows line up with entries, runs with takes. */
export interface InFlightBatch {
  readonly rows: (LeasedRow | CounterState | null)[]
  readonly runs: readonly Run[]
  /** The changes of reservations that it carries, in order. */
  readonly changes: readonly ChangeCall[]
  /** F5: rows that it restates, by index: then it carries nothing else, and has no `rows`. */
  readonly restated?: readonly Remembered[]
  /** Flushes that are complete when this batch has been acknowledged. */
  readonly flushes: readonly FlushRequest[]
}

/** Equal requests in order of arrival. */
export interface Run {
  readonly rows: readonly LeasedRow[]
  readonly costs: readonly number[]
  readonly form: RequestForm
  readonly requests: PendingRequest[]
  /** Their callers. */
  count: number
}

export function isLeasedRow(row: LeasedRow | CounterState | null | undefined): row is LeasedRow {
  return row instanceof LeasedRow
}

/** Holds the batch in flight, of which there is one at most (O2). */
export class InFlightSlot {
  #batch: InFlightBatch | null = null

  /** Null when nothing is in flight. */
  get batch(): InFlightBatch | null {
    return this.#batch
  }

  put(batch: InFlightBatch): void {
    this.#batch = batch
  }

  take(): InFlightBatch {
    const batch = this.#batch
    invariant(batch !== null, 'an answer belongs to a batch in flight')
    this.#batch = null
    return batch
  }
}
