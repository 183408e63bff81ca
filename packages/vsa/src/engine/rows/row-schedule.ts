import { RowDenials } from './row-denials.ts'

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

/** When things are due for one row, by the owner's monotonic clock, and what its next entry must ask for. */
export class RowSchedule {
  sentAtMs: number
  /** When the row was last asked for. */
  usedAtMs: number
  /** When the row, or the one of the period before, was last spent from: what is not spent from is not fetched ahead. */
  spentAtMs: number
  /** Until then the lease goes back, because another owner wants the row (O12). */
  recalledUntilMs: number = -Infinity
  /** One flush interval after the last answer: until then a larger lease is not asked for, and figures are relied on (O12). */
  askAgainAtMs: number = -Infinity
  /** Null until units are denied. */
  denials: RowDenials | null = null
  /** The row is not marked as wanted again before that (O12). */
  wantAgainAtMs: number = -Infinity
  /** When refunds that the store does not accept are given up (O4); Infinity while none was refused. */
  refundGivenUpAtMs: number = Infinity
  /** In the send queue's list of rows that do not wait for the next flush. */
  isUrgent = false
  /** The last answer brought a larger lease than the one before. */
  hasGrown = false
  /** Units asked for since the last send that a larger lease would have served (O7). */
  demand = 0
  /** The most units that one `tryAdmit` asked for since the last send: a smaller lease would not help it. */
  demandMost = 0
  /** A request waits for units that the pool lacks: the lease goes back to the pool for it. */
  yields = false
  /** Other owners hold those units: the row is to be marked as wanted (O12). */
  wants = false

  constructor(nowMs: number) {
    this.sentAtMs = nowMs
    this.usedAtMs = nowMs
    this.spentAtMs = nowMs
  }

  /** The entry is made: what it asks for is no longer to be asked. */
  sent(nowMs: number, hasSpent: boolean): void {
    this.isUrgent = false
    this.demand = 0
    this.demandMost = 0
    this.yields = false
    this.wants = false
    this.sentAtMs = nowMs
    if (!hasSpent) return
    this.usedAtMs = nowMs
    this.spentAtMs = nowMs
    this.denials?.use(nowMs)
  }

  /** `tryAdmit` asked for more than the lease has. */
  ask(units: number): void {
    this.demand += units
    this.demandMost = Math.max(this.demandMost, units)
  }

  /** The row's denials, which are made where there were none yet. */
  withDenials(flushIntervalMs: number): RowDenials {
    return (this.denials ??= new RowDenials(this.askAgainAtMs - flushIntervalMs, flushIntervalMs))
  }

  isUnused(nowMs: number, flushIntervalMs: number): boolean {
    return nowMs - this.usedAtMs >= IDLE_FLUSHES * flushIntervalMs
  }

  /** The next want comes when half of this one is over: a flush interval, where that is short. @returns for how long the row is wanted; 0: it is not now */
  takeWant(nowMs: number, flushIntervalMs: number): number {
    if (!this.wants || nowMs < this.wantAgainAtMs) return 0
    const wantMs = wantMsOf(flushIntervalMs)
    this.wantAgainAtMs = nowMs + wantMs / 2
    return wantMs
  }
}
