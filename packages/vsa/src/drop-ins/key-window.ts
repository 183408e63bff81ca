import type { Budget, Decision, WindowPolicy } from '../index.ts'
import { canTry } from './window-policy.ts'

/** How long the figures of a key are shown before they are asked for again, in ms. Then they have what other processes have settled. */
const LOOK_MS = 100
/** How long a denial stands without the engine being asked again, in ms: as long as the first pause of VSA's own denials. */
const DENIAL_MS = 100
/** As `LOOK_MS`, while the key is denied: that look may wait for a read of the store. Until then `tryAdmit` tells whether units have come back. */
const DENIED_LOOK_MS = 1_000

/**
 * What this process knows of one key in its present period. The budget alone decides; the figures are for display, except `own` and `unspent`: they
 * keep what comes back at or below what this process has spent.
 */
export class KeyWindow {
  readonly id: string
  readonly budget: Budget
  readonly #canTry: boolean
  /** By this process. */
  readonly declaredLimit: number
  /** The one that holds: another process may have changed it. */
  limit: number
  /** The start of the period, ms since 1970; -1 before the first decision. */
  period = -1
  /** 0: not known. */
  resetAtMs = 0
  resetTime: Date | undefined = undefined
  /** Units that are not left: spent or burned, by all processes as of the last look, and by this one up to now. */
  used = 0
  /** Units that this process admitted and has not given back. */
  own = 0
  /** Units that this process denied, or admitted without an account. */
  unspent = 0
  /** From then on the engine is asked with `decide`, for its figures. */
  lookAtMs = 0
  /** Until then, so many units and more are denied. */
  deniedUntilMs = 0
  deniedUnits = 0
  /** Nothing is admitted until then: for a limiter that blocks keys. */
  blockedUntilMs = 0

  constructor(id: string, budget: Budget, policy: WindowPolicy) {
    this.id = id
    this.budget = budget
    this.declaredLimit = policy.limit
    this.limit = policy.limit
    this.#canTry = canTry(policy)
  }

  /** From memory, now. Undefined: only `decide` can tell. @throws VsaError `closed` */
  tryAdmit(units: number, nowMs: number): boolean | undefined {
    if (nowMs >= this.lookAtMs || nowMs < this.blockedUntilMs) return undefined
    if (nowMs < this.deniedUntilMs && units >= this.deniedUnits) {
      this.unspent += units
      return false
    }
    if (!this.#canTry) return undefined
    if (!this.budget.tryAdmit(units)) return this.#deniedStill(units, nowMs)
    this.deniedUntilMs = 0
    this.used += units
    this.own += units
    return true
  }

  /** `decide`, and what it says is noted. @throws VsaError, RangeError as `decide` */
  async decide(units: number, nowMs: number): Promise<Decision> {
    // One look at a time: the others go on from memory. A denial stands until this one knows better, which may take a read of the store.
    if (nowMs < this.resetAtMs) {
      this.#lookAfter(nowMs)
      if (this.deniedUntilMs > 0) this.deniedUntilMs = nowMs + DENIAL_MS
    }
    const decision = await this.budget.decide(units)
    this.#note(decision, units, nowMs)
    return decision
  }

  /** Gives units back that this process admitted in this period, and no more than that. @returns how many */
  giveBack(units: number): number {
    const back = Math.min(units, this.own)
    if (back === 0) return 0
    this.own -= back
    this.used = Math.max(0, this.used - back)
    this.deniedUntilMs = 0
    this.budget.refund(back, { period: this.period })
    return back
  }

  #deniedStill(units: number, nowMs: number): false | undefined {
    if (this.deniedUntilMs === 0 || units < this.deniedUnits) return undefined
    this.deniedUntilMs = nowMs + DENIAL_MS
    this.unspent += units
    return false
  }

  #lookAfter(nowMs: number): void {
    const pauseMs = this.deniedUntilMs > 0 && this.#canTry ? DENIED_LOOK_MS : LOOK_MS
    this.lookAtMs = Math.min(this.resetAtMs, nowMs + pauseMs)
  }

  #note(decision: Decision, units: number, nowMs: number): void {
    const { period = this.period, limit, remaining, resetAtMs } = decision
    // The answer may be late: another one has begun the next period.
    if (period < this.period) return
    if (period > this.period) this.#begin(period)
    this.limit = limit
    if (resetAtMs !== undefined && resetAtMs !== this.resetAtMs) {
      this.resetAtMs = resetAtMs
      this.resetTime = new Date(resetAtMs)
    }
    if (remaining !== undefined) {
      this.used = Math.max(0, limit - remaining)
      this.#lookAfter(nowMs)
    }
    if (decision.admitted && decision.unaccounted === undefined) this.own += units
    else this.unspent += units
    const isLacking = decision.reason === 'exhausted' || decision.reason === 'over-limit'
    // A cheaper request may be admitted while a dearer one is denied.
    if (isLacking) this.#deny(units, nowMs)
    else if (decision.admitted && units >= this.deniedUnits) this.deniedUntilMs = 0
  }

  #deny(units: number, nowMs: number): void {
    this.deniedUnits = nowMs < this.deniedUntilMs ? Math.min(this.deniedUnits, units) : units
    this.deniedUntilMs = nowMs + DENIAL_MS
    this.#lookAfter(nowMs)
  }

  #begin(period: number): void {
    this.period = period
    this.own = 0
    this.unspent = 0
    this.deniedUntilMs = 0
  }
}
