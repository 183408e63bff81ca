import { setTimeout } from 'node:timers/promises'
import type { ListedRow } from 'vsa'
import { snapshotViolations, stepViolations } from './row-check.ts'
import { isAway, readStore, type StoreContents } from './store-contents.ts'
import type { TestBudget } from './test-budgets.ts'

const SNAPSHOT_INTERVAL_MS = 200
/** A row that is wrong once is wrong in every later snapshot: the first violations are enough. */
const VIOLATIONS_MAX = 20

/** What the monitor read while owners lived and died. */
export interface Observations {
  readonly snapshots: number
  /** Rows and leases in all snapshots together. */
  readonly rows: number
  readonly leases: number
  /** Leases on a row that another owner wanted. */
  readonly wantedLeases: number
  /** Snapshots before which owners exchanged and store time did not move: the process with the leading clock had died. */
  readonly timeStopped: number
  readonly violations: readonly string[]
}

/** Reads the store at an interval, and checks what must hold at any moment. */
export class StoreMonitor {
  readonly #place: string
  readonly #budgets: Readonly<Record<string, TestBudget>>
  readonly #observed = { snapshots: 0, rows: 0, leases: 0, wantedLeases: 0, timeStopped: 0, violations: [] as string[] }
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #rowsBefore = new Map<string, ListedRow>()
  #timeBefore = 0
  #exchangesBefore = 0

  constructor(place: string, budgets: Readonly<Record<string, TestBudget>>) {
    this.#place = place
    this.#budgets = budgets
  }

  /** Call it once, when the store exists. `stop` awaits what this begins. */
  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<Observations> {
    this.#stopping.abort()
    await this.#running
    return this.#observed
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await setTimeout(SNAPSHOT_INTERVAL_MS, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await this.#takeSnapshot()
    }
  }

  async #takeSnapshot(): Promise<void> {
    try {
      this.#check(await readStore(this.#place))
    } catch (error) {
      if (isAway(error)) return
      this.#report([`L2: the store could not be read: ${String(error)}`])
    }
  }

  #check({ rows, owners }: StoreContents): void {
    const time = Math.max(0, ...owners.map(({ seenAt }) => seenAt))
    const exchanges = owners.reduce((sum, { seq }) => sum + seq, 0)
    this.#observed.snapshots += 1
    if (time === this.#timeBefore && exchanges > this.#exchangesBefore) this.#observed.timeStopped += 1
    this.#timeBefore = time
    this.#exchangesBefore = exchanges
    this.#observed.rows += rows.length
    for (const row of rows) this.#checkRow(row, time)
    this.#rowsBefore = new Map(rows.map((row) => [nameOf(row), row]))
  }

  #checkRow(row: ListedRow, time: number): void {
    this.#observed.leases += row.leases.length
    if (row.budget.wantedUntil > time) this.#observed.wantedLeases += row.leases.length
    const { atRisk = 0, burnMax = 0 } = this.#budgets[row.budget.key] ?? {}
    this.#report(snapshotViolations(row, atRisk))
    const before = this.#rowsBefore.get(nameOf(row))
    if (before !== undefined) this.#report(stepViolations(before, row, burnMax))
  }

  #report(violations: readonly string[]): void {
    this.#observed.violations.push(...violations.slice(0, VIOLATIONS_MAX - this.#observed.violations.length))
  }
}

function nameOf({ budget }: ListedRow): string {
  return `${budget.key} ${budget.period}`
}
