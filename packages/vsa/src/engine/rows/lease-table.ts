import type { Clock } from '../../core/clock.ts'
import { LEAP_MIN_MS } from '../../core/leap.ts'
import type { Window } from '../../core/plan.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowView } from '../budget/row-view.ts'
import type { Session } from '../session/session.ts'
import { LeasedRow, rowName } from './leased-row.ts'
import { TouchOrder } from './touch-order.ts'

/** Gates that are remembered for a read along with others, at most. */
const LACKING_MAX = 10_000

/** The requests that wait for a row. They are kept elsewhere, and a row is kept while it has any. */
export interface RowRequestsView {
  isAwaited(row: RowView): boolean
  forget(row: RowView): void
}

/** Finds the gate of a key; undefined where there is none. */
export type GateOf = (key: string) => Gate | undefined

/** The rows that this owner keeps: at most one object for a row, whether its gate admits from it now, later, or no more. */
export class LeaseTable {
  readonly #clock: Clock
  readonly #session: Pick<Session, 'time'>
  readonly #requests: RowRequestsView
  readonly #gateOf: GateOf
  /** The longest untouched first: what is not used goes back and is forgotten, without a scan of the others (G3). */
  readonly #rows = new TouchOrder<LeasedRow>()
  /** By name: those that are not found by their gate, which admits from another row, or was evicted. Most rows need no name. */
  readonly #apart = new Map<string, LeasedRow>()
  /** Gates whose rows were forgotten after denials, the longest ago first. */
  readonly #lacking = new Set<Gate>()
  #leasedUnits = 0
  #closing = false
  #isStopped = false

  constructor(clock: Clock, session: Pick<Session, 'time'>, requests: RowRequestsView, gateOf: GateOf) {
    this.#clock = clock
    this.#session = session
    this.#requests = requests
    this.#gateOf = gateOf
  }

  get size(): number {
    return this.#rows.size
  }

  /** Units leased to this owner, as of the last answers. */
  get leasedUnits(): number {
    return this.#leasedUnits
  }

  /**
   * How long, in ms, there is nothing to do for any row; 0 where a row may have something to do. Rows that are idle, and whose period has not begun
   * by the store's time, are kept until it has (O11). Quarantined ones are kept for good (S6).
   */
  get restMs(): number {
    let restMs = Infinity
    for (const row of this.#rows.values()) {
      if (row.isQuarantined) continue
      if (!this.#isIdleRow(row) || !this.#isAhead(row)) return 0
      restMs = Math.min(restMs, row.window.start - this.#session.time)
    }
    return restMs
  }

  /** The longest untouched first. */
  all(): Generator<LeasedRow, void> {
    return this.#rows.values()
  }

  /** The row that the store names; undefined when nothing is kept of it. */
  find(key: string, period: number): LeasedRow | undefined {
    return this.#found(this.#gateOf(key), key, period)
  }

  /**
   * The row that `gate` admits from now; made, or moved to the present period, where needed. Never of an earlier period than before,
   * though the store's time may have gone back (O11): except where it was repaired after a leap.
   * @param nowMs when the row is made. Rows that are made for one batch share their times
   */
  current(gate: Gate, nowMs?: number): LeasedRow {
    const present = leasedRow(gate.row)
    // A budget without windows has one row while it has any: no clock need be read.
    if (present?.window.end === Infinity) return present
    const { time } = this.#session
    const window = gate.plan.windowAt(time)
    if (present !== null && present.window.end >= window.end && !isFarAhead(present, time)) return present
    if (present !== null) this.retire(present)
    const upcoming = leasedRow(gate.upcoming)
    if (upcoming !== null && (upcoming.window.end < window.end || isFarAhead(upcoming, time))) this.retire(upcoming)
    const row = this.#of(gate, window, nowMs)
    if (!this.#closing) this.#attach(row)
    return row
  }

  /** The row's period is over: its gate goes on with the row that was fetched ahead, if there is one. */
  advance(row: LeasedRow): void {
    const { gate } = row
    this.retire(row)
    const upcoming = leasedRow(gate.upcoming)
    // Never before its period begins (O11).
    if (upcoming !== null && upcoming.window.start <= this.#session.time) this.#attach(upcoming)
  }

  /** The row of the next period, fetched ahead. */
  fetchAhead(row: LeasedRow): LeasedRow {
    const { gate } = row
    const window = gate.plan.after(row.window)
    const upcoming = this.#of(gate, window)
    upcoming.isRetired = false
    upcoming.schedule.usedAtMs = this.#clock.monotonic() + Math.max(0, window.start - this.#session.time)
    upcoming.schedule.spentAtMs = row.schedule.spentAtMs
    upcoming.lease.hold = row.lease.hold
    gate.upcoming = upcoming
    if (!gate.isEvicted) this.#loseName(upcoming)
    return upcoming
  }

  /** The row of any period, for refunds: the gate does not admit from it unless it is the present one. */
  ofWindow(gate: Gate, window: Window): LeasedRow {
    const now = gate.plan.windowAt(this.#session.time)
    const present = gate.row !== null && gate.row.window.end > now.end ? gate.row.window : now
    return window.start === present.start ? this.current(gate) : this.#of(gate, window)
  }

  /** From now on no gate admits. What waits in each row is still sent. */
  retireAll(): void {
    this.#closing = true
    for (const row of this.#rows.values()) this.retire(row)
  }

  /** P3: the gate goes on with other rows, and the leases on those that it has go back. */
  leave(gate: Gate): void {
    for (const view of [gate.row, gate.upcoming]) {
      const row = leasedRow(view)
      if (row !== null) this.retire(row)
    }
  }

  /** Its gate admits from it no more, and its lease goes back. */
  retire(row: LeasedRow): void {
    row.retire()
    if (this.#rows.has(row)) this.#apart.set(row.name, row)
  }

  /** F8: no lease is spent from, or each one is again. What was spent is sent all the same. */
  stop(isStopped: boolean): void {
    this.#isStopped = isStopped
    for (const row of this.#rows.values()) {
      if (!row.isCurrent) continue
      if (isStopped) row.lease.detach()
      else row.lease.attach(row.gate.cell)
    }
  }

  /** The row has its answer: it was touched, and its lease may have changed. */
  touch(row: LeasedRow, heldBefore: number): void {
    this.#leasedUnits += row.held - heldBefore
    if (!this.#rows.has(row)) this.#apart.set(row.name, row)
    this.#rows.touch(row)
  }

  /** G5: nothing is kept of the gate's rows that must not be dropped. */
  isIdle(gate: Gate): boolean {
    if (gate.history?.changed?.isOwn === true) return false
    const row = leasedRow(gate.row)
    return gate.upcoming === null && (row === null || (this.#isIdleRow(row) && !this.#isAhead(row)))
  }

  /** What is kept of an idle gate is dropped. */
  drop(gate: Gate): void {
    const row = leasedRow(gate.row)
    if (row !== null) this.dropIfIdle(row)
  }

  /** Forgets the row when there is nothing to keep of it. */
  dropIfIdle(row: LeasedRow): boolean {
    if (!this.#isIdleRow(row) || this.#isAhead(row)) return false
    this.#remember(row)
    row.retire()
    this.#requests.forget(row)
    this.#loseName(row)
    return this.#rows.delete(row)
  }

  /**
   * O12: gates whose rows were forgotten after denials: they are read along with a row that is asked for, because they are likely to be asked
   * for as well. Each is handed out once.
   */
  takeLacking(max: number): readonly Gate[] {
    const gates: Gate[] = []
    for (const gate of this.#lacking) {
      if (gates.length === max) break
      this.#lacking.delete(gate)
      if (!gate.isEvicted) gates.push(gate)
    }
    return gates
  }

  /** What the gate needs to know when its next request comes. */
  #remember({ gate, wasLeased, wasSpent, window, figures, reach, schedule }: LeasedRow): void {
    if (wasLeased) gate.isSparse = !wasSpent
    const hasDenied = schedule.denials?.hasDenied === true
    const isLacking = figures !== null && (hasDenied || (schedule.denials !== null && reach < 1))
    if (isLacking) gate.remember().lack = { window, reach }
    else if (gate.history !== null) gate.history.lack = null
    if (isLacking && hasDenied && this.#lacking.size < LACKING_MAX) this.#lacking.add(gate)
  }

  #isIdleRow(row: LeasedRow): boolean {
    return row.isIdle && !this.#requests.isAwaited(row)
  }

  /** The gate is in a period that has not begun by the store's time: without the row it would go back into an earlier one (O11). */
  #isAhead(row: LeasedRow): boolean {
    const { time } = this.#session
    return row.isCurrent && row.isKnown && row.window.start > time && !isFarAhead(row, time)
  }

  /** One row has one object: two would each count the whole lease. Retired until a gate admits from it. */
  #of(gate: Gate, window: Window, nowMs?: number): LeasedRow {
    const known = this.#found(gate, gate.key, window.start)
    if (known !== undefined) {
      // Its gate may have been evicted, and the key have another now.
      if (known.gate !== gate) known.moveTo(gate)
      return known
    }
    const row = new LeasedRow(gate, window, nowMs ?? this.#clock.monotonic())
    this.#apart.set(row.name, row)
    this.#rows.touch(row)
    return row
  }

  #found(gate: Gate | undefined, key: string, period: number): LeasedRow | undefined {
    for (const view of [gate?.row, gate?.upcoming])
      if (view instanceof LeasedRow && view.window.start === period) return view
    return this.#apart.size === 0 ? undefined : this.#apart.get(rowName(key, period))
  }

  /** The row is found by its gate from now on, or is forgotten. */
  #loseName(row: LeasedRow): void {
    if (this.#apart.size === 0) return
    const { name } = row
    if (this.#apart.get(name) === row) this.#apart.delete(name)
  }

  /** Another gate than an evicted one may be made for its key: that one must find the row by its name. */
  #attach(row: LeasedRow): void {
    row.attach()
    if (this.#isStopped) row.lease.detach()
    if (!row.gate.isEvicted) this.#loseName(row)
  }
}

/** A period is entered a minute early at most (S4): store time has leapt, and was set back since. */
function isFarAhead({ window }: LeasedRow, time: number): boolean {
  return window.start - time > LEAP_MIN_MS
}

/** Gates know their rows as views: the budget room does not know leases. Each is a `LeasedRow`, set in this room. */
function leasedRow(view: RowView | null): LeasedRow | null {
  return view instanceof LeasedRow ? view : null
}
