import { adaptedStore } from '../core/adapted-store.ts'
import { assertFunction, assertOptions } from '../core/options.ts'
import type { Store } from '../core/store.ts'
import { assertWhole } from '../core/units.ts'
import { MemoryAdapter } from '../stores/memory/adapter.ts'
import { MemoryPast } from '../stores/memory/past.ts'

export interface ForgettingMemoryOptions {
  /** Store time, ms since 1970. */
  readonly now: () => number
  /** An owner is reaped this long after its last exchange, in ms, from 1. Default 10,000. The store is frozen as long after it has forgotten. */
  readonly leaseTtlMs?: number
  /** How often a call is preceded by upkeep, in ms, from 0. Default 100. */
  readonly upkeepEveryMs?: number
}

/** A store in memory that can lose the last of what it acknowledged. */
export interface ForgettingMemory {
  readonly store: Store
  /**
   * Loses the last `count` transactions that wrote something (joins, exchanges, upkeep), all where there are fewer, and goes on in a new incarnation:
   * as a Redis or Postgres does whose replica takes over before it has them. The next call freezes the store for one lease lifetime (F3).
   * @returns how many were lost
   * @throws TypeError, RangeError unless `count` is a whole number from 0
   */
  forget(count: number): number
}

const OPTIONS = Object.keys({ now: true, leaseTtlMs: true, upkeepEveryMs: true } satisfies Record<
  keyof ForgettingMemoryOptions,
  true
>)

/**
 * A memory store for tests of what happens when a store loses acknowledged writes (stores.md section 5). It keeps every write, so that it can undo
 * them: not for long runs. @throws TypeError, RangeError that name the option
 */
export function forgettingMemory(options: ForgettingMemoryOptions): ForgettingMemory {
  assertOptions('options', options, OPTIONS)
  const { now, leaseTtlMs = 10_000, upkeepEveryMs } = options
  assertFunction('options.now', now)
  const past = new MemoryPast()
  const adapter = new MemoryAdapter(now, leaseTtlMs, past)
  return {
    store: adaptedStore(adapter, { now, upkeepEveryMs }, newToken),
    forget: (count) => {
      assertWhole('count', count, { min: 0 })
      return past.forget(count)
    },
  }
}

let tokensMade = 0

/** Different for all stores of this process. */
function newToken(): string {
  tokensMade += 1
  return `token ${tokensMade}`
}
