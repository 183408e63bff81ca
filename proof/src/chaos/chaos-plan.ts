import type { StoreKind } from './chaos-store.ts'
import type { TestBudget } from './test-budgets.ts'

/** The settings of one run. Crash tests and chaos are the same program with different settings. */
export interface ChaosPlan {
  readonly seed: number
  readonly store: StoreKind
  /** How often the server of the store is killed and started again, in ms; 0: never. */
  readonly serverKillEveryMs: number
  /** The share of these moments at which it is stopped for a while by SIGSTOP instead, 0 to 1. */
  readonly serverPauseShare: number
  /** The longest of those pauses, in ms. */
  readonly serverPauseMaxMs: number
  /** Children alive at the same time. */
  readonly processes: number
  /** The run ends after this time, or after this many children have ended in this way. */
  readonly until: Until
  /** How children end. `kill`: most by SIGKILL, some by SIGTERM. `close`: all by SIGTERM, with time to close. */
  readonly by: 'kill' | 'close'
  readonly leaseTtlMs: number
  /** The longest life of a child after it has joined the store. */
  readonly lifeMaxMs: number
  /** The share of children that are paused for longer than a lease lives, 0 to 1. */
  readonly pauseShare: number
  /** Whether wall clocks are wrong, and jump. */
  readonly wrongClocks: boolean
  /** The longest pause of a caller between two calls. */
  readonly pauseMaxMs: number
  readonly budgets: Readonly<Record<string, TestBudget>>
  /** By key: the most that is added to a counter in one call. */
  readonly counters: Readonly<Record<string, number>>
}

export type Until =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'kills'; readonly count: number }
  | { readonly kind: 'closes'; readonly count: number }
