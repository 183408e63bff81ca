import type { BudgetAnswer, EntryAnswer } from '../../core/exchange.ts'
import { rowLostError } from '../api/errors.ts'
import { type MintRequest, settleMint } from '../requests/mint-request.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { AnswerEvents } from './answer-events.ts'
import { Confirmations } from './confirmations.ts'
import { forgetDeleted } from './deleted-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { RefundSettlement } from './refund-settlement.ts'
import { isLost, wasEarly } from './row-absence.ts'
import { TakeAnswers } from './take-answers.ts'

/** How one row has its answer. */
interface Arrival {
  /** Units that the exchange took from the row. */
  readonly taken: number
  /** When the answer came. Read once, so that rows answered together share their times. */
  readonly nowMs: number
}

/** Takes the answer to one entry into its row. */
export class RowAnswers {
  readonly #parts: ExchangeParts
  readonly #events: AnswerEvents
  readonly #confirmations: Confirmations
  readonly #refunds: RefundSettlement
  readonly #takes: TakeAnswers

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#events = new AnswerEvents(parts.settings.emit, parts.settings.thresholds)
    this.#confirmations = new Confirmations(parts)
    this.#refunds = new RefundSettlement(parts)
    this.#takes = new TakeAnswers(parts)
  }

  /**
   * @throws InvariantError before the row has changed, when more was spent than the store says is held
   */
  settle(row: LeasedRow, answer: EntryAnswer, arrival: Arrival): void {
    if (answer.kind === 'budget') this.#acknowledge(row, answer, arrival)
    else if (answer.kind === 'removed') this.#settleRemoved(row, answer.refunded)
    // This process deleted it itself, and store time has leapt by more than the store remembers that.
    else if (answer.kind === 'deleted' || (answer.kind === 'row_lost' && this.#isDeleter(row))) this.#forget(row)
    else if (answer.kind !== 'counter') this.#refuse(row, arrival.nowMs)
  }

  #acknowledge(row: LeasedRow, answer: BudgetAnswer, { taken, nowMs }: Arrival): void {
    const { sent, figures: kept } = row.lease
    const { held, isKnown: known, gate, window, reach } = row
    const before = kept ?? knownFigures(row)
    const { refunded, mint } = answer
    row.acknowledge(answer)
    if (gate.knownWindow === null || gate.knownWindow.start < window.start) gate.knownWindow = window
    if (gate.knownWindow.start === window.start) gate.knownFigures = oddFigures(row, answer)
    this.#pause(row, nowMs, row.reach > reach)
    const { recollection, session } = this.#parts
    if (session.mayForget) recollection.remember(row, answer.minted - answer.pool, nowMs + session.leaseTtlMs)
    this.#parts.leases.touch(row, held)
    const mintSent = this.#takeMintSent(row)
    if (mintSent !== null) settleMint(row.key, mintSent, mint ?? 'repeated')
    this.#confirmations.confirmAll(row)
    for (const { reply } of this.#parts.requests.find(row)?.takeCallsSent() ?? []) reply.resolve()
    if (sent !== null) this.#refunds.settle(row, sent.refund, refunded)
    // P4: the limit was lowered below what is spent and leased: the lease goes back now.
    if (answer.pool < 0 && answer.held > 0) this.#parts.sendQueue.markUrgent(row)
    const usedBefore = kept?.used ?? answer.used + refunded - taken - (sent?.spent ?? 0)
    this.#events.compare(row, { figures: before, used: usedBefore, known }, answer)
  }

  /** S10: the exchange counted, and then the row's retention passed. Nothing was leased from it any more, unless it was deleted (P6). */
  #settleRemoved(row: LeasedRow, refunded: number): void {
    const { held, key, window } = row
    const { sent, spentSince: units } = row.lease
    row.lose()
    // The next answer tells of the deletion, when nothing is known any more of what was spent.
    if (units > 0) this.#parts.settings.emit({ type: 'deleted', key, period: window.start, units })
    // Only a deletion (P6) removes a row that has mints: this one goes to the fresh row.
    const mint = this.#takeMintSent(row)
    if (mint !== null) this.#parts.requests.of(row).mints.putBack([mint])
    for (const { reply } of this.#parts.requests.find(row)?.takeCallsSent() ?? []) reply.resolve()
    this.#parts.leases.touch(row, held)
    this.#confirmations.confirmAll(row)
    if (sent !== null) this.#refunds.settle(row, sent.refund, refunded)
  }

  /** P6: nothing was settled. What waits for the row goes to the fresh one, in its order; a reset has nothing to do there. */
  #forget(row: LeasedRow): void {
    const { requests, sendQueue, waiting } = this.#parts
    const sentRefund = row.lease.sent?.refund
    const unconfirmed = (['sent', 'unsent'] as const).flatMap((which) =>
      this.#confirmations.takeUnconfirmed(row, which),
    )
    forgetDeleted(this.#parts, row)
    this.#refunds.drop(row, sentRefund)
    const mint = this.#takeMintSent(row)
    if (mint !== null) requests.of(row).mints.putBack([mint])
    for (const call of requests.find(row)?.takeCallsSent() ?? []) {
      if (call.kind === 'policy') requests.of(row).calls.putBack([call])
      else call.reply.resolve()
    }
    if (row.isDeleted) waiting.requeue(unconfirmed)
    else for (const request of unconfirmed) this.#takes.retryLater(request, row)
    if (requests.isAwaited(row)) sendQueue.markUrgent(row)
  }

  /** S4: the row is not there. Nothing was settled, and nothing of it is held. */
  #refuse(row: LeasedRow, nowMs: number): void {
    const { leases, recollection, settings, session } = this.#parts
    const { held, key, window } = row
    const { sent } = row.lease
    if (isLost(row, session.time)) {
      settings.emit({ type: 'row_lost', key, period: window.start })
      if (session.mayForget && held > 0) recollection.noteLoss(key)
    }
    row.lose()
    leases.touch(row, held)
    this.#pause(row, nowMs, false)
    this.#refunds.drop(row, sent?.refund)
    this.#takeMintSent(row)?.reply.reject(rowLostError(key))
    for (const { kind, reply } of this.#parts.requests.find(row)?.takeCallsSent() ?? []) {
      // P6: the period may have ended since the deletion.
      if (kind === 'hear') reply.resolve()
      else reply.reject(rowLostError(key))
    }
    for (const request of this.#confirmations.takeUnconfirmed(row, 'sent')) this.#takes.retryLater(request, row)
    // The gate has not entered the period: it goes back to the store's.
    if (wasEarly(row, session.time)) leases.retire(row)
  }

  /** O12: the row is not asked again within one flush interval when it cannot cover a request. */
  #pause({ schedule }: LeasedRow, nowMs: number, hasMore: boolean): void {
    const { flushIntervalMs } = this.#parts.settings
    schedule.askAgainAtMs = nowMs + flushIntervalMs
    schedule.denials?.heard(nowMs, flushIntervalMs, { isRead: false, hasMore })
  }

  #isDeleter(row: LeasedRow): boolean {
    return this.#parts.requests.find(row)?.callsSent.some(({ kind }) => kind === 'hear') === true
  }

  #takeMintSent(row: LeasedRow): MintRequest | null {
    return this.#parts.requests.find(row)?.takeMintSent() ?? null
  }
}

/** Of an idle row nothing is kept but what its gate knows. */
function knownFigures({ gate, isKnown, window }: LeasedRow): Pick<BudgetAnswer, 'limit' | 'burned'> | null {
  if (!isKnown || gate.knownWindow?.start !== window.start) return null
  return gate.knownFigures ?? { limit: gate.plan.limit, burned: 0 }
}

function oddFigures(
  { plan }: LeasedRow,
  { limit, burned }: BudgetAnswer,
): Pick<BudgetAnswer, 'limit' | 'burned'> | null {
  return limit === plan.limit && burned === 0 ? null : { limit, burned }
}
