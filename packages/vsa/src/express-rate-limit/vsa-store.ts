import { assertPrefix } from '../drop-ins/budget-key.ts'
import { assertDropInOptions, type DropInOptions, KEYS_MAX } from '../drop-ins/drop-in-options.ts'
import type { KeyWindow } from '../drop-ins/key-window.ts'
import { KeyWindows } from '../drop-ins/key-windows.ts'
import { windowPolicy } from '../drop-ins/window-policy.ts'
import type { Vsa, WindowPolicy } from '../index.ts'

/** What `increment` and `get` answer. */
export interface ClientInfo {
  readonly totalHits: number
  readonly resetTime: Date | undefined
}

/** What `init` reads of the options of `rateLimit`. `limit` may be a function of the request there. */
export interface LimiterOptions {
  readonly windowMs: number
  readonly limit: unknown
}

export interface VsaStoreOptions extends DropInOptions {
  /** Before each key, up to 256 characters: one for each limiter of the engine. Default `express-rate-limit:`. */
  readonly prefix?: string
  /** The limit of a key. Needed where the `limit` of the limiter is a function, and must say the same. Default: the limiter's number. */
  readonly limit?: number | ((key: string) => number)
}

const OPTIONS: readonly string[] = ['prefix', 'limit', 'atRisk', 'keysMax', 'now'] satisfies (keyof VsaStoreOptions)[]

/**
 * A store for express-rate-limit 7 and 8 that counts in budgets of an engine: `rateLimit({ windowMs, limit, store: new VsaStore(vsa) })`. At most `limit`
 * hits of a key are let through in each window, whichever process asks. A denied hit costs no units and writes nothing.
 *
 * The engine is yours: close it when the server has closed. Its `onStoreUnavailable` says what a hit gets that no lease covers while the database is away:
 * an error (`throw`), which the limiter hands on or, with `passOnStoreError`, lets through; a denial (`deny`); or no limit (`allow`).
 */
export class VsaStore {
  /** Other processes count the same keys. */
  readonly localKeys: boolean = false
  readonly prefix: string
  readonly #vsa: Vsa
  readonly #options: VsaStoreOptions
  readonly #now: () => number
  #windows: KeyWindows | null = null
  #initError: unknown = new Error('the store is not in use: hand it to rateLimit({ store }), which calls init')

  /** @throws TypeError, RangeError that name the option */
  constructor(vsa: Vsa, options: VsaStoreOptions = {}) {
    assertDropInOptions(options, OPTIONS)
    this.prefix = options.prefix ?? 'express-rate-limit:'
    assertPrefix('options.prefix', this.prefix)
    this.#vsa = vsa
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /**
   * Called by `rateLimit`, which prints what it throws. Every later hit then fails with the same error.
   * @throws TypeError, RangeError for a limit or a window that VSA does not take; VsaError `policy_conflict` where another limiter has the prefix
   */
  init(limiter: LimiterOptions): void {
    try {
      const { keysMax = KEYS_MAX } = this.#options
      const policyOf = this.#policyOf(limiter)
      this.#windows = new KeyWindows({ vsa: this.#vsa, prefix: this.prefix, policyOf, keysMax })
      this.#initError = null
    } catch (error) {
      this.#windows = null
      this.#initError = error
      throw error
    }
  }

  /** Counts one hit. Rejects with VsaError as `decide`, TypeError for a key that is no string. */
  increment(key: string): Promise<ClientInfo> {
    // Not `async`: that costs as much as the rest.
    try {
      const window = this.#ready().of(key)
      const nowMs = this.#now()
      const isAdmitted = window.tryAdmit(1, nowMs)
      if (isAdmitted === undefined) return this.#decide(window, nowMs)
      return Promise.resolve(infoOf(window, isAdmitted))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Takes back one hit that this process has counted in the present window: a denied one first, then one that was let through. */
  decrement(key: string): void {
    const window = this.#ready().peek(key)
    if (window === undefined || this.#now() >= window.resetAtMs) return
    if (window.unspent > 0) window.unspent -= 1
    else window.giveBack(1)
  }

  /** Reads the store. Undefined for a key without hits in the present window. */
  async get(key: string): Promise<ClientInfo | undefined> {
    const window = this.#ready().of(key)
    const { limit, remaining, resetAtMs } = await window.budget.peek()
    const isPresent = resetAtMs !== undefined && resetAtMs === window.resetAtMs
    const totalHits = limit - remaining + (isPresent && remaining === 0 ? window.unspent : 0)
    if (totalHits === 0 && !isPresent) return undefined
    return { totalHits, resetTime: resetAtMs === undefined ? undefined : new Date(resetAtMs) }
  }

  /** Forgets the hits of the key, of all processes; durable on return. What another process has let through and not settled yet counts afterwards. */
  async resetKey(key: string): Promise<void> {
    const windows = this.#ready()
    const { budget } = windows.of(key)
    windows.forget(key)
    await budget.reset()
  }

  /** As `resetKey`, for the keys that this process remembers: the last `keysMax`. */
  async resetAll(): Promise<void> {
    const windows = this.#ready()
    const known = windows.all()
    windows.clear()
    await Promise.all(known.map(({ budget }) => budget.reset()))
  }

  /** Forgets what this process remembers. The engine goes on: who opened it closes it. */
  shutdown(): void {
    this.#windows?.clear()
  }

  async #decide(window: KeyWindow, nowMs: number): Promise<ClientInfo> {
    const { admitted } = await window.decide(1, nowMs)
    return infoOf(window, admitted)
  }

  #ready(): KeyWindows {
    if (this.#windows === null) throw this.#initError
    return this.#windows
  }

  #policyOf({ windowMs, limit: limiterLimit }: LimiterOptions): (key: string) => WindowPolicy {
    const { limit = limiterLimit, atRisk } = this.#options
    if (typeof limit === 'number') {
      const policy = windowPolicy(limit, windowMs, atRisk)
      // Checked now, so that a bad one is seen at the start.
      this.#vsa.budget(`${this.prefix}sha256:policy`, policy)
      return () => policy
    }
    const { limit: limitOf } = this.#options
    if (typeof limitOf !== 'function')
      throw new TypeError(
        'options.limit is needed where the limit of rateLimit is no number: new VsaStore(vsa, { limit: (key) => … })',
      )
    return (key) => windowPolicy(limitOf(key), windowMs, atRisk)
  }
}

/** The limiter denies above its own limit. So a hit that was admitted shows at most that, and one that was denied more, whatever the figures say. */
function infoOf(window: KeyWindow, isAdmitted: boolean): ClientInfo {
  const { declaredLimit, limit, resetTime, unspent, used } = window
  if (!isAdmitted) return { totalHits: Math.max(limit, declaredLimit) + Math.max(unspent, 1), resetTime }
  // Not Math.min, which would make a small number one on the heap.
  if (used > declaredLimit) return { totalHits: declaredLimit, resetTime }
  return { totalHits: used < 1 ? 1 : used, resetTime }
}
