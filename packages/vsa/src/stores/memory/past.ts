import type { StoreLife } from '../../core/adapter.ts'
import type { KeptLife, Writes } from '../../core/written-rows.ts'
import { MemoryRows } from './rows.ts'
import { save } from './save.ts'

/**
 * The rows of a memory store that may forget, for tests: every transaction that was saved, in order. It keeps them all, and makes its rows anew from
 * those that are left.
 */
export class MemoryPast {
  #rows = new MemoryRows()
  #saved: Writes[] = []
  #kept: KeptLife | null = null
  #incarnations = 1

  get rows(): MemoryRows {
    return this.#rows
  }

  /** Transactions that may be forgotten. */
  get size(): number {
    return this.#saved.length
  }

  /** What was kept of the incarnation is forgotten with the other writes. */
  get life(): StoreLife {
    return {
      incarnation: `incarnation ${this.#incarnations}`,
      keptIncarnation: this.#kept?.incarnation ?? null,
      frozenUntil: this.#kept?.frozenUntil ?? 0,
      mayForget: true,
    }
  }

  save(writes: Writes): void {
    this.#saved.push(writes)
    this.#apply(writes)
  }

  /**
   * Loses the last transactions, as a replica does that takes over before it has them. The store goes on in a new incarnation, which the next
   * transaction sees and freezes the store for (F3).
   * @param count of transactions, from 0; all, where there are fewer
   * @returns how many were lost
   */
  forget(count: number): number {
    const before = this.#saved.length
    this.#saved = this.#saved.slice(0, Math.max(0, before - count))
    this.#incarnations += 1
    this.#rows = new MemoryRows()
    this.#kept = null
    for (const writes of this.#saved) this.#apply(writes)
    return before - this.#saved.length
  }

  #apply(writes: Writes): void {
    save(this.#rows, writes)
    this.#kept = writes.life ?? this.#kept
  }
}
