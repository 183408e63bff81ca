import { budgetKey } from '../drop-ins/budget-key.ts'
import type { KeyWindow } from '../drop-ins/key-window.ts'
import { type Budget, type Vsa, VsaError } from '../index.ts'
import { FOREVER_MS } from './limiter-options.ts'

/** The end of a block without an end: the last moment that `Date` knows. */
export const NEVER_MS = 8_640_000_000_000_000
/** The time between two looks for blocks that other processes placed on a key. */
const LOOK_MS = 5_000
const ATTEMPTS_MAX = 5

/**
 * Blocks of keys, for a time that has nothing to do with periods. The end of a key's last block is kept as the used units of a budget of its own: ms since
 * 1970. It moves by an admission whose id names the value before, so of two processes that block at the same time one moves it and the other one
 * reads again.
 */
export class KeyBlocks {
  readonly #vsa: Vsa
  readonly #prefix: string
  readonly #now: () => number
  /** When a key was looked up last. */
  readonly #lookedAtMs = new WeakMap<KeyWindow, number>()

  constructor(vsa: Vsa, prefix: string, now: () => number) {
    this.#vsa = vsa
    this.#prefix = prefix
    this.#now = now
  }

  /** Whether the store is to be asked for blocks of the key. */
  isDue(window: KeyWindow): boolean {
    const lookedAtMs = this.#lookedAtMs.get(window)
    return lookedAtMs === undefined || this.#now() >= lookedAtMs + LOOK_MS
  }

  /** Reads until when the key is blocked, by whichever process. @throws VsaError as `peek` */
  async look(window: KeyWindow): Promise<void> {
    const nowMs = this.#now()
    const { used } = await this.#endOf(window).peek()
    this.#lookedAtMs.set(window, nowMs)
    window.blockedUntilMs = used
  }

  /** `look`; while the store is away, what is known of the key stands until the next look. */
  async tryLook(window: KeyWindow): Promise<void> {
    try {
      await this.look(window)
    } catch (error) {
      if (!(error instanceof VsaError && error.statusCode === 503)) throw error
      this.#lookedAtMs.set(window, this.#now())
    }
  }

  /** Durable on return. A block that ends later stays. @throws VsaError as `admit` */
  async block(window: KeyWindow, untilMs: number): Promise<void> {
    window.blockedUntilMs = Math.max(window.blockedUntilMs, untilMs)
    // A look before the block is in the store would end it here.
    this.#lookedAtMs.set(window, this.#now())
    await this.#moveEnd(window, untilMs)
    // One may have been under way.
    window.blockedUntilMs = Math.max(window.blockedUntilMs, untilMs)
  }

  /** Ends the block of the key. @returns whether there was one */
  async end(window: KeyWindow): Promise<boolean> {
    await this.look(window)
    const untilMs = window.blockedUntilMs
    window.blockedUntilMs = 0
    if (untilMs > 0) await this.#endOf(window).delete()
    return untilMs > this.#now()
  }

  #endOf({ id }: KeyWindow): Budget {
    return this.#vsa.budget(budgetKey(this.#prefix, id), { limit: NEVER_MS, per: FOREVER_MS, atRisk: 0 })
  }

  async #moveEnd(window: KeyWindow, untilMs: number): Promise<void> {
    const end = this.#endOf(window)
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { used } = await end.peek()
      if (used >= untilMs) return
      try {
        await end.admit(untilMs - used, { id: `after-${used}` })
        return
      } catch (error) {
        // Another process moved it, to another end.
        if (!(error instanceof VsaError && error.code === 'id_conflict')) throw error
      }
    }
  }
}
