import { randomUUID } from 'node:crypto'
import { type Budget, type Family, type Vsa, VsaError } from '../index.ts'

/** Blocks that this process remembers. The store has those that are forgotten. */
const REMEMBERED_MAX = 10_000

/** More than half of what a year's row has, so that there can be only one hold of it. What it has more is the time at which it ends, ms since 1970. */
const ONE_HOLD = 2 ** 52

/** The longest hold, 400 days, in ms. */
const HOLD_MAX_MS = 34_560_000_000

/**
 * Blocks that go on after the window in which a limit was exceeded. All processes know them: a block is a hold on a budget of its own, which the
 * store gives back by itself when the block is over.
 */
export class LongBlocks {
  readonly #family: Family
  readonly #now: () => number
  /** When each ends, as far as this process knows; the oldest first. */
  readonly #ends = new Map<string, number>()
  readonly #beginning = new Map<string, Promise<number>>()

  constructor(vsa: Vsa, name: string, now: () => number) {
    this.#family = vsa.budgets(`${name}-block`, { limit: Number.MAX_SAFE_INTEGER, per: 'year', atRisk: 0 })
    this.#now = now
  }

  /** When the block of the id ends, ms since 1970; 0 where there is none, or the store does not answer. Asks the store, unless this process knows of one. */
  async endOf(id: string): Promise<number> {
    const known = this.#ends.get(id) ?? 0
    if (known > this.#now()) return known
    this.#ends.delete(id)
    try {
      return await this.#stored(this.#family.of(id), id)
    } catch (error) {
      // The decision that follows does as `onStoreUnavailable` of the engine says.
      if (error instanceof VsaError && error.statusCode === 503) return 0
      throw error
    }
  }

  /** Blocks the id for so long, at most 400 days, unless it is blocked already: durable on return. Resolves to the end of the block. Calls at the same time are one. */
  begin(id: string, durationMs: number): Promise<number> {
    const pending = this.#beginning.get(id)
    if (pending !== undefined) return pending
    const beginning = this.#begun(id, durationMs).finally(() => this.#beginning.delete(id))
    this.#beginning.set(id, beginning)
    return beginning
  }

  async #begun(id: string, durationMs: number): Promise<number> {
    const budget = this.#family.of(id)
    const ttlMs = Math.min(Math.ceil(durationMs), HOLD_MAX_MS)
    const end = this.#now() + ttlMs
    const held = await budget.reserve(ONE_HOLD + end, { id: randomUUID(), ttlMs, onExpire: 'return' })
    if (held !== null) return this.#remember(id, end)
    return (await this.#stored(budget, id)) || end
  }

  async #stored(budget: Budget, id: string): Promise<number> {
    const { reserved } = await budget.peek()
    return reserved > 0 ? this.#remember(id, reserved - ONE_HOLD) : 0
  }

  #remember(id: string, end: number): number {
    this.#ends.set(id, end)
    const [oldest] = this.#ends.keys()
    if (this.#ends.size > REMEMBERED_MAX && oldest !== undefined) this.#ends.delete(oldest)
    return end
  }
}
