import type { Plan, Window } from '../../core/plan.ts'
import type { BudgetRow } from '../../core/rows.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowFigures, RowView } from '../budget/row-view.ts'
import { type AnsweredFigures, RowLease } from './row-lease.ts'
import { RowSchedule } from './row-schedule.ts'
import type { Touched } from './touch-order.ts'

/**
 * One row of the store as this owner keeps it: its lease and its schedule. Exists only while there is something to keep.
 *
 * The row is its own schedule and carries its own marks: one object, because there may be a million rows.
 */
export class LeasedRow extends RowSchedule implements RowView, Touched<LeasedRow> {
  gate: Gate
  readonly window: Window
  readonly lease: RowLease = new RowLease()
  /** Requests that take from the row and are in flight. */
  takers = 0
  older: LeasedRow | null = null
  newer: LeasedRow | null = null

  constructor(gate: Gate, window: Window, nowMs: number) {
    super(nowMs)
    this.gate = gate
    this.window = window
    this.isKnown = gate.knownWindow?.start === window.start
  }

  get schedule(): RowSchedule {
    return this
  }

  /** What it is found by where its gate does not tell. Not kept: it would take more memory than all that is kept of some rows. */
  get name(): string {
    return rowName(this.key, this.window.start)
  }

  get key(): string {
    return this.gate.key
  }

  get plan(): Plan {
    return this.gate.plan
  }

  get figures(): RowFigures | null {
    return this.lease.figures
  }

  get held(): number {
    return this.lease.held
  }

  get delta(): number {
    return this.lease.delta
  }

  get owed(): number {
    return this.lease.refund + (this.lease.sent?.refund ?? 0)
  }

  get reach(): number {
    return this.lease.reach
  }

  /** An exchange carries the row. */
  get isInFlight(): boolean {
    return this.lease.sent !== null
  }

  /** The gate admits from this row. */
  get isCurrent(): boolean {
    return this.gate.row === this
  }

  /** O8 */
  get isLow(): boolean {
    return !this.isRetired && this.lease.isLow && !this.isBurned
  }

  /** Nothing is held, spent, asked or owed: the row may be dropped (G5, L9). */
  get isIdle(): boolean {
    const isFree = this.takers === 0 && !this.isUrgent && !this.isQuarantined
    return isFree && this.lease.isEmpty && this.denials?.isToRead !== true
  }

  /** Although it is not used: it was denied lately, or `tryAdmit` asks for its lease now and then. */
  isKept(nowMs: number): boolean {
    return this.denials?.isKept(nowMs, this.held > 0) === true
  }

  isUnused(nowMs: number, flushIntervalMs: number): boolean {
    return this.isUnasked(nowMs, flushIntervalMs) && !this.isKept(nowMs)
  }

  /** S5: so many units have burned that no lease grows until the period ends. */
  get isBurned(): boolean {
    return this.figures !== null && this.figures.burned >= this.plan.burnMax
  }

  /** Whether a larger lease may be had by asking now: the last answer gave more, or was a flush interval ago (O8, O12). */
  mayLeaseMore(nowMs: number): boolean {
    const { figures } = this
    if (this.isBurned) return false
    if (nowMs >= this.askAgainAtMs) return true
    return figures !== null && this.hasGrown && figures.pool > 0
  }

  /** The gate admits from this row from now on. */
  attach(): void {
    this.isRetired = false
    if (this.gate.upcoming === this) this.gate.upcoming = null
    this.gate.row = this
    this.lease.attach(this.gate.cell)
  }

  /** The gate moves on: nothing more is admitted from the row, and its lease goes back. */
  retire(): void {
    leaveGate(this)
    this.isRetired = true
  }

  /** The row's gate was evicted, and the key has another one now. */
  moveTo(gate: Gate): void {
    leaveGate(this)
    this.gate = gate
  }

  /** The row goes in flight with its next entry. */
  send(hold: number, nowMs: number): void {
    const gross = this.lease.send(hold)
    this.gate.metrics.spentUnits += gross
    const wasUsed = gross > 0 || this.isUsed
    this.isUsed = false
    this.sent(nowMs, wasUsed)
    if (wasUsed) this.wasSpent = true
  }

  /** @throws InvariantError before anything changes, when more was spent than the store says is held */
  acknowledge(figures: AnsweredFigures): void {
    const heldBefore = this.held
    this.lease.acknowledge(figures, this.gate)
    this.hasGrown = figures.held > heldBefore
    this.isDeleted = false
    if (figures.held > 0) this.wasLeased = true
    this.isKnown = true
  }

  /** O12: a read has shown the row, while nothing of it was in flight. */
  look(stored: BudgetRow): void {
    this.lease.look(stored)
    this.isKnown = true
  }

  /** P6: the row was deleted, and so is what is known of it: the next request makes a fresh one. @returns the units spent since the last send */
  forget(): number {
    const { gate, lease, window } = this
    const spent = lease.spentSince + (lease.sent?.spent ?? 0)
    // A store that says so again, of a row that nothing is known of, is asked at its own pace.
    const isNews = this.isKnown || this.held > 0
    this.lose()
    this.isKnown = false
    this.isDeleted = isNews
    if (gate.knownWindow?.start === window.start) gate.forgetRow()
    return spent
  }

  /** O5 */
  lose(): void {
    this.gate.metrics.spentUnits += this.lease.lose()
    this.askAgainAtMs = -Infinity
    this.isDeleted = false
  }
}

function leaveGate(row: LeasedRow): void {
  const { gate } = row
  if (gate.row === row) {
    row.lease.detach()
    gate.row = null
  }
  if (gate.upcoming === row) gate.upcoming = null
}

export function rowName(key: string, period: number): string {
  return `${period}:${key}`
}
