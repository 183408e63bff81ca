import type { CounterState } from '../budget/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { isLeasedRow } from './in-flight-batch.ts'
import type { FlushRequest } from './send-queue.ts'

/** A flush, and the rows that it waits for: how many units of refunds must have ended for each. */
interface RefundWait {
  readonly flush: FlushRequest
  readonly ends: Map<LeasedRow, number>
}

/**
 * Flushes whose batch has been acknowledged, and that wait for refunds made before them: the store has not accepted those yet, because
 * their admissions are in the delta of another owner (O4). Refunds made later are not waited for.
 */
export class RefundWaits {
  #waits: RefundWait[] = []

  get isEmpty(): boolean {
    return this.#waits.length === 0
  }

  /** The rows whose refunds a flush waits for. */
  *rows(): Generator<LeasedRow> {
    this.check()
    for (const { ends } of this.#waits) yield* ends.keys()
  }

  /** What this flush still waits for; undefined when that is not a refund. */
  of(reply: FlushRequest['reply']): LeasedRow | undefined {
    const wait = this.#waits.find(({ flush }) => flush.reply === reply)
    return wait === undefined ? undefined : [...wait.ends.keys()][0]
  }

  /** The batch that completes these flushes counts. @param rows those of the batch, settled */
  acknowledged(flushes: readonly FlushRequest[], rows: readonly (LeasedRow | CounterState | null)[]): void {
    if (flushes.length > 0) {
      const refused = rows.filter(isLeasedRow).filter(({ lease }) => lease.refused > 0)
      for (const flush of flushes) this.#waits.push({ flush, ends: new Map(refused.map((row) => [row, endOf(row)])) })
    }
    this.check()
  }

  /** Refunds have ended: resolves the flushes that wait for no others. */
  check(): void {
    if (this.isEmpty) return
    for (const { flush, ends } of this.#waits) {
      for (const [row, end] of ends) if (row.lease.refundsEnded >= end) ends.delete(row)
      if (ends.size === 0) flush.reply.resolve()
    }
    this.#waits = this.#waits.filter(({ flush }) => !flush.reply.settled)
  }
}

function endOf({ lease }: LeasedRow): number {
  return lease.refundsEnded + lease.refused
}
