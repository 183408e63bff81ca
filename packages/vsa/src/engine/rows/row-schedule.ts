import { RowDenials } from './row-denials.ts'
import { RowMarks } from './row-marks.ts'
import { rowTimes, type RowTimes } from './row-times.ts'

/** A lease unused for this many flush intervals goes back (O6). */
export const IDLE_FLUSHES = 3
/** The longest want, in ms. */
const WANT_MAX_MS = 1_000

/**
 * O12: how long a row is wanted, and how long its holders keep their leases small: two flush intervals, and at most a second. No lease of any owner
 * grows meanwhile, so an owner with a long interval must not decide for how long.
 */
export function wantMsOf(flushIntervalMs: number): number {
  return Math.min(2 * flushIntervalMs, WANT_MAX_MS)
}

/** What is seldom due for a row. Made when it is. */
class Rarities {
  recalledUntilMs = -Infinity
  wantAgainAtMs = -Infinity
  refundGivenUpAtMs = Infinity
  denials: RowDenials | null = null
}

/** What the next entry must ask for. Made when there is something, and gone once it is sent. */
class NextEntry {
  isUrgent = false
  demand = 0
  demandMost = 0
  yields = false
  wants = false
}

/**
 * When things are due for one row, by the owner's monotonic clock, and what its next entry must ask for. What few rows have is in objects that are
 * made when they are needed.
 */
export class RowSchedule extends RowMarks {
  #times: RowTimes
  #rare: Rarities | null = null
  #next: NextEntry | null = null

  constructor(nowMs: number) {
    super()
    this.#times = rowTimes(nowMs, nowMs, nowMs, -Infinity)
  }

  /** Null until units are denied. */
  get denials(): RowDenials | null {
    return this.#rare?.denials ?? null
  }

  get sentAtMs(): number {
    return this.#times.sentAtMs
  }

  /** When the row was last asked for. */
  get usedAtMs(): number {
    return this.#times.usedAtMs
  }

  set usedAtMs(atMs: number) {
    if (atMs === this.usedAtMs) return
    const { sentAtMs, spentAtMs, askAgainAtMs } = this.#times
    this.#times = rowTimes(sentAtMs, atMs, spentAtMs, askAgainAtMs)
  }

  /** When the row, or the one of the period before, was last spent from: what is not spent from is not fetched ahead. */
  get spentAtMs(): number {
    return this.#times.spentAtMs
  }

  set spentAtMs(atMs: number) {
    if (atMs === this.spentAtMs) return
    const { sentAtMs, usedAtMs, askAgainAtMs } = this.#times
    this.#times = rowTimes(sentAtMs, usedAtMs, atMs, askAgainAtMs)
  }

  /** One flush interval after the last answer: until then a larger lease is not asked for, and figures are relied on (O12). */
  get askAgainAtMs(): number {
    return this.#times.askAgainAtMs
  }

  set askAgainAtMs(atMs: number) {
    if (atMs === this.askAgainAtMs) return
    const { sentAtMs, usedAtMs, spentAtMs } = this.#times
    this.#times = rowTimes(sentAtMs, usedAtMs, spentAtMs, atMs)
  }

  /** Until then the lease goes back, because another owner wants the row (O12). */
  get recalledUntilMs(): number {
    return this.#rare?.recalledUntilMs ?? -Infinity
  }

  set recalledUntilMs(atMs: number) {
    ;(this.#rare ??= new Rarities()).recalledUntilMs = atMs
  }

  /** The row is not marked as wanted again before that (O12). */
  get wantAgainAtMs(): number {
    return this.#rare?.wantAgainAtMs ?? -Infinity
  }

  /** When refunds that the store does not accept are given up (O4); Infinity while none was refused. */
  get refundGivenUpAtMs(): number {
    return this.#rare?.refundGivenUpAtMs ?? Infinity
  }

  set refundGivenUpAtMs(atMs: number) {
    if (atMs !== this.refundGivenUpAtMs) (this.#rare ??= new Rarities()).refundGivenUpAtMs = atMs
  }

  /** In the send queue's list of rows that do not wait for the next flush. */
  get isUrgent(): boolean {
    return this.#next?.isUrgent === true
  }

  /** Units asked for since the last send that a larger lease would have served (O7). */
  get demand(): number {
    return this.#next?.demand ?? 0
  }

  /** The most units that one `tryAdmit` asked for since the last send: a smaller lease would not help it. */
  get demandMost(): number {
    return this.#next?.demandMost ?? 0
  }

  /** A request waits for units that the pool lacks: the lease goes back to the pool for it. */
  get yields(): boolean {
    return this.#next?.yields === true
  }

  /** Other owners hold those units: the row is to be marked as wanted (O12). */
  get wants(): boolean {
    return this.#next?.wants === true
  }

  /** The entry is made: what it asks for is no longer to be asked. @param wasUsed spent from, although it may have been given back */
  sent(nowMs: number, wasUsed: boolean): void {
    this.#next = null
    const { usedAtMs, spentAtMs, askAgainAtMs } = this.#times
    if (wasUsed) {
      this.#times = rowTimes(nowMs, nowMs, nowMs, askAgainAtMs)
      this.denials?.use(nowMs)
    } else {
      this.#times = rowTimes(nowMs, usedAtMs, spentAtMs, askAgainAtMs)
    }
  }

  /** The next entry does not wait for a flush. */
  urge(): void {
    ;(this.#next ??= new NextEntry()).isUrgent = true
  }

  /** `tryAdmit` asked for more than the lease has. */
  ask(units: number): void {
    const next = (this.#next ??= new NextEntry())
    next.demand += units
    next.demandMost = Math.max(next.demandMost, units)
  }

  /** A request that a larger lease would serve goes to the store. */
  demandUnits(units: number, nowMs: number): void {
    ;(this.#next ??= new NextEntry()).demand += units
    this.spentAtMs = nowMs
  }

  /** A request waits for units that the pool lacks. @param wants others hold them */
  yieldFor(wants: boolean): void {
    const next = (this.#next ??= new NextEntry())
    next.yields = true
    next.wants = wants
  }

  /** The row's denials, which are made where there were none yet. */
  withDenials(flushIntervalMs: number): RowDenials {
    const rare = (this.#rare ??= new Rarities())
    return (rare.denials ??= new RowDenials(this.askAgainAtMs - flushIntervalMs, flushIntervalMs))
  }

  isUnasked(nowMs: number, flushIntervalMs: number): boolean {
    return nowMs - this.usedAtMs >= IDLE_FLUSHES * flushIntervalMs
  }

  /** The next want comes when half of this one is over: a flush interval, where that is short. @returns for how long the row is wanted; 0: it is not now */
  takeWant(nowMs: number, flushIntervalMs: number): number {
    if (!this.wants || nowMs < this.wantAgainAtMs) return 0
    const wantMs = wantMsOf(flushIntervalMs)
    const rare = (this.#rare ??= new Rarities())
    rare.wantAgainAtMs = nowMs + wantMs / 2
    return wantMs
  }
}
