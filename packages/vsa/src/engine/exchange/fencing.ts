import type { Batch, FencedAnswer, NoRowKind } from '../../core/exchange.ts'
import { fencedUnknownError } from '../api/errors.ts'
import { settleMint } from '../requests/mint-request.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import { type CounterState, settleCounter } from '../budget/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { AnswerHandler } from './answer-handler.ts'
import { ChangeAnswers } from './change-answers.ts'
import { Confirmations } from './confirmations.ts'
import { forgetDeleted } from './deleted-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { type Fate, fateOf, mayRefundAgain } from './fate.ts'
import { type InFlightBatch, isLeasedRow, type Run } from './in-flight-batch.ts'
import { Quarantine } from './quarantine.ts'
import { RefundSettlement } from './refund-settlement.ts'
import { TakeAnswers } from './take-answers.ts'

/**
 * O5: the epoch is over. Every lease is lost at once, with what was spent from it. Requests in the last batch get its outcome;
 * requests, refunds, mints and counter deltas that surely were not applied move to the next epoch.
 */
export class Fencing {
  readonly #parts: ExchangeParts
  readonly #answers: AnswerHandler
  readonly #confirmations: Confirmations
  readonly #refunds: RefundSettlement
  readonly #takes: TakeAnswers
  readonly #changes: ChangeAnswers
  readonly #quarantine: Quarantine

  constructor(parts: ExchangeParts, answers: AnswerHandler) {
    this.#parts = parts
    this.#answers = answers
    this.#confirmations = new Confirmations(parts)
    this.#refunds = new RefundSettlement(parts)
    this.#takes = new TakeAnswers(parts)
    this.#changes = new ChangeAnswers(parts)
    this.#quarantine = new Quarantine(parts)
  }

  fence(batch: Batch, inFlight: InFlightBatch, answer: FencedAnswer | null): void {
    const { leases, settings, waiting, sendQueue, refundWaits } = this.#parts
    const fate = fateOf(batch, answer)
    if (fate.kind === 'applied') this.#answers.count(fate.outcome.written)
    const unitsLost = leases.leasedUnits
    const again: PendingRequest[] = []
    for (const [index, run] of inFlight.runs.entries())
      this.#quarantine.guardRun(run, () => this.#fenceRun(run, fate, index, again))
    this.#changes.fence(inFlight.changes, fate.kind === 'applied' ? (fate.outcome.credits?.changes ?? []) : undefined)
    for (const [index, row] of inFlight.rows.entries()) {
      if (row === null) continue
      this.#quarantine.guard(row, () => {
        if (isLeasedRow(row)) this.#fenceRow(row, fate, index, again)
        else this.#fenceCounter(row, fate, index)
      })
    }
    this.#recollect(inFlight, fate, answer)
    this.#loseAll(again)
    waiting.requeue(again)
    for (const flush of inFlight.flushes) sendQueue.addFlush(flush)
    sendQueue.due = true
    refundWaits.check()
    settings.emit({ type: 'fenced', epoch: batch.epoch, unitsLost })
  }

  /**
   * F9: the store has forgotten a row under a lease. The epoch is left as it is: what it holds burns when it expires. Nothing is in flight.
   */
  leave(epoch: number): void {
    const { leases, settings, waiting, sendQueue, refundWaits, recollection } = this.#parts
    const unitsLost = leases.leasedUnits
    const again: PendingRequest[] = []
    this.#loseAll(again)
    recollection.forgot()
    waiting.requeue(again)
    sendQueue.due = true
    refundWaits.check()
    settings.emit({ type: 'fenced', epoch, unitsLost })
  }

  /** F7: of a batch that counted, the figures are remembered, too. F9: where the store has forgotten, all that is remembered is due. */
  #recollect({ rows }: InFlightBatch, fate: Fate, answer: FencedAnswer | null): void {
    const { recollection, session, settings } = this.#parts
    if (!session.mayForget) return
    const untilMs = settings.clock.monotonic() + session.leaseTtlMs
    for (const [index, row] of fate.kind === 'applied' ? rows.entries() : []) {
      const gone = answer?.gone[index] ?? null
      if (gone !== null && isLeasedRow(row)) recollection.remember(row, gone, untilMs)
    }
    if (answer === null || answer.forgot) recollection.forgot()
  }

  /** S9: the closing batch had been applied, and its answer was lost. No request waits for what it carried, except counter reads. */
  settleClosed(inFlight: InFlightBatch, answer: FencedAnswer): void {
    const outcome = answer.last?.outcome
    if (outcome === undefined) return
    this.#answers.count(outcome.written)
    const fate: Fate = { kind: 'applied', outcome }
    for (const [index, row] of inFlight.rows.entries()) {
      if (isLeasedRow(row)) this.#fenceRow(row, fate, index, [])
      else if (row !== null)
        settleCounter(row, null, outcome.notes[index]?.overflow === true, this.#parts.settings.emit)
    }
    this.#loseAll([])
    for (const flush of inFlight.flushes) flush.reply.resolve()
  }

  #fenceRun(run: Run, fate: Fate, index: number, again: PendingRequest[]): void {
    this.#parts.waiting.arrived(run.requests)
    for (const row of run.rows) row.takers -= run.count
    const granted = fate.kind === 'applied' ? (fate.outcome.granted[index] ?? 0) : 0
    const outcome = fate.kind === 'applied' ? fate.outcome.credits?.takes[index] : undefined
    for (const request of this.#takes.grant(run, granted, outcome)) {
      const isUnknown = fate.kind === 'unknown'
      // R8: the id tells what became of it.
      if (isUnknown && run.form.remember === undefined) this.#failUnknown(request)
      else again.push(request)
      request.isUncertain ||= isUnknown
    }
  }

  #fenceCounter(counter: CounterState, fate: Fate, index: number): void {
    const { settings, sendQueue } = this.#parts
    const sent = counter.sent ?? 0
    if (fate.kind === 'not_applied') counter.pending += sent
    // Sent again they could count twice.
    else if (fate.kind === 'unknown' && sent !== 0)
      settings.emit({ type: 'additions_lost', key: counter.key, sum: sent })
    // The answer does not tell the value: the reads go again under the next epoch.
    counter.readers.putBack(counter.readersSent)
    counter.readersSent = []
    const hasOverflow = fate.kind === 'applied' && fate.outcome.notes[index]?.overflow === true
    settleCounter(counter, null, hasOverflow, settings.emit)
    if (counter.pending !== 0 || counter.readers.length > 0) sendQueue.markCounter(counter)
  }

  #fenceRow(row: LeasedRow, fate: Fate, index: number, again: PendingRequest[]): void {
    const { sent } = row.lease
    if (sent === null) return
    const note = fate.kind === 'applied' ? fate.outcome.notes[index] : undefined
    // The batch counted, but nothing of this row did: there was none.
    if (note?.noRow !== undefined) return this.#fenceNoRow(row, note.noRow, sent.refund, again)
    if (fate.kind === 'applied') this.#refunds.settle(row, sent.refund, note?.refunded ?? 0)
    else if (mayRefundAgain(fate)) row.lease.owe(sent.refund)
    else this.#refunds.giveUp(row, sent.refund)
    const requests = this.#parts.requests.find(row)
    const mint = requests?.takeMintSent() ?? null
    if (mint !== null) {
      if (fate.kind === 'applied') settleMint(row.key, mint, note?.mint ?? 'repeated')
      else requests?.mints.putBack([mint])
    }
    for (const call of requests?.takeCallsSent() ?? []) {
      if (fate.kind === 'applied') call.reply.resolve()
      // A policy has its version; a reset that counted twice would forget more.
      else if (call.kind !== 'reset' || fate.kind === 'not_applied') requests?.calls.putBack([call])
      else call.reply.reject(fencedUnknownError(row.key))
    }
    if (fate.kind === 'applied') return this.#confirmations.confirmAll(row)
    const unconfirmed = this.#confirmations.takeUnconfirmed(row, 'sent')
    if (fate.kind === 'not_applied') oweLowered(row, unconfirmed, sent.spent)
    for (const request of unconfirmed) {
      if (fate.kind === 'unknown') this.#failUnknown(request)
      else again.push(request)
    }
  }

  /** S4, P6: all that waits for the row is asked again under the next epoch, which hears what became of it. */
  #fenceNoRow(row: LeasedRow, noRow: NoRowKind, refund: number, again: PendingRequest[]): void {
    const requests = this.#parts.requests.find(row)
    const mint = requests?.takeMintSent() ?? null
    if (mint !== null) requests?.mints.putBack([mint])
    for (const call of requests?.takeCallsSent() ?? []) requests?.calls.putBack([call])
    again.push(...this.#confirmations.takeUnconfirmed(row, 'sent'))
    if (noRow === 'deleted') {
      again.push(...this.#confirmations.takeUnconfirmed(row, 'unsent'))
      forgetDeleted(this.#parts, row)
    }
    this.#refunds.drop(row, refund)
  }

  #loseAll(again: PendingRequest[]): void {
    for (const row of [...this.#parts.leases.all()]) this.#quarantine.guard(row, () => this.#loseRow(row, again))
  }

  #loseRow(row: LeasedRow, again: PendingRequest[]): void {
    const { leases, requests, sendQueue } = this.#parts
    const { held } = row
    const { spentSince } = row.lease
    row.lose()
    leases.touch(row, held)
    const unconfirmed = this.#confirmations.takeUnconfirmed(row, 'unsent')
    oweLowered(row, unconfirmed, spentSince)
    for (const request of unconfirmed) again.push(request)
    if (row.lease.refund > 0) sendQueue.markDirty(row)
    if (requests.isAwaited(row)) sendQueue.markUrgent(row)
    if (row.isRetired) leases.dropIfIdle(row)
  }

  #failUnknown(request: PendingRequest): void {
    const { waiting, unanswered } = this.#parts
    // The one that makes the verdict counts it.
    if (request.state !== 'resolved') waiting.resolve(request, unanswered.forgotten(request))
  }
}

/**
 * O4, O5: spending that durable requests wait for is asked for again under the next epoch. Refunds that had lowered it would be lost with it:
 * what is less than those requests spent is owed again.
 */
function oweLowered(row: LeasedRow, unconfirmed: readonly PendingRequest[], spent: number): void {
  const units = unconfirmed.reduce((sum, { needs }) => sum + (needs[0]?.units ?? 0), 0)
  if (units > spent) row.lease.owe(units - spent)
}
