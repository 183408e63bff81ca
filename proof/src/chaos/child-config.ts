import type { Policy } from 'vsa'

/** What one child is told, as JSON in its one argument. */
export interface ChildOrder {
  readonly file: string
  /** Where it writes down what it asked for and what it was told. */
  readonly tally: string
  /** The tally of another child, living or dead, whose admissions this one gives back; no two children have the same. */
  readonly neighbour: string | null
  readonly seed: number
  readonly thread: boolean
  readonly flushIntervalMs: number
  readonly leaseTtlMs: number
  readonly callers: number
  /** How long a caller rests between two calls, at most; 0: it only lets the others have their turn. */
  readonly restMostMs: number
  readonly lifeMaxMs: number
  /** Mint ids that may be used by now. */
  readonly mintIds: number
  readonly budgets: Readonly<Record<string, BudgetOrder>>
  /** The most that is added to each at once. */
  readonly counters: Readonly<Record<string, number>>
}

export interface BudgetOrder {
  readonly policy: Policy
  readonly atRisk: number
  readonly isWindowed: boolean
  readonly mintUnits: number
  readonly isRefunded: boolean
}

/** Written by the crew, of the same build. */
export function orderOf(argument: string | undefined): ChildOrder {
  return JSON.parse(argument ?? '') as ChildOrder
}
