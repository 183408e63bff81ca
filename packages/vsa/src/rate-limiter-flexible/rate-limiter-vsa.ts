import { KEYS_MAX } from '../drop-ins/drop-in-options.ts'
import type { KeyWindow } from '../drop-ins/key-window.ts'
import { KeyWindows } from '../drop-ins/key-windows.ts'
import { windowPolicy } from '../drop-ins/window-policy.ts'
import type { Decision } from '../index.ts'
import { assertPoints, assertSameDuration, type CallOptions } from './call-arguments.ts'
import { KeyBlocks, NEVER_MS } from './key-blocks.ts'
import { assertLimiterOptions, millisecondsOf, periodMsOf, type RateLimiterVsaOptions } from './limiter-options.ts'
import { LimiterResults } from './limiter-results.ts'
import type { RateLimiterRes } from './limiter-result.ts'

/** The longest delay that a timer of the platform takes. */
const DELAY_MAX_MS = 2_147_483_647
const ATTEMPTS_MAX = 5

/**
 * The interface of rate-limiter-flexible on the budgets of an engine. At most `points` of a key are consumed in each period, whichever process asks.
 * What is denied consumes nothing. A denial rejects with a {@link RateLimiterRes}, never with an Error. A failure rejects with an Error, as
 * `onStoreUnavailable` of the engine says: `throw`; `deny` rejects with a result; `allow` resolves.
 */
export class RateLimiterVsa {
  readonly points: number
  readonly duration: number
  readonly keyPrefix: string
  /** Whether what is admitted is spread over the period. */
  execEvenly: boolean
  readonly #options: RateLimiterVsaOptions
  readonly #now: () => number
  readonly #windows: KeyWindows
  readonly #blocks: KeyBlocks | null
  readonly #results: LimiterResults
  #blockMs: number

  /** @throws TypeError, RangeError that name the option; VsaError `policy_conflict` where another limiter of the engine has the prefix */
  constructor(options: RateLimiterVsaOptions) {
    assertLimiterOptions(options)
    const { vsa, points, duration, keyPrefix = 'rlflx', keysMax = KEYS_MAX, now = Date.now } = options
    this.points = points
    this.duration = duration
    this.keyPrefix = keyPrefix
    this.execEvenly = options.execEvenly ?? false
    this.#blockMs = millisecondsOf('options.blockDuration', options.blockDuration ?? 0)
    this.#options = options
    this.#now = now
    const prefix = keyPrefix === '' ? '' : `${keyPrefix}:`
    const policy = windowPolicy(points, periodMsOf(duration), options.atRisk)
    // Checked now. No key of a user gives this name.
    vsa.budget(`${prefix}sha256:policy`, policy)
    this.#windows = new KeyWindows({ vsa, prefix, policyOf: () => policy, keysMax })
    const hasBlocks = options.blocks ?? this.#blockMs > 0
    this.#blocks = hasBlocks ? new KeyBlocks(vsa, `${keyPrefix}-blocks:`, now) : null
    this.#results = new LimiterResults(periodMsOf(duration), duration === 0)
  }

  /** Seconds for which a key is blocked when it is denied. */
  get blockDuration(): number {
    return this.#blockMs / 1_000
  }

  /** @throws RangeError; Error where the limiter was made without blocks */
  set blockDuration(seconds: number) {
    const blockMs = millisecondsOf('blockDuration', seconds)
    if (blockMs > 0) this.#withBlocks()
    this.#blockMs = blockMs
  }

  /** The key with its prefix. */
  getKey(key: string | number): string {
    return this.keyPrefix === '' ? String(key) : `${this.keyPrefix}:${key}`
  }

  /** Consumes points, default 1, or rejects with a result and consumes nothing. More than are left at once is a denial, and blocks as any other. */
  consume(key: string | number, points = 1, options?: CallOptions): Promise<RateLimiterRes> {
    try {
      assertPoints('points', points)
      if (options !== undefined) assertSameDuration(options, this.duration)
      const window = this.#windowOf(key)
      const nowMs = this.#now()
      const isAdmitted = this.execEvenly ? undefined : window.tryAdmit(points, nowMs)
      if (isAdmitted === true) return Promise.resolve(this.#results.admitted(window, points, nowMs))
      if (isAdmitted === undefined || this.#blockMs > 0) return this.#consume(window, points)
      return rejected(this.#results.denied(window, points, nowMs))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Consumes as many of the points as are left, and resolves. */
  async penalty(key: string | number, points = 1, options?: CallOptions): Promise<RateLimiterRes> {
    assertPoints('points', points)
    assertSameDuration(options, this.duration)
    const window = this.#windowOf(key)
    await this.#take(window, points)
    return this.#read(window)
  }

  /** Gives points back, at most what is consumed, whichever process did. */
  async reward(key: string | number, points = 1, options?: CallOptions): Promise<RateLimiterRes> {
    assertPoints('points', points)
    assertSameDuration(options, this.duration)
    const window = this.#windowOf(key)
    const { used } = await window.budget.peek()
    this.#giveBack(window, Math.min(points, used))
    window.unspent = Math.max(0, window.unspent - points)
    return this.#read(window)
  }

  /** Reads the store. Null for a key without points in the present period. */
  async get(key: string | number): Promise<RateLimiterRes | null> {
    const window = this.#windowOf(key)
    if (this.#blocks?.isDue(window) === true) await this.#blocks.look(window)
    if (this.#now() < window.blockedUntilMs) return this.#results.blocked(window, this.#now())
    const result = await this.#read(window)
    return result.consumedPoints === 0 && !this.#isPresent(window) ? null : result
  }

  /** Makes the consumed points of the present period `points`, as far as the limit goes. Points that are consumed meanwhile are added. */
  async set(key: string | number, points: number, seconds?: number): Promise<RateLimiterRes> {
    assertPoints('points', points)
    assertSameDuration({ customDuration: seconds }, this.duration)
    const window = this.#windowOf(key)
    const { used } = await window.budget.peek()
    if (points > used) await this.#take(window, points - used)
    else this.#giveBack(window, used - points)
    window.unspent = Math.max(0, points - this.points)
    return this.#read(window)
  }

  /**
   * Denies the key for so many seconds, 0: until `delete`. Durable on return, and seen by other processes within 5 s. A block that ends later stays.
   * Rejects where the limiter was made without blocks.
   */
  async block(key: string | number, seconds: number): Promise<RateLimiterRes> {
    const blockMs = millisecondsOf('secDuration', seconds)
    const window = this.#windowOf(key)
    await this.#withBlocks().block(window, blockMs === 0 ? NEVER_MS : this.#now() + blockMs)
    return this.#results.blocked(window, this.#now())
  }

  /** Forgets the points of the present period and the block; durable on return. Whether there were any. */
  async delete(key: string | number): Promise<boolean> {
    const window = this.#windowOf(key)
    const { limit, remaining } = await window.budget.peek()
    const wasBlocked = (await this.#blocks?.end(window)) ?? false
    const wasKnown = limit > remaining || this.#isPresent(window)
    this.#windows.forget(window.id)
    await window.budget.reset()
    return wasBlocked || wasKnown
  }

  async #consume(window: KeyWindow, points: number): Promise<RateLimiterRes> {
    if (this.#blocks?.isDue(window) === true) await this.#blocks.tryLook(window)
    const nowMs = this.#now()
    if (nowMs < window.blockedUntilMs) return rejected(this.#results.blocked(window, nowMs))
    const decision = await window.decide(points, nowMs)
    if (!decision.admitted) return this.#deny(window, points, decision)
    const result = this.#results.admitted(window, points, this.#now())
    return this.execEvenly ? this.#delayed(result) : result
  }

  async #deny(window: KeyWindow, points: number, decision: Decision): Promise<never> {
    const nowMs = this.#now()
    const isToBlock = this.#blockMs > 0 && decision.reason !== 'unavailable' && nowMs >= window.blockedUntilMs
    if (isToBlock) await this.#withBlocks().block(window, nowMs + this.#blockMs)
    if (nowMs < window.blockedUntilMs) return rejected(this.#results.blocked(window, nowMs))
    return rejected(this.#results.denied(window, points, nowMs, decision))
  }

  async #delayed(result: RateLimiterRes): Promise<RateLimiterRes> {
    const { consumedPoints, isFirstInDuration, msBeforeNext, remainingPoints } = result
    if (isFirstInDuration || msBeforeNext <= 0) return result
    const { execEvenlyMinDelayMs: leastMs = Math.ceil((this.duration * 1_000) / this.points) } = this.#options
    const evenMs = Math.ceil(msBeforeNext / (remainingPoints + 2))
    const delayMs = Math.min(evenMs < leastMs ? consumedPoints * leastMs : evenMs, DELAY_MAX_MS)
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    return this.#results.later(result, delayMs)
  }

  /** As many of the points as are left: those that other processes have leased come back for it. */
  async #take(window: KeyWindow, points: number): Promise<void> {
    let wanted = points
    for (let attempt = 0; attempt < ATTEMPTS_MAX && wanted > 0; attempt += 1) {
      const decision = await window.decide(wanted, this.#now())
      if (decision.admitted) break
      // It was no request that was denied.
      window.unspent -= wanted
      const { remaining } = await window.budget.peek()
      wanted = attempt === ATTEMPTS_MAX - 1 ? 0 : Math.min(wanted, remaining)
    }
    window.unspent += points - wanted
  }

  #giveBack(window: KeyWindow, points: number): void {
    if (points === 0) return
    window.budget.refund(points)
    window.deniedUntilMs = 0
    window.lookAtMs = 0
  }

  async #read(window: KeyWindow): Promise<RateLimiterRes> {
    return this.#results.read(await window.budget.peek(), this.#isPresent(window) ? window.unspent : 0, this.#now())
  }

  /** Whether this process has asked for the key in the present period. */
  #isPresent(window: KeyWindow): boolean {
    return this.#now() < window.resetAtMs
  }

  #withBlocks(): KeyBlocks {
    if (this.#blocks !== null) return this.#blocks
    throw new Error('this limiter has no blocks: make it with { blocks: true }, in every process')
  }

  #windowOf(key: string | number): KeyWindow {
    return this.#windows.of(typeof key === 'number' ? String(key) : key)
  }
}

/** The interface says denied by rejecting with what is no error. */
function rejected(result: RateLimiterRes): Promise<never> {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  return Promise.reject(result)
}
