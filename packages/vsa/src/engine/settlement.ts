import { InvariantError, VsaError } from '../core/errors.ts'
import type { AppliedAnswer, BudgetAnswer, EntryAnswer, MintOutcome, NoRowKind } from '../core/exchange.ts'
import type { Account } from './account.ts'
import type { Accounts } from './accounts.ts'
import type { Backlog } from './backlog.ts'
import type { CounterState } from './counter-state.ts'
import { rowLostError } from './failures.ts'
import type { MintRequest } from './mint-request.ts'
import type { OpenSettings } from './settings.ts'
import type { Session } from './session.ts'
import { isAccount, type Run, type Shipment } from './shipment.ts'
import type { Tally } from './tally.ts'
import type { Waiter } from './waiter.ts'
import type { Waiters } from './waiters.ts'
import { Watch } from './watch.ts'
import { IDLE_FLUSHES } from './composer.ts'

const WANT_FLUSHES = 2

export interface SettlementParts {
  readonly settings: OpenSettings
  readonly session: Session
  readonly accounts: Accounts
  readonly waiters: Waiters
  readonly backlog: Backlog
  readonly tally: Tally
}

/** Takes in the certain answer to a batch: rows first, then those who waited for them. */
export class Settlement {
  readonly #parts: SettlementParts
  readonly #watch: Watch

  constructor(parts: SettlementParts) {
    this.#parts = parts
    this.#watch = new Watch(parts.settings.announce, parts.settings.thresholds)
  }

  /** @param closing nobody is left to wait for units that others may return */
  settle(shipment: Shipment, answer: AppliedAnswer, closing: boolean): void {
    const { tally, waiters } = this.#parts
    tally.records += answer.written.records
    tally.leaseRecords += answer.written.leaseRecords
    for (const [index, row] of shipment.rows.entries()) {
      const entry = answer.entries[index]
      if (row === null || entry === undefined) continue
      if (isAccount(row)) this.#settleAccount(row, entry)
      else this.settleCounter(row, entry.kind === 'counter' ? entry.value : null, entry.kind === 'counter' && entry.overflow)
    }
    this.#recall(answer)
    for (const [index, run] of shipment.runs.entries()) this.#settleRun(run, answer.granted[index] ?? 0, closing)
    for (const row of shipment.rows) if (row !== null && isAccount(row)) this.#afterwards(row)
    if (waiters.parked > 0) waiters.unpark((waiter) => closing || this.#mayTryAgain(waiter))
    if (waiters.queued > 0) this.#serveFromLeases()
    for (const flush of shipment.flushes) flush.reply.resolve()
  }

  #settleAccount(account: Account, answer: EntryAnswer): void {
    if (answer.kind === 'budget') this.#acknowledge(account, answer)
    else if (answer.kind !== 'counter') this.#refuse(account, answer.kind)
  }

  #acknowledge(account: Account, answer: BudgetAnswer): void {
    const { accounts, settings, waiters } = this.#parts
    const { sent, figures: before, held } = account
    const { refunded, mint, ...figures } = answer
    try {
      account.acknowledge(figures)
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      this.quarantine(account, error.message)
    }
    account.gate.knownWindow = account.window
    account.askAgainAtMs = settings.clock.monotonic() + settings.flushIntervalMs
    accounts.touch(account, held)
    this.#watch.compare(account, before, answer)
    if (sent !== null) this.settleRefund(account, sent.refund, refunded)
    if (sent?.mint) settleMint(account, sent.mint, mint ?? 'repeated')
    const confirmed = account.confirmingSent
    account.confirmingSent = []
    waiters.arrived(confirmed)
    for (const waiter of confirmed) this.confirm(waiter, account)
  }

  /** S4: the row is not there. Nothing was settled, and nothing of it is held. */
  #refuse(account: Account, kind: NoRowKind): void {
    const { accounts, waiters, settings, tally } = this.#parts
    const { sent, held } = account
    const key = account.gate.key
    const period = account.window.start
    if (kind === 'row_lost') settings.announce({ type: 'row_lost', key, period })
    account.lose()
    accounts.touch(account, held)
    const refused = (sent?.refund ?? 0) + account.refund
    account.refund = 0
    if (refused > 0) {
      tally.refundsRefused += refused
      settings.announce({ type: 'refunds_refused', key, period, units: refused })
    }
    sent?.mint?.reply.reject(rowLostError(account.gate))
    const unconfirmed = account.confirmingSent
    account.confirmingSent = []
    waiters.arrived(unconfirmed)
    for (const waiter of unconfirmed) this.#tryLater(waiter, account, kind)
  }

  /** O4: what the store did not accept is sent again for one lease's life and one flush interval, then given up. */
  settleRefund(account: Account, sent: number, accepted: number): void {
    const { settings, session, tally } = this.#parts
    if (accepted === sent) {
      if (account.refund === 0) account.refundGivenUpAtMs = Infinity
      return
    }
    const nowMs = settings.clock.monotonic()
    if (account.refundGivenUpAtMs === Infinity) account.refundGivenUpAtMs = nowMs + session.leaseTtlMs + settings.flushIntervalMs
    const left = sent - accepted
    if (nowMs < account.refundGivenUpAtMs) {
      account.refund += left
      return
    }
    account.refundGivenUpAtMs = Infinity
    tally.refundsRefused += left
    settings.announce({ type: 'refunds_refused', key: account.gate.key, period: account.window.start, units: left })
  }

  /** @param value null when the answer could not tell */
  settleCounter(counter: CounterState, value: number | null, overflow: boolean): void {
    const { settings } = this.#parts
    if (overflow && counter.sent !== null && counter.sent !== 0) {
      counter.pending += counter.sent
      settings.announce({ type: 'counter_overflow', key: counter.key, pending: counter.pending })
    }
    counter.sent = null
    const readers = counter.readersSent
    counter.readersSent = []
    for (const reader of readers) {
      if (value === null) reader.reject(new VsaError('store_failed', `counter ${JSON.stringify(counter.key)} could not be read`))
      else reader.resolve(value + counter.pending)
    }
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

  /** O9: what was spent from the lease is durable. Whoever was told otherwise meanwhile gives it back (O10). */
  confirm(waiter: Waiter, account: Account): void {
    if (waiter.state !== 'told' || waiter.unaccounted) return this.#parts.waiters.tell(waiter, { kind: 'admitted', account })
    const units = waiter.needs[0]?.units ?? 0
    this.#parts.tally.takes -= 1
    this.#parts.tally.takenUnits -= units
    account.refund += units
    this.#parts.backlog.markDirty(account)
  }

  /** The store has given the units. Whoever was told otherwise meanwhile has not got them: they go back (O10). */
  grant(waiter: Waiter, accounts: readonly Account[]): void {
    const { waiters, tally, backlog } = this.#parts
    if (waiter.state === 'told' && !waiter.unaccounted) {
      for (const [index, account] of accounts.entries()) {
        account.refund += waiter.needs[index]?.units ?? 0
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
      if (account.figures === null) return this.#tryLater(waiter, account, account.known ? 'row_lost' : 'period_closed')
      if (need.units > account.reach || closing) {
        tally.denials += 1
        tally.deniedUnits += waiter.needs.reduce((total, { units }) => total + units, 0)
        waiters.tell(waiter, { kind: 'denied', ...need })
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

  #tryLater(waiter: Waiter, account: Account, kind: NoRowKind): boolean {
    const { waiters } = this.#parts
    if (kind === 'row_lost') waiters.tell(waiter, { kind: 'failed', error: rowLostError(account.gate) })
    else if (waiter.state !== 'told') waiters.park(waiter)
    return true
  }

  #mayTryAgain(waiter: Waiter): boolean {
    return waiter.needs.every(({ gate, units }) => (gate.account?.figures?.pool ?? 0) >= units)
  }

  /** A lease that has come may serve those who came while the exchange was under way. */
  #serveFromLeases(): void {
    const { waiters, accounts, backlog, tally } = this.#parts
    const staying: Waiter[] = []
    for (const waiter of waiters.takeQueue()) {
      const [need, second] = waiter.needs
      const gate = need?.gate.family.live(need.gate)
      if (waiter.state === 'told') continue
      if (waiter.durable || second !== undefined || need === undefined || gate === undefined || gate.left < need.units) {
        staying.push(waiter)
        continue
      }
      const account = accounts.current(gate)
      if (account.left < need.units) {
        staying.push(waiter)
        continue
      }
      account.left -= need.units
      if (need.units !== 1) tally.surplusUnits += need.units - 1
      backlog.markDirty(account)
      account.settleFloor()
      waiters.tell(waiter, { kind: 'admitted', account })
    }
    waiters.requeue(staying)
  }

  /** What the answer leaves to be done for the row. */
  #afterwards(account: Account): void {
    const { accounts, backlog, settings } = this.#parts
    if (account.refund > 0) backlog.markDirty(account)
    if (account.mints.length > 0) backlog.markUrgent(account)
    if (account.dirty && account.isLow) backlog.markUrgent(account)
    const nowMs = settings.clock.monotonic()
    if (account.retired || nowMs - account.usedAtMs >= IDLE_FLUSHES * settings.flushIntervalMs) accounts.dropIfIdle(account)
  }

  /** S6, and assertions of our own: this budget stops, the others go on. */
  quarantine(account: Account, detail: string): void {
    const { accounts, settings } = this.#parts
    const heldBefore = account.held
    account.lose()
    account.quarantined = true
    accounts.touch(account, heldBefore)
    settings.announce({ type: 'quarantined', key: account.gate.key, detail })
  }
}

export function settleMint(account: Account, request: MintRequest, outcome: MintOutcome): void {
  const { key } = account.gate
  const { units, id } = request.mint
  switch (outcome) {
    case 'minted':
      return request.reply.resolve(true)
    case 'repeated':
      return request.reply.resolve(false)
    case 'id_conflict': {
      const message = `id ${JSON.stringify(id)} was minted for ${JSON.stringify(key)} before, with other units than ${units}; use another id`
      return request.reply.reject(new VsaError('id_conflict', message, { statusCode: 409 }))
    }
    case 'units_overflow': {
      const message = `minting ${units} would take ${JSON.stringify(key)} beyond 2^53 - 1 units`
      return request.reply.reject(new VsaError('units_overflow', message, { statusCode: 422 }))
    }
  }
}
