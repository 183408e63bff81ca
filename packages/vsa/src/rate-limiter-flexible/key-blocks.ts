import { budgetKey } from '../drop-ins/budget-key.ts'
import type { KeyWindow } from '../drop-ins/key-window.ts'
import { type Budget, type Vsa, VsaError } from '../index.ts'
import { FOREVER_MS } from './limiter-options.ts'

/** The end of a block without an end: the last moment that `Date` knows. */
export const NEVER_MS = 8_640_000_000_000_000
/** The shortest time between two looks for blocks that other processes placed on a key. */
const LOOK_MS = 5_000
/** The longest time for which the store keeps a reservation. */
const HOLD_MAX_MS = 400 * 86_400_000
const ATTEMPTS_MAX = 5

/**
 * Blocks of keys, for a time that has nothing to do with periods. The end of a key's last block is kept as the used units of a budget of its own: ms since
 * 1970. It moves by an admission whose id names the value before, so of two processes that block at the same time one moves it and the other one
 * looks again. What is left of the present period is set aside as well, so that every process denies at once.
 */
export class KeyBlocks {
  readonly #vsa: Vsa
  readonly #prefix: string
  readonly #now: () => number
  readonly #isOn: boolean
  /** When a key was looked up last. */
  readonly #lookedAtMs = new WeakMap<KeyWindow, number>()

  /** @param options `blocks`: false does without */
  constructor(vsa: Vsa, options: { readonly prefix: string; readonly now: () => number; readonly blocks: boolean }) {
    this.#vsa = vsa
    this.#prefix = options.prefix
    this.#now = options.now
    this.#isOn = options.blocks
  }

  /** Until when the key is blocked, ms since 1970, also by other processes. @throws VsaError as `peek` */
  async untilOf(window: KeyWindow): Promise<number> {
    if (this.#isOn && this.#isDue(window)) await this.#look(window)
    return window.blockedUntilMs
  }

  /** Durable on return. An earlier block that ends later stays. @throws VsaError as `admit`; Error where blocks are off */
  async block(window: KeyWindow, untilMs: number, holdsRest: boolean): Promise<void> {
    if (!this.#isOn) throw new Error('this limiter has no blocks: it was made with { blocks: false }')
    window.blockedUntilMs = Math.max(window.blockedUntilMs, untilMs)
    await this.#record(window, untilMs)
    // A look may have come between.
    window.blockedUntilMs = Math.max(window.blockedUntilMs, untilMs)
    if (holdsRest) await this.#hold(window, untilMs)
  }

  /** Ends the block of the key. @returns whether there was one */
  async end(window: KeyWindow): Promise<boolean> {
    if (!this.#isOn) return false
    await this.#look(window)
    const untilMs = window.blockedUntilMs
    if (untilMs === 0) return false
    window.blockedUntilMs = 0
    await window.budget.reservation(holdOf(untilMs)).cancel().catch(ignoreUnknown)
    await this.#end(window).delete()
    return untilMs > this.#now()
  }

  #end({ id }: KeyWindow): Budget {
    return this.#vsa.budget(budgetKey(this.#prefix, id), { limit: NEVER_MS, per: FOREVER_MS, atRisk: 0 })
  }

  #isDue(window: KeyWindow): boolean {
    const lookedAtMs = this.#lookedAtMs.get(window)
    if (lookedAtMs === undefined) return true
    const nowMs = this.#now()
    // At the first request of a period, when the figures are not of it yet; and of a blocked key, because another process may have ended its block.
    return nowMs >= lookedAtMs + LOOK_MS && (nowMs >= window.resetAtMs || nowMs < window.blockedUntilMs)
  }

  async #look(window: KeyWindow): Promise<void> {
    const nowMs = this.#now()
    const { used } = await this.#end(window).peek()
    this.#lookedAtMs.set(window, nowMs)
    window.blockedUntilMs = used
  }

  async #record(window: KeyWindow, untilMs: number): Promise<void> {
    const end = this.#end(window)
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { used } = await end.peek()
      if (used >= untilMs) return
      try {
        await end.admit(untilMs - used, { id: `after-${used}` })
        return
      } catch (error) {
        // Another process moved it, to another end.
        if (!isConflict(error)) throw error
      }
    }
  }

  /** Sets the rest of the period aside until the block ends. Where others take units meanwhile there is less to set aside. */
  async #hold({ budget }: KeyWindow, untilMs: number): Promise<void> {
    const ttlMs = Math.min(untilMs - this.#now(), HOLD_MAX_MS)
    const hold = { id: holdOf(untilMs), ttlMs, onExpire: 'return' } as const
    for (let attempt = 0; attempt < ATTEMPTS_MAX && ttlMs >= 1; attempt += 1) {
      const { remaining } = await budget.peek()
      if (remaining === 0) return
      try {
        if ((await budget.reserve(remaining, hold)) !== null) return
      } catch (error) {
        // The same block is being placed twice.
        if (!isConflict(error)) throw error
        return
      }
    }
  }
}

function holdOf(untilMs: number): string {
  return `block-${untilMs}`
}

function isConflict(error: unknown): boolean {
  return error instanceof VsaError && error.code === 'id_conflict'
}

function ignoreUnknown(error: unknown): void {
  if (!(error instanceof VsaError && error.code === 'reservation_unknown')) throw error
}
