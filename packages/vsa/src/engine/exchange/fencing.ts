import type { Batch, FencedAnswer, Outcome } from '../../core/exchange.ts'
import type { Account } from '../rows/row-lease.ts'
import { fencedUnknownError } from '../api/errors.ts'
import type { Parts } from './exchange-parts.ts'
import type { Settlement } from './answer-handler.ts'
import { settleCounter } from '../rows/counter-state.ts'
import { settleMint } from '../requests/mint-request.ts'
import { isAccount, type Run, type Shipment } from './batch-builder.ts'
import type { Waiter } from '../requests/pending-request.ts'

/** What became of the batch that was in flight when its epoch ended: it counted, it surely did not, or nobody knows. */
type Fate =
  | { readonly kind: 'applied'; readonly outcome: Outcome }
  | { readonly kind: 'not_applied' }
  | { readonly kind: 'unknown' }

function fateOf(batch: Batch, answer: FencedAnswer | null): Fate {
  const last = answer?.last ?? null
  if (last === null) return { kind: 'unknown' }
  return last.seq === batch.seq ? { kind: 'applied', outcome: last.outcome } : { kind: 'not_applied' }
}

/**
 * O5: the epoch is over. Every lease is lost at once, with what was spent from it. Whoever waited for the last batch learns its fate;
 * requests, refunds, mints and counter deltas that surely were not applied move to the next epoch.
 */
export class Fencing {
  readonly #parts: Parts
  readonly #settlement: Settlement

  constructor(parts: Parts, settlement: Settlement) {
    this.#parts = parts
    this.#settlement = settlement
  }

  fence(batch: Batch, shipment: Shipment, answer: FencedAnswer | null): void {
    const { accounts, settings, waiters, backlog } = this.#parts
    const fate = fateOf(batch, answer)
    if (fate.kind === 'applied') this.#settlement.count(fate.outcome.written)
    const unitsLost = accounts.leasedUnits
    const again: Waiter[] = []
    for (const [index, run] of shipment.runs.entries()) this.#fenceRun(run, fate, index, again)
    for (const [index, row] of shipment.rows.entries()) {
      if (row === null) continue
      if (isAccount(row)) {
        this.#fenceAccount(row, fate, index, again)
      } else {
        if (fate.kind !== 'applied') row.pending += row.sent ?? 0
        // Nobody can tell the value: those who read ask again under the next epoch.
        row.readers = [...row.readersSent, ...row.readers]
        row.readersSent = []
        settleCounter(
          row,
          null,
          fate.kind === 'applied' && fate.outcome.notes[index]?.overflow === true,
          settings.announce,
        )
        if (row.pending !== 0 || row.readers.length > 0) backlog.markCounter(row)
      }
    }
    this.#loseAll(again)
    waiters.requeue(again)
    for (const flush of shipment.flushes) backlog.addFlush(flush)
    backlog.due = true
    settings.announce({ type: 'fenced', epoch: batch.epoch, unitsLost })
  }

  /** S9: the closing batch had been applied, and its answer was lost. Nobody waits for what it carried but those who read counters. */
  settleClosed(shipment: Shipment, answer: FencedAnswer): void {
    const outcome = answer.last?.outcome
    if (outcome === undefined) return
    this.#settlement.count(outcome.written)
    const fate: Fate = { kind: 'applied', outcome }
    for (const [index, row] of shipment.rows.entries()) {
      if (row === null) continue
      if (isAccount(row)) this.#fenceAccount(row, fate, index, [])
      else settleCounter(row, null, outcome.notes[index]?.overflow === true, this.#parts.settings.announce)
    }
    this.#loseAll([])
    for (const flush of shipment.flushes) flush.reply.resolve()
  }

  #fenceRun(run: Run, fate: Fate, index: number, again: Waiter[]): void {
    const { waiters } = this.#parts
    waiters.arrived(run.waiters)
    for (const account of run.accounts) account.takers -= run.waiters.length
    const granted = fate.kind === 'applied' ? (fate.outcome.granted[index] ?? 0) : 0
    for (const [at, waiter] of run.waiters.entries()) {
      if (at < granted) this.#settlement.grant(waiter, run.accounts)
      else if (fate.kind === 'unknown') this.#tellUnknown(waiter)
      else again.push(waiter)
    }
  }

  #fenceAccount(account: Account, fate: Fate, index: number, again: Waiter[]): void {
    const { sent } = account
    if (sent === null) return
    const note = fate.kind === 'applied' ? fate.outcome.notes[index] : undefined
    if (fate.kind === 'applied') this.#settlement.settleRefund(account, sent.refund, note?.refunded ?? 0)
    else if (fate.kind === 'not_applied') account.owe(sent.refund)
    if (sent.mint !== null) {
      if (fate.kind === 'applied') settleMint(account, sent.mint, note?.mint ?? 'repeated')
      else account.mints.unshift(sent.mint)
    }
    if (fate.kind === 'applied') return this.#settlement.confirmAll(account)
    const waiting = this.#settlement.unconfirmed(account, 'sent')
    if (fate.kind === 'not_applied') oweLowered(account, waiting, sent.spent)
    for (const waiter of waiting) {
      if (fate.kind === 'unknown') this.#tellUnknown(waiter)
      else again.push(waiter)
    }
  }

  #loseAll(again: Waiter[]): void {
    const { accounts, backlog } = this.#parts
    for (const account of [...accounts.all()]) {
      const { held, spentSince } = account
      account.lose()
      accounts.touch(account, held)
      const waiting = this.#settlement.unconfirmed(account, 'unsent')
      oweLowered(account, waiting, spentSince)
      again.push(...waiting)
      if (account.refund > 0) backlog.markDirty(account)
      if (account.mints.length > 0) backlog.markUrgent(account)
      if (account.retired) accounts.dropIfIdle(account)
    }
  }

  #tellUnknown(waiter: Waiter): void {
    this.#parts.waiters.tell(waiter, { kind: 'failed', error: fencedUnknownError(waiter.needs[0]?.gate) })
  }
}

/**
 * O4, O5: spending that durable requests wait for is asked for again under the next epoch. Refunds that had lowered it would be lost with it:
 * what is less than those requests spent is owed again.
 */
function oweLowered(account: Account, waiting: readonly Waiter[], spent: number): void {
  const units = waiting.reduce((sum, { needs }) => sum + (needs[0]?.units ?? 0), 0)
  if (units > spent) account.owe(units - spent)
}
