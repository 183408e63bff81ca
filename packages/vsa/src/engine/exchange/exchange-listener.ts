import type { AppliedAnswer, Batch, FencedAnswer, BreachedRow } from '../../core/exchange.ts'
import { AnswerHandler } from './answer-handler.ts'
import type { ChangeIntake } from './change-intake.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { Fencing } from './fencing.ts'
import type { FlushScheduler } from './flush-scheduler.ts'
import { type InFlightBatch, isLeasedRow } from './in-flight-batch.ts'
import { Quarantine } from './quarantine.ts'
import { RefundSettlement } from './refund-settlement.ts'

/** Hears from the session what became of the batch in flight, and has it settled. */
export class ExchangeListener {
  readonly #parts: ExchangeParts
  readonly #scheduler: FlushScheduler
  readonly #intake: ChangeIntake
  readonly #answers: AnswerHandler
  readonly #fencing: Fencing
  readonly #quarantine: Quarantine
  readonly #refunds: RefundSettlement

  constructor(parts: ExchangeParts, scheduler: FlushScheduler, intake: ChangeIntake) {
    this.#parts = parts
    this.#scheduler = scheduler
    this.#intake = intake
    this.#answers = new AnswerHandler(parts)
    this.#fencing = new Fencing(parts, this.#answers)
    this.#quarantine = new Quarantine(parts)
    this.#refunds = new RefundSettlement(parts)
  }

  /** The session has an epoch, and nothing is in flight. @param forgot the store has lost writes since the last one */
  opened(forgot: boolean): void {
    if (forgot) this.#parts.recollection.forgot()
    this.#intake.opened()
    this.#scheduler.wake()
    this.#scheduler.arm()
  }

  settled(answer: AppliedAnswer): void {
    const batch = this.#scheduler.inFlight.take()
    try {
      this.#answers.settle(batch, answer, this.#scheduler.isClosing)
    } finally {
      this.#goOn(batch)
    }
    const lost = this.#parts.recollection.takeLoss()
    if (lost !== null)
      this.#parts.session.leave(`the row of budget ${JSON.stringify(lost)} is gone, of which this owner held a lease`)
  }

  /** F9: the session has left its epoch. */
  left(epoch: number): void {
    this.#fencing.leave(epoch)
  }

  /** Also after a bug: what was not settled is found and stopped when it is sent again. */
  #goOn(batch: InFlightBatch): void {
    for (const row of batch.rows) if (isLeasedRow(row) && row.held > 0) this.#scheduler.watchWindow(row)
    this.#scheduler.retryRefunds()
    // A refund that was not accepted goes with the next flush, not at once.
    const isRefundLeft = batch.rows.some((row) => isLeasedRow(row) && row.lease.refund > 0)
    if (this.#scheduler.lingers && isRefundLeft) this.#scheduler.arm()
    else this.#scheduler.settled(batch.rows.length)
  }

  fenced(batch: Batch, answer: FencedAnswer | null): void {
    try {
      this.#fencing.fence(batch, this.#scheduler.inFlight.take(), answer)
    } finally {
      this.#scheduler.reopen()
    }
  }

  /** S6 */
  voided(batch: Batch, row: BreachedRow | undefined, detail: string): Batch | null {
    return this.#quarantine.leaveOut(batch, this.#scheduler.inFlight.batch, row, detail)
  }

  /** The closing batch counts. A fenced answer with its own seq says so too (S9). */
  closed(answer: AppliedAnswer | FencedAnswer): void {
    this.#scheduler.end()
    const batch = this.#scheduler.inFlight.take()
    if (answer.kind === 'fenced') this.#fencing.settleClosed(batch, answer)
    else this.#answers.settle(batch, answer, true)
    for (const row of batch.rows) if (isLeasedRow(row)) this.#refunds.drop(row)
    this.#parts.refundWaits.check()
  }

  /** The engine gives up, and nothing more is sent: what was spent is counted now, and refunds that wait or are in flight as refused. */
  abandoned(): void {
    const { leases, sendQueue } = this.#parts
    sendQueue.abandon()
    for (const row of leases.all()) {
      row.gate.metrics.spentUnits += row.lease.spentSince
      this.#refunds.drop(row, row.lease.sent?.refund)
    }
  }
}
