import { quarantinedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { MintRequest } from '../requests/mint-request.ts'
import type { RowCall } from '../requests/policy-call.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import type { FlushScheduler } from './flush-scheduler.ts'
import { assertRoomForChange } from './change-bound.ts'
import { RefundSettlement } from './refund-settlement.ts'

/** Takes in what the slow path changes in rows, and sees to it that it is sent. */
export class ChangeIntake {
  readonly #parts: ExchangeParts
  readonly #scheduler: FlushScheduler
  readonly #refunds: RefundSettlement
  /** Loads and refunds that came before the first join, when no period is known yet. */
  readonly #beforeJoin = new Map<Gate, number>()

  constructor(parts: ExchangeParts, scheduler: FlushScheduler) {
    this.#parts = parts
    this.#scheduler = scheduler
    this.#refunds = new RefundSettlement(parts)
  }

  get isEmpty(): boolean {
    return this.#beforeJoin.size === 0
  }

  /** Units given back before the first join. */
  get refundedUnits(): number {
    let units = 0
    for (const refund of this.#beforeJoin.values()) units += refund
    return units
  }

  /** The slow path has spent from the row. */
  spent(row: LeasedRow): void {
    const { lease } = row
    row.isUsed = true
    if (!lease.isDirty) {
      this.#parts.sendQueue.markDirty(row)
      this.#scheduler.arm()
    }
    lease.settleFloor()
    if (row.isLow && lease.sent === null) this.#scheduler.urge(row)
  }

  /** `tryAdmit` found too little: a larger lease is asked for, if there is a prospect of one. */
  askLease(row: LeasedRow, units: number): void {
    const { settings, session } = this.#parts
    const { lease, schedule } = row
    schedule.ask(units)
    if (lease.sent !== null || schedule.isUrgent || row.plan.atRisk === 0) return
    const nowMs = settings.clock.monotonic()
    // While the store is away, no list of what was tried is kept: it would have no bound.
    if (session.lastError !== null || !row.mayLeaseMore(nowMs)) return
    if (row.held === 0 && !this.#isWorthALease(row, nowMs)) return
    schedule.usedAtMs = nowMs
    this.#scheduler.urge(row)
  }

  /**
   * A lease that went back unspent was not kept for long enough: the next one is kept for twice the pause between two calls, up to
   * one lease lifetime. A call that is alone asks for none: its lease would go back unspent, too, which costs a second store call.
   */
  #isWorthALease({ gate, schedule }: LeasedRow, nowMs: number): boolean {
    if (gate.isSparse) {
      const history = gate.remember()
      const keptMs = 2 * (nowMs - history.triedAtMs)
      history.triedAtMs = nowMs
      if (keptMs > this.#parts.session.leaseTtlMs) return false
      history.leaseKeptMs = keptMs
    }
    if (gate.history !== null && gate.history.leaseKeptMs > 0) {
      const denials = schedule.withDenials(this.#parts.settings.flushIntervalMs)
      denials.leaseKeptMs = gate.history.leaseKeptMs
      denials.use(nowMs)
    }
    return true
  }

  /**
   * @param more changes that come with them
   * @throws VsaError `store_unavailable` where a refund into one of the rows would be refused, and none may be made
   */
  assertRefunds(rows: readonly LeasedRow[], more: number): void {
    const fresh = rows.filter(({ isQuarantined, lease }) => !isQuarantined && !lease.isDirty)
    const [first] = fresh
    if (first !== undefined) this.#assertRoom(first, 'refund', fresh.length - 1 + more)
  }

  /** O4: first lowers what this owner has spent since the last send; the rest goes through the store. */
  refund(row: LeasedRow, units: number): void {
    if (row.isQuarantined) return this.#refunds.drop(row, units)
    if (!row.lease.isDirty) this.#assertRoom(row, 'refund')
    const usable = row.lease.giveBack(units)
    row.gate.metrics.unspentUnits += usable
    // Older refunds that wait are not offered for longer because of it.
    if (usable === units) return
    row.schedule.refundGivenUpAtMs = Infinity
    this.#parts.sendQueue.markDirty(row)
    this.#scheduler.arm()
  }

  /**
   * Only for budgets without windows: their row is known before any join.
   * @param request makes the request, once it is sure to be taken
   * @throws VsaError `store_unavailable` where too many changes wait, and what `request` throws
   */
  mint(gate: Gate, request: () => MintRequest): Promise<boolean> {
    const row = this.#parts.leases.current(gate)
    if (row.isQuarantined) throw quarantinedError(gate.key)
    if (!row.schedule.isUrgent) this.#assertRoom(row, 'mint')
    const made = request()
    this.#parts.requests.of(row).mints.add(made)
    this.#scheduler.urge(row)
    return made.reply.promise
  }

  /** P1, P5, P6: goes with the row's next exchange. What was deleted already is heard of in any case. */
  callRow(row: LeasedRow, call: RowCall): void {
    if (call.kind !== 'hear' && !row.schedule.isUrgent) this.#assertRoom(row, 'policy')
    this.#parts.requests.of(row).calls.add(call)
    this.#scheduler.urge(row)
  }

  /** O9: the request has its units, and waits for them to be durable. */
  confirm(row: LeasedRow, request: PendingRequest): void {
    this.#parts.waiting.confirm(this.#parts.requests.of(row).unsent, request)
    this.#scheduler.urge(row)
  }

  /**
   * @param refund units to give back; 0 where a lease is asked for
   * @throws VsaError `store_unavailable` where too many refunds wait
   */
  deferUntilJoined(gate: Gate, refund: number): void {
    const { session, settings } = this.#parts
    const { size } = this.#beforeJoin
    if (!this.#beforeJoin.has(gate)) {
      if (refund === 0 && (session.lastError !== null || size >= settings.budgetsMax)) return
      assertRoomForChange(this.#parts, size, () => `the refund of budget ${JSON.stringify(gate.key)}`)
    }
    this.#beforeJoin.set(gate, (this.#beforeJoin.get(gate) ?? 0) + refund)
  }

  /** @param more changes that come with it */
  #assertRoom({ key }: LeasedRow, what: 'mint' | 'refund' | 'policy', more = 0): void {
    const waiting = this.#parts.sendQueue.size + more
    assertRoomForChange(this.#parts, waiting, () => `the ${what} of budget ${JSON.stringify(key)}`)
  }

  /** The session has an epoch: periods are known. */
  opened(): void {
    for (const [gate, units] of this.#beforeJoin) {
      const row = this.#parts.leases.current(gate.family.live(gate))
      if (units > 0) this.refund(row, units)
      else this.askLease(row, 0)
    }
    this.#beforeJoin.clear()
  }
}
