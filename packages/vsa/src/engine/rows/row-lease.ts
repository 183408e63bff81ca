import type { BudgetAnswer } from '../../core/exchange.ts'
import { invariant } from '../../core/errors.ts'
import { lowWaterOf } from '../../core/lease-sizing.ts'
import type { Window } from '../../core/plan.ts'
import { UNITS_MAX } from '../../core/units.ts'
import type { Gate } from '../budget/gate.ts'
import type { MintRequest } from '../requests/mint-request.ts'
import type { Waiter } from '../requests/pending-request.ts'

/** What the store last said of the row. */
export type Figures = Omit<BudgetAnswer, 'kind' | 'refunded' | 'mint'>

/** The most that may be spent before the hot path stops: what V8 keeps unboxed. */
const ROOM_MAX = 2 ** 30

/**
 * An owner's side of one budget row: what it holds, what it has spent since the last send, and what waits to be sent.
 * Exists only while there is something to keep; an idle budget has none.
 *
 * O3 is here. `base` is what may be spent before the next send: the lease as acknowledged, or, while an exchange is under way,
 * `min(held - sent.spent, sent.hold)`, so that what a batch offers back is deducted before it is sent. What is left is
 * `base - spentSince`; it lives in the gate while this account is the gate's current one, else here.
 */
export class Account {
  gate: Gate
  readonly window: Window
  /** The row's name among accounts. */
  readonly row: string
  /** The lease as of the last answer. */
  held = 0
  base = 0
  /** The lease asked for with the last send. */
  hold = 0
  /** What the exchange under way carries for this row; null when none does. */
  sent: {
    readonly spent: number
    readonly hold: number
    readonly refund: number
    readonly mint: MintRequest | null
  } | null = null
  /** Units to give back through the store, not sent yet. */
  refund = 0
  /** When refunds that the store does not accept are given up, by the owner's monotonic clock; Infinity while none was refused. */
  refundGivenUpAtMs: number = Infinity
  figures: Figures | null = null
  /** This owner has seen the row: the store must have it (S4). */
  known: boolean
  /** In the flusher's list. */
  dirty = false
  /** In the flusher's list of rows that cannot wait for the next flush. */
  urgent = false
  sentAtMs: number
  /** When the row was last asked for. */
  usedAtMs: number
  /** When somebody last spent from the row, or from the one of the period before: what nobody spends from is not fetched ahead. */
  spentAtMs: number
  /** Until then the lease goes back: somebody wants the row (O12). */
  recalledUntilMs: number = -Infinity
  /** Not asked again before that: the row could not cover what was asked (O12). */
  askAgainAtMs: number = -Infinity
  /** The last answer brought a larger lease than there was. */
  grew = false
  /** The row is not marked as wanted again before that. */
  wantAgainAtMs: number = -Infinity
  /** What became of the leases on this row so far: none was had, none was spent from, or one was. */
  leases: 'none' | 'untouched' | 'spent' = 'none'
  /** No gate admits from it, and its lease goes back: its period is over or to come, or the engine closes. */
  retired = true
  /** Its books did not balance: nothing more is sent or admitted. */
  quarantined = false
  /** Somebody in line came while an exchange for this row was under way: its answer may serve him. */
  awaited = false
  /** Requests that take from the row and are under way. */
  takers = 0
  /** Units that those in the batch being made would have spent from a lease, had there been one. */
  demand = 0
  /** A request waits for units that the pool lacks: the lease goes back to the pool for it. */
  yields = false
  /** Others hold those units: the row is to be marked as wanted. */
  wants = false
  /** Durable admissions spent from the lease since the last send (O9), and those that the exchange under way carries. */
  confirming: Waiter[] = []
  confirmingSent: Waiter[] = []
  readonly mints: MintRequest[] = []
  /** Units that the exchange just answered took. */
  taken = 0
  /** Index of this row's entry in the batch being made; -1 outside. */
  entryAt = -1
  /** Index of the last run of takes that touches this row in the batch being made. */
  lastRunAt = -1
  #left = 0
  /** Where the hot path stops (G1). */
  #floor = 0

  constructor(gate: Gate, window: Window, row: string, nowMs: number) {
    this.gate = gate
    this.window = window
    this.row = row
    this.known = gate.knownWindow?.start === window.start
    this.sentAtMs = nowMs
    this.usedAtMs = nowMs
    this.spentAtMs = nowMs
  }

  get current(): boolean {
    return this.gate.account === this
  }

  get left(): number {
    return this.current ? this.gate.room + this.#floor : this.#left
  }

  set left(units: number) {
    if (this.current) this.#makeRoom(units, this.#floor)
    else this.#left = units
  }

  get spentSince(): number {
    return this.base - this.left
  }

  /** What the row could give to this owner in all, as far as is known; Infinity when nothing is. */
  get reach(): number {
    if (this.figures === null) return Infinity
    const { pool, othersHeld } = this.figures
    const unspent = this.held - (this.sent?.spent ?? 0) - this.spentSince
    return Math.max(pool, 0) + othersHeld + unspent + this.refund + (this.sent?.refund ?? 0)
  }

  /** Whether a larger lease may be had by asking now: the last answer gave more, or was a flush interval ago (O8, O12). */
  mayLeaseMore(nowMs: number): boolean {
    if (nowMs >= this.askAgainAtMs) return true
    return this.figures !== null && this.grew && this.figures.pool > 0 && this.figures.burned < this.gate.plan.burnMax
  }

  /** O4: units to give back through the store. No row can take back more than all the units there can be. */
  owe(units: number): void {
    this.refund = Math.min(this.refund + units, UNITS_MAX)
  }

  /**
   * O4: what was spent since the last send is lowered first; the rest is owed.
   * @returns the units that may be admitted again at once
   */
  giveBack(units: number): number {
    const usable = Math.min(units, this.spentSince)
    this.left += usable
    this.owe(units - usable)
    return usable
  }

  /** The gate leaves this account: from now on what is left lives here. */
  detach(): void {
    const { gate } = this
    this.#left = this.left
    gate.account = null
    gate.room = 0
    this.#floor = 0
  }

  /** The gate admits from this account. */
  attach(): void {
    const { gate } = this
    gate.account = this
    this.left = this.#left
    this.#left = 0
    this.settleFloor()
  }

  /**
   * O3 and O4: waiting refunds are netted against what was spent, so that churn sends nothing; the rest is put under way,
   * and what is offered back is deducted at once.
   * @returns the net units spent, and the refund, that the entry carries
   */
  send(
    hold: number,
    nowMs: number,
  ): { readonly spent: number; readonly refund: number; readonly mint: MintRequest | null } {
    invariant(this.sent === null, 'one exchange at a time')
    const gross = this.spentSince
    const netted = Math.min(gross, this.refund)
    const spent = gross - netted
    const mint = this.#nextMint()
    const sent = { spent, hold, refund: this.refund - netted, mint }
    this.gate.family.tally.spentUnits += gross
    this.sent = sent
    this.refund = 0
    this.hold = hold
    this.base = Math.min(this.held - spent, hold)
    this.left = this.base
    this.confirmingSent = this.confirming
    this.confirming = []
    this.dirty = false
    this.urgent = false
    this.demand = 0
    this.taken = 0
    this.yields = false
    this.wants = false
    this.sentAtMs = nowMs
    if (gross > 0) {
      this.leases = 'spent'
      this.usedAtMs = nowMs
      this.spentAtMs = nowMs
    }
    this.settleFloor()
    return sent
  }

  /** Whoever has been told of a timeout has asked again, or has gone. */
  #nextMint(): MintRequest | null {
    for (let next = this.mints.shift(); next !== undefined; next = this.mints.shift())
      if (!next.reply.settled) return next
    return null
  }

  /** The answer is certain: the lease is what the store says, less what was spent since the send. */
  acknowledge(figures: Figures): void {
    const { spentSince } = this
    invariant(
      spentSince <= figures.held,
      `the lease of ${JSON.stringify(this.gate.key)} is ${figures.held}, but ${spentSince} were spent from it`,
    )
    this.grew = figures.held > this.held
    this.held = figures.held
    if (figures.held > 0 && this.leases === 'none') this.leases = 'untouched'
    this.figures = figures
    this.known = true
    this.sent = null
    this.base = figures.held
    this.left = figures.held - spentSince
    this.settleFloor()
  }

  /** O5: the epoch is over, or the row is gone. What was spent is burned and forgotten; refunds that wait stay. */
  lose(): void {
    this.gate.family.tally.spentUnits += this.spentSince
    this.held = 0
    this.base = 0
    this.hold = 0
    this.left = 0
    this.sent = null
    this.figures = null
    this.askAgainAtMs = -Infinity
    this.settleFloor()
  }

  /** G1: where the hot path must stop next: at the first spend, then at the low-water mark, then at 0. */
  settleFloor(): void {
    if (!this.current) return
    const { left } = this
    const lowWater = lowWaterOf(this.hold)
    const above = left >= lowWater ? lowWater : 0
    this.#makeRoom(left, this.dirty ? above : left)
  }

  /**
   * The gate's room is a small integer, whatever the lease: one room that V8 keeps as a double turns those of all gates into boxed ones,
   * and the hot path takes three times as long. A floor higher than asked for is reached earlier, and then settled anew.
   */
  #makeRoom(left: number, floor: number): void {
    this.#floor = Math.min(Math.max(floor, left - ROOM_MAX), left)
    // Figures from a store may be integers that V8 keeps as doubles: this makes them small ones again.
    this.gate.room = (left - this.#floor) | 0
  }

  /** What the gate's room is when nothing has been spent since the last send: refunds on the hot path go no further. */
  get roomMax(): number {
    return Math.min(this.base - this.#floor, ROOM_MAX)
  }

  /** The lease runs out, and a larger one, or the same again, can be had (O8). */
  get isLow(): boolean {
    if (this.retired || this.spentSince === 0 || this.left >= Math.max(lowWaterOf(this.hold), 1)) return false
    return this.figures === null || (this.figures.pool > 0 && this.figures.burned < this.gate.plan.burnMax)
  }

  /** Somebody waits for what the next exchange says of this row alone. */
  get isAwaited(): boolean {
    return this.confirming.length > 0 || this.mints.length > 0
  }

  /** Nothing is held, spent, asked or owed: the account may be dropped (G5, L9). */
  get idle(): boolean {
    return (
      this.held === 0 &&
      this.sent === null &&
      this.refund === 0 &&
      this.takers === 0 &&
      !this.isAwaited &&
      !this.dirty &&
      !this.urgent &&
      !this.quarantined
    )
  }
}
