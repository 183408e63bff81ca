import { KeyWindow } from '../drop-ins/key-window.ts'
import { windowPolicy } from '../drop-ins/window-policy.ts'
import type { Budget, Family, Vsa, WindowPolicy } from '../index.ts'
import { budgetId } from './budget-id.ts'
import { LongBlocks } from './long-blocks.ts'

/** What the guard of `@nestjs/throttler` gets. Times are in whole seconds, rounded up, as it puts them into headers. */
export interface ThrottlerRecord {
  /** Admitted hits of the window, this one included; one above the limit when it was denied: denied hits are not counted. */
  readonly totalHits: number
  /** Until the window ends. */
  readonly timeToExpire: number
  readonly isBlocked: boolean
  /** Until a request may be admitted again; 0 when not blocked. */
  readonly timeToBlockExpire: number
}

/** The `ThrottlerStorage` of `@nestjs/throttler` 6. */
export interface ThrottlerStorage {
  /**
   * Counts a hit where the limit allows it. A hit that is counted is as durable as an admission of the engine.
   * @param key of the guard: who asks, and for what. Any text
   * @param ttl length of the window in ms, 1 to 100 years; a fraction is rounded up
   * @param limit hits per window, 0 or more; a fraction is rounded down. A key that has had
   * more than one limit is counted durably; of calls at the same time with different limits, the last one's holds for all
   * @param blockDuration in ms. Up to `ttl` it changes nothing: a denied key is blocked until its window ends
   * @throws RangeError, TypeError for a `ttl` or `limit` that is no such number; VsaError as `decide`
   */
  increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord>
}

export interface ThrottlerStorageOptions {
  /** Names the budgets in the store: `name:…` and `name-block:…`. Without a colon. Default `throttler`. One storage of each name per engine. */
  readonly name?: string
  /**
   * Hits of a window that a crash may burn, at most its limit. 0: each hit is in the store before the request goes on. Default: 1 % of the limit, at
   * least 32 for a `ttl` up to an hour. More of it is fewer store calls.
   */
  readonly atRisk?: number
  /** The time, ms since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * A storage for `ThrottlerModule` whose limits hold to the unit: in this process, and over all processes that share the engine's store. Windows are
 * fixed: they begin at multiples of `ttl` since 1970, for every key at the same moment, while the storage of the module counts the last `ttl` ms.
 * The engine stays yours: close it when the app ends.
 *
 * ```ts
 * ThrottlerModule.forRoot({ throttlers: [{ limit: 100, ttl: 60_000 }], storage: throttlerStorage(vsa) })
 * ```
 * @throws TypeError, RangeError that name the option; VsaError `policy_conflict` for a name that the engine has in use
 */
export function throttlerStorage(vsa: Vsa, options: ThrottlerStorageOptions = {}): ThrottlerStorage {
  const { name = 'throttler', atRisk, now = Date.now, ...unknown } = options
  for (const option of Object.keys(unknown)) throw new TypeError(`options.${option} is not known`)
  if (atRisk !== undefined && !(Number.isSafeInteger(atRisk) && atRisk >= 0)) {
    throw new RangeError(`options.atRisk must be a whole number of units from 0, got ${atRisk}`)
  }
  return new WindowStorage(vsa, { name, atRisk, now })
}

/** Keys of the guard that are found again at once. The engine has all of them. */
const RECENT_MAX = 10_000
/** A longer one is not kept so. Those of the guard have 64 characters. */
const RECENT_LENGTH_MAX = 256

interface Asked {
  readonly limit: number
  readonly ttl: number
  readonly atRisk: number | undefined
}

/** A key of the guard, and under what it was counted last. */
interface Recent {
  readonly throttlerName: string
  readonly ttl: number
  readonly window: KeyWindow
}

interface Settings {
  readonly name: string
  readonly atRisk: number | undefined
  readonly now: () => number
}

class WindowStorage implements ThrottlerStorage {
  readonly #windows: Family
  readonly #blocks: LongBlocks
  readonly #atRisk: number | undefined
  readonly #now: () => number
  /** Under the limit that this process gave a budget last. Budgets that the engine evicts are made again by the policy of the next call. */
  readonly #known = new WeakMap<Budget, KeyWindow>()
  readonly #recent = new Map<string, Recent>()
  /** Of the call that makes or refreshes a budget at this moment. */
  #asked: Asked = { limit: 0, ttl: 1, atRisk: undefined }

  constructor(vsa: Vsa, { name, atRisk, now }: Settings) {
    this.#windows = vsa.budgets(name, () => policyOf(this.#asked))
    this.#blocks = new LongBlocks(vsa, name, now)
    this.#atRisk = atRisk
    this.#now = now
  }

  increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    // Not `async`: that costs as much as the rest.
    const recent = this.#recent.get(key)
    const isSame = recent !== undefined && recent.ttl === ttl && recent.throttlerName === throttlerName
    const known = isSame && blockDuration <= ttl ? this.#fromMemory(recent.window, limit) : undefined
    return known === undefined ? this.#askEngine(key, ttl, limit, blockDuration, throttlerName) : Promise.resolve(known)
  }

  /** Undefined: the engine is to be asked. */
  #fromMemory(window: KeyWindow, limit: number): ThrottlerRecord | undefined {
    if (window.declaredLimit !== limit) return undefined
    const nowMs = this.#now()
    // Without room the engine knows better, and a refusal of `tryAdmit` would count as a denial.
    if (window.budget.room < 1 && nowMs >= window.deniedUntilMs) return undefined
    const isAdmitted = window.tryAdmit(1, nowMs)
    if (isAdmitted === undefined) return undefined
    return isAdmitted
      ? this.#admitted(window.used, window.resetAtMs, limit)
      : this.#blocked(limit, window.resetAtMs, window.resetAtMs)
  }

  async #askEngine(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    const asked = { limit: wholeLimit(limit), ttl: Math.ceil(ttl), atRisk: this.#atRisk }
    const id = budgetId(throttlerName, asked.ttl, key)
    const isLong = blockDuration > asked.ttl
    const blockedUntil = isLong ? await this.#blocks.endOf(id) : 0
    if (blockedUntil > this.#now()) return this.#blocked(asked.limit, blockedUntil, blockedUntil)

    const window = await this.#windowFor(id, asked)
    this.#keep(key, { throttlerName, ttl, window })
    const decision = await window.decide(1, this.#now())
    if (decision.admitted) {
      // Without figures the store is away, and `onStoreUnavailable` is `allow`.
      const used = decision.remaining === undefined ? 1 : asked.limit - decision.remaining
      return this.#admitted(used, decision.resetAtMs ?? 0, asked.limit)
    }
    const { reason, resetAtMs = 0, retryAfterMs } = decision
    if (isLong && reason === 'exhausted') {
      return this.#blocked(asked.limit, resetAtMs, await this.#blocks.begin(id, blockDuration))
    }
    // Other processes hold what is left: that may change before the window ends.
    const untilFree = reason === 'reserved' ? this.#now() + (retryAfterMs ?? 0) : resetAtMs
    // The store may be back before the window ends: the least that is shown, a second.
    const until = reason === 'unavailable' ? 0 : untilFree
    return this.#blocked(asked.limit, resetAtMs, until)
  }

  async #windowFor(id: string, asked: Asked): Promise<KeyWindow> {
    // The policy is asked for while `of` and `refresh` are called, before they return.
    this.#asked = asked
    const budget = this.#windows.of(id)
    const known = this.#known.get(budget)
    if (known?.declaredLimit === asked.limit) return known
    const policy = known === undefined ? asked : await this.#changed(known, asked)
    const window = new KeyWindow(id, budget, policyOf(policy))
    this.#known.set(budget, window)
    return window
  }

  /** No lease of the higher limit may serve under the lower one: a key with a second limit is durable. */
  async #changed(known: KeyWindow, asked: Asked): Promise<Asked> {
    const durable = { ...asked, atRisk: 0 }
    this.#asked = durable
    known.blockedUntilMs = Infinity
    try {
      await this.#windows.refresh(known.id)
    } catch (error) {
      known.blockedUntilMs = 0
      throw error
    }
    return durable
  }

  #keep(key: string, recent: Recent): void {
    if (key.length > RECENT_LENGTH_MAX) return
    if (this.#recent.size >= RECENT_MAX) this.#recent.clear()
    this.#recent.set(key, recent)
  }

  #admitted(used: number, resetAt: number, limit: number): ThrottlerRecord {
    return {
      totalHits: Math.min(Math.max(used, 1), limit),
      timeToExpire: this.#secondsUntil(resetAt),
      isBlocked: false,
      timeToBlockExpire: 0,
    }
  }

  #blocked(limit: number, resetAt: number, until: number): ThrottlerRecord {
    const [timeToExpire, timeToBlockExpire] = [this.#secondsUntil(resetAt), this.#secondsUntil(until)]
    return { totalHits: limit + 1, timeToExpire, isBlocked: true, timeToBlockExpire }
  }

  #secondsUntil(timeMs: number): number {
    return Math.max(1, Math.ceil((timeMs - this.#now()) / 1_000))
  }
}

function policyOf({ limit, ttl, atRisk }: Asked): WindowPolicy {
  return windowPolicy(limit, ttl, atRisk === undefined ? undefined : Math.min(atRisk, limit))
}

/** `Infinity` is a limit that nothing reaches. */
function wholeLimit(limit: number): number {
  return limit > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Math.max(0, Math.floor(limit))
}
