import { InvariantError } from '../../core/errors.ts'
import type { AppliedAnswer, BudgetAnswer, EntryAnswer, Written } from '../../core/exchange.ts'
import type { Account } from '../rows/row-lease.ts'
import { settleCounter } from '../rows/counter-state.ts'
import { closedError, quarantinedError, rowLostError } from '../api/errors.ts'
import { settleMint } from '../requests/mint-request.ts'
import type { Parts } from './exchange-parts.ts'
import { isAccount, type Run, type Shipment } from './batch-builder.ts'
import type { Waiter } from '../requests/pending-request.ts'
import { Watch } from './answer-events.ts'
import { IDLE_FLUSHES, WANT_FLUSHES } from './batch-planner.ts'

/** Takes in the certain answer to a batch: rows first, then those who waited for them. */
export class Settlement {
  readonly #parts: Parts
  readonly #watch: Watch

  constructor(parts: Parts) {
    this.#parts = parts
    this.#watch = new Watch(parts.settings.announce, parts.settings.thresholds)
  }

  /** @param closing nobody is left to wait for units that others may return */
  settle(shipment: Shipment, answer: AppliedAnswer, closing: boolean): void {
    const { waiters, settings } = this.#parts
    this.count(answer.written)
    for (const [index, { accounts, costs }] of shipment.runs.entries()) {
      const granted = answer.granted[index] ?? 0
      for (const [at, account] of accounts.entries()) account.taken += granted * (costs[at] ?? 0)
    }
    for (const [index, row] of shipment.rows.entries()) {
      const entry = answer.entries[index]
      if (row === null || entry === undefined) continue
      if (isAccount(row)) this.#settleAccount(row, entry)
      else
        settleCounter(
          row,
          entry.kind === 'counter' ? entry.value : null,
          entry.kind === 'counter' && entry.overflow,
          settings.announce,
        )
    }
    this.#recall(answer)
    for (const [index, run] of shipment.runs.entries()) this.#settleRun(run, answer.granted[index] ?? 0, closing)
    const serves = shipment.rows.some((row) => isAccount(row) && row.awaited && row.left > 0)
    for (const row of shipment.rows) if (row !== null && isAccount(row)) this.#afterwards(row)
    if (waiters.parked > 0) waiters.unpark((waiter) => closing || this.#mayTryAgain(waiter))
    if (serves) this.#serveFromLeases()
    for (const flush of shipment.flushes) flush.reply.resolve()
  }

  /** L7 */
  count({ records, leaseRecords }: Written): void {
    this.#parts.tally.records += records
    this.#parts.tally.leaseRecords += leaseRecords
  }

  #settleAccount(account: Account, answer: EntryAnswer): void {
    if (answer.kind === 'budget') this.#acknowledge(account, answer)
    else if (answer.kind === 'removed') this.#settleRemoved(account, answer.refunded)
    else if (answer.kind !== 'counter') this.#refuse(account)
  }

  #acknowledge(account: Account, answer: BudgetAnswer): void {
    const { accounts, settings } = this.#parts
    const { sent, figures: before, held, known, taken } = account
    const { refunded, mint, ...figures } = answer
    try {
      account.acknowledge(figures)
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      return this.quarantine(account, error.message)
    }
    const { gate, window } = account
    if (gate.knownWindow === null || gate.knownWindow.start < window.start) gate.knownWindow = window
    account.askAgainAtMs = settings.clock.monotonic() + settings.flushIntervalMs
    accounts.touch(account, held)
    if (sent?.mint) settleMint(account, sent.mint, mint ?? 'repeated')
    this.confirmAll(account)
    if (sent !== null) this.settleRefund(account, sent.refund, refunded)
    // Last, because whoever listens may call anything: the account is whole again.
    const usedBefore = before?.used ?? answer.used + refunded - taken - (sent?.spent ?? 0)
    this.#watch.compare(account, { figures: before, used: usedBefore, known }, answer)
  }

  /** S10: the exchange counted, and then the row's retention passed. Nothing was leased from it any more. */
  #settleRemoved(account: Account, refunded: number): void {
    const { sent, held } = account
    account.lose()
    this.#parts.accounts.touch(account, held)
    this.confirmAll(account)
    if (sent !== null) this.settleRefund(account, sent.refund, refunded)
  }

  /** O9: what the exchange carried of the lease's spending is durable. */
  confirmAll(account: Account): void {
    const confirmed = account.confirmingSent
    account.confirmingSent = []
    this.#parts.waiters.arrived(confirmed)
    for (const waiter of confirmed) this.#confirm(waiter, account)
  }

  /** S4: the row is not there. Nothing was settled, and nothing of it is held. */
  #refuse(account: Account): void {
    const { accounts, settings } = this.#parts
    const { sent, held, gate, window } = account
    if (this.#isLost(account)) settings.announce({ type: 'row_lost', key: gate.key, period: window.start })
    account.lose()
    accounts.touch(account, held)
    account.askAgainAtMs = settings.clock.monotonic() + settings.flushIntervalMs
    this.dropRefund(account, sent?.refund)
    sent?.mint?.reply.reject(rowLostError(gate))
    for (const waiter of this.unconfirmed(account, 'sent')) this.#tryLater(waiter, account)
    // The gate has not entered the period: it goes back to the store's.
    if (this.#wasEarly(account)) accounts.retire(account)
  }

  /** S4: somebody has removed the row. It may go once its period is over, which an owner that slept learns from the same answer. */
  #isLost(account: Account): boolean {
    return account.known && account.window.end > this.#parts.session.time
  }

  /** S4, O11: the owner's time was ahead of the store's, and is not any more since this answer. */
  #wasEarly(account: Account): boolean {
    return !account.known && account.window.start > this.#parts.session.time
  }

  /** Takes back those who wait for spending of this row to be durable, and will not be told so: they count as admitted no more. */
  unconfirmed(account: Account, which: 'sent' | 'unsent'): readonly Waiter[] {
    const found = which === 'sent' ? account.confirmingSent : account.confirming
    if (which === 'sent') account.confirmingSent = []
    else account.confirming = []
    this.#parts.waiters.arrived(found)
    for (const waiter of found) this.#uncount(waiter)
    return found
  }

  /** The units are counted as spent from the lease, but whoever asked for them has not got them. */
  #uncount({ needs }: Waiter): void {
    this.#parts.tally.takes -= 1
    this.#parts.tally.takenUnits -= needs[0]?.units ?? 0
  }

  /** O4: what waits to be given back, and what was `sent`, is given up. */
  dropRefund(account: Account, sent = 0): void {
    const units = account.refund + sent
    account.refund = 0
    this.#refuseRefund(account, units)
  }

  #refuseRefund(account: Account, units: number): void {
    if (units === 0) return
    this.#parts.tally.refundsRefused += units
    this.#parts.settings.announce({
      type: 'refunds_refused',
      key: account.gate.key,
      period: account.window.start,
      units,
    })
  }

  /** O4: what the store did not accept is sent again for one lease's life and one flush interval, then given up. */
  settleRefund(account: Account, sent: number, accepted: number): void {
    const { settings, session } = this.#parts
    if (accepted === sent) {
      if (account.refund === 0) account.refundGivenUpAtMs = Infinity
      return
    }
    const nowMs = settings.clock.monotonic()
    if (account.refundGivenUpAtMs === Infinity)
      account.refundGivenUpAtMs = nowMs + session.leaseTtlMs + settings.flushIntervalMs
    if (nowMs < account.refundGivenUpAtMs) return account.owe(sent - accepted)
    account.refundGivenUpAtMs = Infinity
    this.#refuseRefund(account, sent - accepted)
  }

  /** O12: rows that somebody wants. Leases on them go back with the next exchange. */
  #recall(answer: AppliedAnswer): void {
    if (answer.wanted.length === 0) return
    const { accounts, backlog, settings } = this.#parts
    const untilMs = settings.clock.monotonic() + WANT_FLUSHES * settings.flushIntervalMs
    for (const { key, period } of answer.wanted) {
      const account = accounts.find(key, period)
      if (account === undefined || account.held === 0) continue
      account.recalledUntilMs = untilMs
      backlog.markUrgent(account)
    }
  }

  #settleRun(run: Run, granted: number, closing: boolean): void {
    this.#parts.waiters.arrived(run.waiters)
    for (const account of run.accounts) account.takers -= run.waiters.length
    const again: Waiter[] = []
    for (const [index, waiter] of run.waiters.entries()) {
      if (index < granted) this.grant(waiter, run.accounts)
      else if (waiter.state !== 'told' && !this.#refuseOrWait(waiter, run.accounts, closing)) again.push(waiter)
    }
    this.#parts.waiters.requeue(again)
  }

  /** Whoever was told otherwise meanwhile gives it back (O10). */
  #confirm(waiter: Waiter, account: Account): void {
    if (waiter.state !== 'told' || waiter.unaccounted)
      return this.#parts.waiters.tell(waiter, { kind: 'admitted', account })
    this.#uncount(waiter)
    account.owe(waiter.needs[0]?.units ?? 0)
    this.#parts.backlog.markDirty(account)
  }

  /** The store has given the units. Whoever was told otherwise meanwhile has not got them: they go back (O10). */
  grant(waiter: Waiter, accounts: readonly Account[]): void {
    const { waiters, tally, backlog } = this.#parts
    if (waiter.state === 'told' && !waiter.unaccounted) {
      for (const [index, account] of accounts.entries()) {
        account.owe(waiter.needs[index]?.units ?? 0)
        backlog.markDirty(account)
      }
      return
    }
    tally.takes += 1
    for (const need of waiter.needs) tally.takenUnits += need.units
    waiters.tell(waiter, { kind: 'admitted', account: accounts[0] ?? null })
  }

  /** @returns false when the waiter is to ride again at once */
  #refuseOrWait(waiter: Waiter, accounts: readonly Account[], closing: boolean): boolean {
    const { waiters, tally, backlog, settings } = this.#parts
    for (const [index, account] of accounts.entries()) {
      const need = waiter.needs[index]
      if (need === undefined) continue
      if (account.figures === null) {
        // The period that the gate is in now is one that the store has.
        if (this.#wasEarly(account) && !closing) return false
        return this.#tryLater(waiter, account, closing)
      }
      if (need.units > account.reach || closing) {
        tally.denials += 1
        tally.deniedUnits += waiter.needs.reduce((total, { units }) => total + units, 0)
        waiters.tell(waiter, { kind: 'denied', ...need, account })
        return true
      }
    }
    // The units are there, but others hold them, or this owner's own lease does: it goes back, and the row is marked as wanted.
    for (const [index, account] of accounts.entries()) {
      if ((account.figures?.pool ?? 0) >= (waiter.needs[index]?.units ?? 0)) continue
      account.yields = true
      account.wants = (account.figures?.othersHeld ?? 0) > 0 && settings.clock.monotonic() >= account.wantAgainAtMs
      if (account.wants || account.held > 0) backlog.markUrgent(account)
    }
    waiters.park(waiter)
    return true
  }

  #tryLater(waiter: Waiter, account: Account, closing = false): boolean {
    const { waiters } = this.#parts
    if (this.#isLost(account)) waiters.tell(waiter, { kind: 'failed', error: rowLostError(account.gate) })
    else if (closing) waiters.tell(waiter, { kind: 'failed', error: closedError(account.gate) })
    else if (waiter.state !== 'told') waiters.park(waiter)
    return true
  }

  #mayTryAgain(waiter: Waiter): boolean {
    return waiter.needs.every(({ gate, units }) => (gate.account?.figures?.pool ?? 0) >= units)
  }

  /** A lease that has come may serve those who came while the exchange was under way. */
  #serveFromLeases(): void {
    const { waiters, accounts, backlog, tally } = this.#parts
    waiters.visit((waiter) => {
      const [need, second] = waiter.needs
      if (waiter.durable || second !== undefined || need === undefined) return
      const account = accounts.current(need.gate.family.live(need.gate))
      if (account.left < need.units) return
      account.left -= need.units
      if (need.units !== 1) tally.surplusUnits += need.units - 1
      backlog.markDirty(account)
      account.settleFloor()
      waiters.tell(waiter, { kind: 'admitted', account })
    })
  }

  /** What the answer leaves to be done for the row. */
  #afterwards(account: Account): void {
    const { accounts, backlog, settings } = this.#parts
    account.awaited = false
    if (account.refund > 0) backlog.markDirty(account)
    if (account.mints.length > 0) backlog.markUrgent(account)
    if (account.dirty && account.isLow) backlog.markUrgent(account)
    const nowMs = settings.clock.monotonic()
    if (account.retired || nowMs - account.usedAtMs >= IDLE_FLUSHES * settings.flushIntervalMs)
      accounts.dropIfIdle(account)
  }

  /** S6, and assertions of our own: this budget stops, whoever waits for it is told, the others go on. */
  quarantine(account: Account, detail: string): void {
    const { accounts, settings, waiters } = this.#parts
    const { held, sent, gate } = account
    const error = quarantinedError(gate)
    account.lose()
    account.quarantined = true
    accounts.touch(account, held)
    this.dropRefund(account, sent?.refund)
    for (const { reply } of account.mints.splice(0)) reply.reject(error)
    sent?.mint?.reply.reject(error)
    for (const waiter of this.unconfirmed(account, 'sent')) waiters.tell(waiter, { kind: 'failed', error })
    for (const waiter of this.unconfirmed(account, 'unsent')) waiters.tell(waiter, { kind: 'failed', error })
    settings.announce({ type: 'quarantined', key: gate.key, detail })
  }
}
