import type { Machine } from '../report/machine.ts'
import type { Floor } from '../report/floor.ts'
import type { FiguresAt } from './messages.ts'
import type { Latency } from './open-loop.ts'
import type { Settings } from './plan.ts'
import type { Row } from './row.ts'

/** What one run of the benchmark found. */
export interface Result {
  readonly bench: 'compare'
  readonly command: string
  /** ISO 8601. */
  readonly at: string
  readonly machine: Machine
  /** Of the packages. */
  readonly versions: Readonly<Record<string, string>>
  /** Of the stores, with what their durability depends on. */
  readonly stores: readonly string[]
  readonly settings: Settings
  readonly rows: readonly Row[]
  readonly latencies: readonly LatencyRow[]
  readonly growth: readonly FiguresAt[]
  /** With 1, 2 and more processes on one store. */
  readonly shared: readonly Row[]
  readonly floors: readonly Floor[]
  /** Rows that are left out, because their books do not balance or they failed. */
  readonly failures: readonly Failure[]
  /** Workloads that were left out, and why. */
  readonly skipped: readonly string[]
}

/** Open loop at one rate. */
export interface LatencyRow extends Latency {
  readonly contender: string
  readonly title: string
  readonly group: Row['group']
  readonly store: Row['store']
  readonly storeCallsPerSecond: number
}

export interface Failure {
  readonly workload: string
  readonly contender: string
  readonly problems: readonly string[]
}
