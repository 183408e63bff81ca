import type { KeyWindow } from '../drop-ins/key-window.ts'
import type { Decision, Peek } from '../index.ts'
import { NEVER_MS } from './key-blocks.ts'
import { RateLimiterRes } from './limiter-result.ts'

/** The store may be back before the period ends. */
const UNAVAILABLE_MS = 1_000

/** Makes results of what is known of a key. */
export class LimiterResults {
  readonly #periodMs: number
  readonly #neverEnds: boolean

  constructor(periodMs: number, neverEnds: boolean) {
    this.#periodMs = periodMs
    this.#neverEnds = neverEnds
  }

  /** What was admitted shows at most the limit, and at least itself. */
  admitted({ limit, resetAtMs, used }: KeyWindow, points: number, nowMs: number): RateLimiterRes {
    const consumed = Math.min(Math.max(used, points), limit)
    return new RateLimiterRes(limit - consumed, this.#untilReset(resetAtMs, nowMs), consumed, consumed === points)
  }

  /** Above the limit, as the peer has it: what it would have come to; where nothing is left, with all that this process has denied. */
  denied(window: KeyWindow, points: number, nowMs: number, decision?: Decision): RateLimiterRes {
    const { limit, resetAtMs, unspent, used } = window
    const consumed = Math.max(used + points, used >= limit ? used + unspent : 0, limit + 1)
    const waitMs = decision?.reason === 'unavailable' ? UNAVAILABLE_MS : reservedMs(decision)
    return new RateLimiterRes(Math.max(0, limit - used), waitMs ?? this.#untilReset(resetAtMs, nowMs), consumed, false)
  }

  blocked({ blockedUntilMs, limit, unspent, used }: KeyWindow, nowMs: number): RateLimiterRes {
    const waitMs = blockedUntilMs >= NEVER_MS ? -1 : Math.max(0, blockedUntilMs - nowMs)
    return new RateLimiterRes(0, waitMs, Math.max(limit + 1, used >= limit ? used + unspent : 0), false)
  }

  /** @param beyond what this process has denied in the period: it shows where nothing is left */
  read({ limit, remaining, resetAtMs = 0 }: Peek, beyond: number, nowMs: number): RateLimiterRes {
    const consumed = limit - remaining + (remaining === 0 ? beyond : 0)
    return new RateLimiterRes(remaining, this.#untilReset(resetAtMs, nowMs), consumed, false)
  }

  later(
    { consumedPoints, isFirstInDuration, msBeforeNext, remainingPoints }: RateLimiterRes,
    delayMs: number,
  ): RateLimiterRes {
    return new RateLimiterRes(remainingPoints, Math.max(msBeforeNext - delayMs, 0), consumedPoints, isFirstInDuration)
  }

  /** @param resetAtMs 0: not known */
  #untilReset(resetAtMs: number, nowMs: number): number {
    if (this.#neverEnds) return -1
    return resetAtMs === 0 ? this.#periodMs : Math.max(0, resetAtMs - nowMs)
  }
}

/** Other processes hold what is left: that may change before the period ends. */
function reservedMs(decision: Decision | undefined): number | undefined {
  return decision?.reason === 'reserved' ? decision.retryAfterMs : undefined
}
