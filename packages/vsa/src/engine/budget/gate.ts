import type { Decision } from '../../core/decision.ts'
import type { Plan, Window } from '../../core/plan.ts'
import type { Policy } from '../../core/policy.ts'
import { assertUnits } from '../../core/units.ts'
import { printAsJson } from '../api/inspect.ts'
import type {
  AdmitOptions,
  Budget,
  DurableReserve,
  GivenBack,
  InTransaction,
  MintOptions,
  PastDecision,
  Peek,
  PendingIntent,
  RefundOptions,
  Reservation,
  ReserveDecision,
} from '../api/public-types.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { BudgetHistory, type KnownFigures } from './budget-history.ts'
import type { HotCell } from './hot-cell.ts'
import { LocalReservation } from './local-reservation.ts'
import type { RowView } from './row-view.ts'
import type { SlowPath } from './slow-path.ts'

/** Made once, so that the hot path of `admit` allocates nothing. It cannot be changed. */
const ADMITTED: Promise<boolean> = Promise.resolve(true)

/** What a gate needs of the family that it belongs to. */
export interface GateFamily {
  readonly metrics: Metrics
  readonly slowPath: SlowPath<Gate>
  /**
   * `slowPath.tryAdmit`. Called by `call`, and kept in a field, so that V8 does not inline the slow path into the gate's `tryAdmit`. If it did
   * (it does while most calls are slow, as at first), `tryAdmit` would be too large to be inlined into the loops that call it: three times
   * as slow, for good.
   */
  readonly tryAdmitSlowly: (gate: Gate, units: number) => boolean
  keyOf(id: string): string
  /** The key's one gate: this one, another one made while this one was evicted, or this one put back (G5). */
  live(gate: Gate): Gate
  /** The gate is evicted. */
  forget(gate: Gate): void
}

/**
 * One budget in memory: the hot path, and the handle that users hold. One key has one gate (G5).
 *
 * A gate stays small while its budget is idle: what is kept of a row is in `row`, which is dropped when there is nothing to keep.
 * The fields are plain because the rooms of the engine share them; users see {@link Budget}.
 */
export class Gate implements Budget, HotCell {
  static {
    printAsJson(this)
  }

  room = 0
  /** Those that its family had when it was made. Next to `room`, so that both lie in one cache line: with a million budgets each further line costs a wait. */
  readonly metrics: Metrics
  roomMax = 0
  /** The row that is admitted from now; null while there is nothing to keep of it. Set by the rows room. */
  row: RowView | null = null
  /** The next period's row, fetched ahead. Set by the rows room. */
  upcoming: RowView | null = null
  /** The last window whose row the store is known to have: it must never be created again (S4). */
  knownWindow: Window | null = null
  /** The next gate in the eviction ring. */
  ringNext: Gate | null = null
  /** Its last lease went back unspent: the next one waits for a second request, so that a rare key costs one record a request. */
  isSparse = false
  /** What is remembered of rows that were forgotten; null while that is nothing. */
  history: BudgetHistory | null = null
  /** No longer in its family: the next slow call finds the key's gate, or puts this one back. */
  isEvicted = false
  readonly id: string
  readonly family: GateFamily
  plan: Plan

  constructor(family: GateFamily, id: string, plan: Plan) {
    this.family = family
    this.id = id
    this.plan = plan
    this.metrics = family.metrics
  }

  get key(): string {
    return this.family.keyOf(this.id)
  }

  /**
   * What the store last said of that row, so that changes are reported although an idle row is not kept. Null: the limit is the declared one, and
   * nothing has burned.
   */
  get knownFigures(): KnownFigures | null {
    return this.history?.knownFigures ?? null
  }

  set knownFigures(figures: KnownFigures | null) {
    if (figures !== null || this.history !== null) this.remember().knownFigures = figures
  }

  /** P3: of the policy before the last change; null where there was none. */
  get planBefore(): Plan | null {
    return this.history?.changed?.before ?? null
  }

  /** The policy that it was declared with, though it may have been changed since (P1, P9). */
  get declared(): Plan {
    return this.history?.changed?.declared ?? this.plan
  }

  /** P3, P6: nothing is known of the rows that it goes on with. */
  forgetRow(): void {
    this.knownWindow = null
    this.isSparse = false
    if (this.history === null) return
    this.history.lack = null
    this.history.reported = null
    this.history.knownFigures = null
  }

  /** Its history, which is made where there is none yet. */
  remember(): BudgetHistory {
    return (this.history ??= new BudgetHistory())
  }

  /** The gate is its own hot cell: one object, so that the hot path follows no further pointer. */
  get cell(): HotCell {
    return this
  }

  tryAdmit(units = 1): boolean {
    let room = -1
    try {
      room = this.room - units
    } catch {
      // A BigInt or a symbol. The slow path refuses it.
    }
    if (!(room >= 0) || units <= 0 || !Number.isInteger(units)) {
      // Compared, so that V8 knows both ways out to be booleans: the loop that calls this tests no tagged value.
      // oxlint-disable-next-line typescript/no-unnecessary-boolean-literal-compare
      return this.family.tryAdmitSlowly.call(undefined, this, units) === true
    }
    this.room = room
    if (units !== 1) this.metrics.surplusUnits += units - 1
    return true
  }

  admit(units = 1, options?: AdmitOptions): Promise<boolean> {
    let room = -1
    try {
      room = this.room - units
    } catch {
      // A BigInt or a symbol. The slow path refuses it.
    }
    if (options !== undefined || !(room >= 0) || units <= 0 || !Number.isInteger(units)) {
      return this.family.slowPath.admit(this, units, options)
    }
    this.room = room
    if (units !== 1) this.metrics.surplusUnits += units - 1
    return ADMITTED
  }

  decide(units = 1, options?: AdmitOptions): Promise<Decision> {
    return this.family.slowPath.decide(this, units, options)
  }

  refund(units?: number, decision?: PastDecision): void
  refund(units: number, options: RefundOptions): Promise<GivenBack>
  refund(units = 1, decision?: PastDecision | RefundOptions): void | Promise<GivenBack> {
    if (decision !== undefined && isRefundOptions(decision))
      return this.family.slowPath.refundOnce(this, units, decision)
    let room = Infinity
    try {
      room = this.room + units
    } catch {
      // As above.
    }
    if (!(room <= this.roomMax) || decision !== undefined || units <= 0 || !Number.isInteger(units)) {
      this.family.slowPath.refund(this, units, decision)
      return
    }
    this.room = room
    const { metrics } = this
    metrics.unspentUnits += units
    metrics.refundedUnits += units
    metrics.refunds += 1
  }

  /** Into a row of any period, also of one that its policy has no more. */
  giveBack(units: number, window: Window): void {
    this.family.slowPath.giveBack(this, units, window)
  }

  tryReserve(max: number): Reservation | null {
    // `tryAdmit` has a default.
    if (typeof max !== 'number') assertUnits('units', max)
    if (this.plan.shadow) return this.#reservedOnTrial(max)
    return this.tryAdmit(max) ? this.#reserved(max) : null
  }

  reserve(max: number, options?: AdmitOptions | DurableReserve): Promise<Reservation | null> {
    if (options === undefined && Number.isInteger(max) && max > 0 && max <= this.room)
      return Promise.resolve(this.tryReserve(max))
    return this.family.slowPath.reserve(this, max, options)
  }

  decideReserve(max: number, options?: AdmitOptions | DurableReserve): Promise<ReserveDecision> {
    return this.family.slowPath.decideReserve(this, max, options)
  }

  reservation(id: string): Reservation {
    return this.family.slowPath.reservation(this, id)
  }

  setPolicy(policy: Policy): Promise<void> {
    return this.family.slowPath.setPolicy(this, policy, true)
  }

  reset(): Promise<void> {
    return this.family.slowPath.reset(this)
  }

  delete(): Promise<void> {
    return this.family.slowPath.delete(this)
  }

  mint(units: number, options: MintOptions & InTransaction): Promise<PendingIntent>
  mint(units: number, options: MintOptions): Promise<boolean>
  mint(units: number, options: MintOptions): Promise<boolean | PendingIntent> {
    return this.family.slowPath.mint(this, units, options)
  }

  peek(): Promise<Peek> {
    return this.family.slowPath.peek(this)
  }

  /** Units that were just admitted, from the row that the budget admits from now. */
  #reserved(units: number): LocalReservation {
    const gate = this.isEvicted ? this.family.live(this) : this
    return new LocalReservation(gate, units, gate.row?.window ?? null)
  }

  /** P7: of units that were not spent nothing goes back. */
  #reservedOnTrial(units: number): LocalReservation {
    if (this.family.slowPath.trySpend(this, units)) return this.#reserved(units)
    this.metrics.countShadow(units, 1, true)
    return new LocalReservation(this, units, null)
  }

  toJSON(): { readonly key: string; readonly policy: Policy } {
    return { key: this.key, policy: this.plan.policy }
  }
}

/** No decision has an id. */
function isRefundOptions(value: PastDecision | RefundOptions): value is RefundOptions {
  return typeof value === 'object' && value !== null && 'id' in value
}
