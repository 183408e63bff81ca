import type { Timer } from '../../core/clock.ts'
import { invariant } from '../../core/errors.ts'
import type { AppliedAnswer, Batch, FencedAnswer, RowName } from '../../core/exchange.ts'
import type { Account } from '../rows/row-lease.ts'
import { Composer, IDLE_FLUSHES } from './batch-planner.ts'
import { Fencing } from './fencing.ts'
import { quarantinedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { MintRequest } from '../requests/mint-request.ts'
import type { Parts } from './exchange-parts.ts'
import { Periods } from '../rows/window-rollover.ts'
import { Settlement } from './answer-handler.ts'
import { isAccount, type Shipment } from './batch-builder.ts'
import type { Waiter } from '../requests/pending-request.ts'

/** Decides when an exchange leaves: at once for those who wait and for leases that run low, each flush interval for all that changed. */
export class Flusher {
  readonly #parts: Parts
  readonly #composer: Composer
  readonly #settlement: Settlement
  readonly #fencing: Fencing
  readonly #periods: Periods
  #shipment: Shipment | null = null
  #scheduled = false
  #timer: Timer | null = null
  #timerAtMs = Infinity
  #flushAtMs = -Infinity
  /** Loads and refunds that came before the first join, when no period is known yet. */
  readonly #deferred = new Map<Gate, number>()
  #closing = false
  /** Until then a close waits for refunds that the store does not accept yet: their admissions may be in another owner's delta. */
  #lingerUntilMs = -Infinity
  #ended = false

  constructor(parts: Parts) {
    const { settings, session, accounts, waiters, backlog } = parts
    this.#parts = parts
    this.#composer = new Composer(settings, session, accounts, waiters, backlog)
    this.#settlement = new Settlement(parts)
    this.#fencing = new Fencing(parts, this.#settlement)
    this.#periods = new Periods({ settings, session, accounts, backlog, wake: () => this.wake() })
  }

  /** The last batch has been sent: nothing more is accepted (O13). */
  get ended(): boolean {
    return this.#ended
  }

  get hasNothingDeferred(): boolean {
    return this.#deferred.size === 0
  }

  /** The slow path has spent from the account. */
  spent(account: Account): void {
    const { backlog } = this.#parts
    if (!account.dirty) {
      backlog.markDirty(account)
      this.arm()
    }
    account.settleFloor()
    if (account.isLow && account.sent === null) this.#urge(account)
  }

  /** `tryAdmit` found too little: a larger lease is asked for, if there is a prospect of one. */
  askLease(account: Account, units: number): void {
    const { settings, session } = this.#parts
    account.demand += units
    if (account.sent !== null || account.urgent || account.gate.plan.atRisk === 0) return
    const nowMs = settings.clock.monotonic()
    // While the store is away nobody keeps a list of what was tried: it would have no bound.
    if (session.lastError !== null || !account.mayLeaseMore(nowMs)) return
    account.usedAtMs = nowMs
    this.#urge(account)
  }

  /** O4: first lowers what this owner has spent since the last send; the rest goes through the store. */
  refund(account: Account, units: number): void {
    if (account.quarantined) return this.#settlement.dropRefund(account, units)
    this.#parts.tally.unspentUnits += account.giveBack(units)
    if (account.refund > 0) {
      account.refundGivenUpAtMs = Infinity
      this.#parts.backlog.markDirty(account)
      this.arm()
    }
  }

  /** Only for budgets without windows: their row is known before any join. */
  mint(gate: Gate, request: MintRequest): void {
    const account = this.#parts.accounts.current(gate)
    if (account.quarantined) return request.reply.reject(quarantinedError(gate))
    account.mints.push(request)
    this.#urge(account)
  }

  /** O9 */
  confirm(account: Account, waiter: Waiter): void {
    this.#parts.waiters.confirm(account.confirming, waiter)
    this.#urge(account)
  }

  deferUntilJoined(gate: Gate, refund: number): void {
    if (refund === 0 && this.#parts.session.lastError !== null) return
    this.#deferred.set(gate, (this.#deferred.get(gate) ?? 0) + refund)
  }

  /** Sends after this turn, when nothing is in flight. */
  wake(): void {
    if (this.#scheduled || this.#ended) return
    this.#scheduled = true
    this.#parts.settings.clock.soon(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  /** Everything that is dirty goes out now, without waiting for the interval. */
  flushNow(): void {
    this.#parts.backlog.due = true
    this.wake()
  }

  /** Sets the timer for the next flush or sign of life, if there is anything to flush or to keep. An owner that holds nothing has none (O6). */
  arm(): void {
    if (this.#ended || !this.#parts.session.hasJoined) return
    const { accounts, backlog, waiters, settings } = this.#parts
    if (accounts.size === 0) this.#periods.stop()
    if (backlog.isEmpty && accounts.size === 0 && waiters.parked === 0) return
    const nowMs = settings.clock.monotonic()
    if (this.#flushAtMs <= nowMs) this.#flushAtMs = nowMs + settings.flushIntervalMs
    const atMs = Math.min(this.#flushAtMs, this.#keepaliveAtMs())
    if (atMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = settings.clock.timer(Math.max(0, Math.ceil(atMs - nowMs)), () => this.#tick())
  }

  /** O13: sends what is left, returns every lease, and closes the epoch with the last batch. */
  close(): void {
    const { clock, flushIntervalMs } = this.#parts.settings
    this.#closing = true
    this.#lingerUntilMs = clock.monotonic() + IDLE_FLUSHES * flushIntervalMs
    this.#parts.accounts.retireAll()
    this.#parts.waiters.unpark(() => true)
    this.#periods.stop()
    this.flushNow()
  }

  /** Nothing more is sent or accepted, whatever is left. */
  end(): void {
    this.#ended = true
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAtMs = Infinity
    this.#periods.stop()
  }

  /** The session has an epoch, and nothing is in flight. */
  opened(): void {
    for (const [gate, units] of this.#deferred) {
      const account = this.#parts.accounts.current(gate.family.live(gate))
      if (units > 0) this.refund(account, units)
      else this.askLease(account, 0)
    }
    this.#deferred.clear()
    this.wake()
    this.arm()
  }

  settled(answer: AppliedAnswer): void {
    const shipment = this.#takeShipment()
    this.#settlement.settle(shipment, answer, this.#closing)
    for (const row of shipment.rows) if (row !== null && isAccount(row) && row.held > 0) this.#periods.watch(row)
    // With the next flush is soon enough for a refund that was not accepted.
    if (this.#lingers && shipment.rows.some((row) => isAccount(row) && row.refund > 0)) this.arm()
    else this.#goOn()
  }

  fenced(batch: Batch, answer: FencedAnswer | null): void {
    this.#fencing.fence(batch, this.#takeShipment(), answer)
    // A closing batch that did not count was not the last one.
    this.#ended = false
  }

  /** S6: the row's entry becomes void, the requests that need it fail, and all the rest keeps its place in the batch. */
  voided(batch: Batch, row: RowName | undefined, detail: string): Batch | null {
    const shipment = this.#shipment
    const index = batch.entries.findIndex(
      (entry) => entry.kind === 'budget' && entry.key === row?.key && entry.period === row.period,
    )
    const account = shipment?.rows[index]
    if (shipment === null || !isAccount(account)) return null
    shipment.rows[index] = null
    for (const run of shipment.runs) {
      if (!run.accounts.includes(account)) continue
      for (const waiter of run.waiters)
        this.#parts.waiters.tell(waiter, { kind: 'failed', error: quarantinedError(account.gate) })
    }
    this.#settlement.quarantine(account, detail)
    return {
      ...batch,
      entries: batch.entries.map((entry, at) => (at === index ? { kind: 'void' } : entry)),
      takes: batch.takes.map((take) => (take.need.some(([at]) => at === index) ? { ...take, n: 0 } : take)),
    }
  }

  /** The closing batch counts. A fenced answer with its own seq says so too (S9). */
  closed(answer: AppliedAnswer | FencedAnswer): void {
    this.end()
    const shipment = this.#takeShipment()
    if (answer.kind === 'fenced') this.#fencing.settleClosed(shipment, answer)
    else this.#settlement.settle(shipment, answer, true)
    for (const row of shipment.rows) if (isAccount(row)) this.#settlement.dropRefund(row)
  }

  get #lingers(): boolean {
    return this.#closing && this.#parts.settings.clock.monotonic() < this.#lingerUntilMs
  }

  #goOn(): void {
    const { backlog, waiters } = this.#parts
    if (this.#closing || backlog.hasUrgent || waiters.queued > 0) this.wake()
    this.arm()
  }

  #takeShipment(): Shipment {
    const shipment = this.#shipment
    invariant(shipment !== null, 'an answer belongs to a shipment')
    this.#shipment = null
    return shipment
  }

  #urge(account: Account): void {
    this.#parts.backlog.markUrgent(account)
    this.wake()
  }

  #tick(): void {
    this.#timer = null
    this.#timerAtMs = Infinity
    const { settings, waiters, backlog } = this.#parts
    if (settings.clock.monotonic() >= this.#flushAtMs) {
      this.#flushAtMs += settings.flushIntervalMs
      backlog.due = true
      waiters.unpark(() => true)
    }
    this.#send()
    this.arm()
  }

  #send(): void {
    const { session, backlog } = this.#parts
    if (session.state !== 'ready' || this.#ended) return
    if (this.#closing) backlog.due = true
    const composition = this.#composer.compose(this.#closing, this.#lingers)
    if (composition === null) return
    this.#shipment = composition.shipment
    // O13: refunds that come behind the last batch have no way to the store any more.
    if (composition.batch.close) this.#ended = true
    session.send(composition.batch)
  }

  /** While an exchange is under way, it is the sign of life. */
  #keepaliveAtMs(): number {
    const { accounts, session } = this.#parts
    if (accounts.leasedUnits === 0 || session.state !== 'ready') return Infinity
    return session.keepaliveAtMs
  }
}
