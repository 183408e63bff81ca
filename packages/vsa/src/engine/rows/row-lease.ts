import { invariant, InvariantError } from '../../core/errors.ts'
import { lowWaterOf } from '../../core/lease-sizing.ts'
import type { BudgetAnswer } from '../../core/exchange.ts'
import type { BudgetRow } from '../../core/rows.ts'
import { UNITS_MAX } from '../../core/units.ts'
import type { HotCell } from '../budget/hot-cell.ts'
import type { RowFigures } from '../budget/row-view.ts'
import { KeptFigures } from './kept-figures.ts'

/** The most that may be spent before the hot path stops: what V8 keeps unboxed. */
const ROOM_MAX = 2 ** 30

/** What an answer says of a row that this owner may hold a lease on. */
export type AnsweredFigures = RowFigures & Pick<BudgetAnswer, 'held'>

/** What the exchange in flight carries for a row. */
export interface SentUnits {
  readonly spent: number
  readonly hold: number
  readonly refund: number
}

/** Units on their way back through the store. Made when there are some. */
class Refunds {
  units = 0
  refused = 0
  ended = 0
}

/**
 * The arithmetic of one row's lease (O3, O4): what is held, what has been spent since the last send, what waits to be given back.
 *
 * `base` is what may be spent before the next send: the lease as acknowledged, or, while an exchange is in flight,
 * `min(held - sent.spent, sent.hold)`, so that what a batch offers back is deducted before it is sent. What is left is
 * `base - spentSince`. While the lease is attached, what is left is in the hot cell of its budget, else it is here.
 */
export class RowLease {
  /** The lease as of the last answer. */
  held = 0
  /** The lease asked for with the last send. */
  hold = 0
  /** Null while no exchange carries the row. */
  sent: SentUnits | null = null
  /** The row is in the send queue: the hot path need not stop at the first spending (G1). */
  isDirty = false
  #figures: RowFigures | null = null
  #refunds: Refunds | null = null
  #cell: HotCell | null = null
  /** What is left apart from the room of the hot cell: where the hot path stops (G1); all of it while the lease is not attached. */
  #floor = 0

  get figures(): RowFigures | null {
    return this.#figures
  }

  /** The hot path of the budget spends from this lease. */
  get isAttached(): boolean {
    return this.#cell !== null
  }

  get base(): number {
    return this.sent === null ? this.held : Math.min(this.held - this.sent.spent, this.sent.hold)
  }

  get left(): number {
    return this.#cell === null ? this.#floor : this.#cell.room + this.#floor
  }

  /**
   * The room is a small integer, whatever the lease: one room that V8 keeps as a double turns those of all gates into boxed ones,
   * and the hot path takes three times as long. A floor higher than asked for is reached earlier, and then settled anew.
   */
  set left(units: number) {
    const cell = this.#cell
    this.#floor = cell === null ? units : Math.min(Math.max(this.#floor, units - ROOM_MAX), units)
    if (cell === null) return
    // Figures from a store may be integers that V8 keeps as doubles: `| 0` makes them small integers again.
    cell.room = (units - this.#floor) | 0
    cell.roomMax = Math.min(this.base - this.#floor, ROOM_MAX) | 0
  }

  /** Units to give back through the store, not sent yet. */
  get refund(): number {
    return this.#refunds?.units ?? 0
  }

  set refund(units: number) {
    if (units !== this.refund) (this.#refunds ??= new Refunds()).units = units
  }

  /** Of `refund`: what the last exchange carried, and the store did not accept. The rest is younger. */
  get refused(): number {
    return this.#refunds?.refused ?? 0
  }

  set refused(units: number) {
    if (units !== this.refused) (this.#refunds ??= new Refunds()).refused = units
  }

  /** Units given back through the store, the oldest first, that need nothing more: netted, accepted or given up. */
  get refundsEnded(): number {
    return this.#refunds?.ended ?? 0
  }

  set refundsEnded(units: number) {
    if (units !== this.refundsEnded) (this.#refunds ??= new Refunds()).ended = units
  }

  /** What the owner may admit from now: nothing while the hot path does not spend from this lease. */
  get spendable(): number {
    return this.#cell === null ? 0 : this.left
  }

  get spentSince(): number {
    return this.base - this.left
  }

  /** Spent, and not acknowledged. */
  get delta(): number {
    return this.spentSince + (this.sent?.spent ?? 0)
  }

  /** What the row could give to this owner in all, as far as is known; Infinity when nothing is. */
  get reach(): number {
    if (this.figures === null) return Infinity
    const { pool, othersHeld } = this.figures
    const unspent = this.held - (this.sent?.spent ?? 0) - this.spentSince
    return Math.max(pool, 0) + othersHeld + unspent + this.refund + (this.sent?.refund ?? 0)
  }

  /** What a lease could cover at most, as far as is known: `reach` without the leases of others, which come back by `admit` alone. */
  get leasable(): number {
    return this.reach - (this.figures?.othersHeld ?? 0)
  }

  /** The lease runs out, and the pool has more, as far as is known (O8). */
  get isLow(): boolean {
    if (this.spentSince === 0 || this.left >= Math.max(lowWaterOf(this.hold), 1)) return false
    return this.figures === null || this.figures.pool > 0
  }

  /** Nothing is held, spent, in flight or owed. */
  get isEmpty(): boolean {
    return this.held === 0 && this.sent === null && this.refund === 0 && !this.isDirty
  }

  /** O1: check and spend, with nothing in between. */
  spend(units: number): boolean {
    const left = this.left - units
    if (left < 0 || !this.isAttached) return false
    this.left = left
    return true
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

  detach(): void {
    if (this.#cell === null) return
    const { left } = this
    this.#cell.room = 0
    this.#cell.roomMax = 0
    this.#cell = null
    this.#floor = left
  }

  attach(cell: HotCell): void {
    const { left } = this
    this.#cell = cell
    this.left = left
    this.settleFloor()
  }

  /**
   * O3 and O4: refunds that wait are netted against what was spent, so that churn sends nothing. The rest goes in flight,
   * and what is offered back is deducted at once.
   * @returns the gross units spent since the last send
   */
  send(hold: number): number {
    invariant(this.sent === null, 'one exchange at a time')
    const gross = this.spentSince
    const netted = Math.min(gross, this.refund)
    const spent = gross - netted
    this.sent = { spent, hold, refund: this.refund - netted }
    this.refund = 0
    this.refused = 0
    this.refundsEnded += netted
    this.hold = hold
    this.left = this.base
    this.isDirty = false
    this.settleFloor()
    return gross
  }

  /** The answer is certain: the lease is what the store says, less what was spent since the send. */
  acknowledge(figures: AnsweredFigures, { key }: { readonly key: string }): void {
    const { spentSince } = this
    if (spentSince > figures.held) {
      const lease = `the lease of ${JSON.stringify(key)} is ${figures.held}`
      throw new InvariantError(`${lease}, but ${spentSince} were spent from it`)
    }
    this.held = figures.held
    this.#figures = new KeptFigures(figures)
    this.sent = null
    this.left = figures.held - spentSince
    this.settleFloor()
  }

  /** What a read showed while nothing of the row was in flight. It does not tell how many owners hold what others have. */
  look({ minted, used, reserved, pool, burned, limit, version }: BudgetRow): void {
    const { held } = this
    const othersHeld = Math.max(0, minted - used - reserved - pool - burned - held)
    const others = othersHeld === 0 ? 0 : Math.max(1, this.figures?.others ?? 0)
    this.#figures = new KeptFigures({ pool, used, reserved, burned, minted, limit, version, others, othersHeld })
  }

  /**
   * O5: the epoch is over, or the row is gone. What was spent is burned and forgotten; refunds that wait stay.
   * @returns the units spent since the last send
   */
  lose(): number {
    const { spentSince } = this
    this.held = 0
    this.hold = 0
    this.sent = null
    this.left = 0
    this.#figures = null
    this.settleFloor()
    return spentSince
  }

  /** G1: where the hot path must stop next: at the first spending, then at the low-water mark, then at 0. */
  settleFloor(): void {
    if (this.#cell === null) return
    const { left } = this
    const lowWater = lowWaterOf(this.hold)
    const above = left >= lowWater ? lowWater : 0
    this.#floor = this.isDirty ? above : left
    this.left = left
  }
}
