import { quarantinedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { MintRequest } from '../requests/mint-request.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import type { FlushScheduler } from './flush-scheduler.ts'
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
    schedule.demand += units
    if (lease.sent !== null || schedule.isUrgent || row.plan.atRisk === 0) return
    const nowMs = settings.clock.monotonic()
    // While the store is away, no list of what was tried is kept: it would have no bound.
    if (session.lastError !== null || !row.mayLeaseMore(nowMs)) return
    schedule.usedAtMs = nowMs
    this.#scheduler.urge(row)
  }

  /** O4: first lowers what this owner has spent since the last send; the rest goes through the store. */
  refund(row: LeasedRow, units: number): void {
    if (row.isQuarantined) return this.#refunds.drop(row, units)
    this.#parts.metrics.unspentUnits += row.lease.giveBack(units)
    if (row.lease.refund === 0) return
    row.schedule.refundGivenUpAtMs = Infinity
    this.#parts.sendQueue.markDirty(row)
    this.#scheduler.arm()
  }

  /** Only for budgets without windows: their row is known before any join. */
  mint(gate: Gate, request: MintRequest): void {
    const row = this.#parts.leases.current(gate)
    if (row.isQuarantined) return request.reply.reject(quarantinedError(gate.key))
    this.#parts.requests.of(row).mints.push(request)
    this.#scheduler.urge(row)
  }

  /** O9: the request has its units, and waits for them to be durable. */
  confirm(row: LeasedRow, request: PendingRequest): void {
    this.#parts.waiting.confirm(this.#parts.requests.of(row).unsent, request)
    this.#scheduler.urge(row)
  }

  /** @param refund units to give back; 0 where a lease is asked for */
  deferUntilJoined(gate: Gate, refund: number): void {
    if (refund === 0 && this.#parts.session.lastError !== null) return
    this.#beforeJoin.set(gate, (this.#beforeJoin.get(gate) ?? 0) + refund)
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
