import type { Policy } from 'vsa'

/** The line that a child prints when it has joined the store. When that failed it prints another one. */
export const JOINED = 'joined'

/** What one child process does. It gets this as JSON in its one argument. */
export interface ChildConfig {
  /** As for `storeAt`. */
  readonly place: string
  /** The file in which the child logs its calls and their answers. */
  readonly callLog: string
  /** The call log of another child, dead or alive. This child refunds admissions from it. No two children read the same log. */
  readonly otherCallLog: string | null
  readonly seed: number
  readonly thread: boolean
  readonly flushIntervalMs: number
  readonly leaseTtlMs: number
  /** Callers that run concurrently. */
  readonly callers: number
  /** The longest pause of a caller between two calls; 0: callers only yield to each other. */
  readonly pauseMaxMs: number
  /** The child exits by itself after this time. */
  readonly lifeMaxMs: number
  /** The number of mint ids in use so far. */
  readonly mintIds: number
  readonly budgets: Readonly<Record<string, BudgetConfig>>
  /** By key: the most that is added to a counter in one call. */
  readonly counters: Readonly<Record<string, number>>
}

export interface BudgetConfig {
  readonly policy: Policy
  readonly atRisk: number
  readonly isWindowed: boolean
  readonly mintUnits: number
  readonly isRefunded: boolean
}

/** Parses the argument. It is trusted: the process pool of the same build wrote it. */
export function parseChildConfig(argument: string | undefined): ChildConfig {
  return JSON.parse(argument ?? '') as ChildConfig
}
