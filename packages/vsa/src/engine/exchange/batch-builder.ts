import { invariant } from '../../core/errors.ts'
import type { Take } from '../../core/exchange.ts'
import type { PendingRequest, RequestForm } from '../requests/pending-request.ts'
import type { CounterState } from '../budget/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { isLeasedRow, type Run } from './in-flight-batch.ts'

/**
 * The most budgets that all requests under ids of one exchange take from together: each is kept apart, and the rows do not bound them. One request may have
 * 1,000; as many requests of two budgets as an exchange of 1,000 entries carries fit.
 */
const LOTS_MIN = 1_000
const LOTS_PER_ENTRY = 2

/** Collects the rows and runs of one batch, up to its limits. Nothing is sent, and no row changes. */
export class BatchBuilder {
  readonly rows: (LeasedRow | CounterState)[] = []
  readonly runs: Run[] = []
  readonly #max: number
  /** Of takes that are remembered: the rows do not bound them. */
  #lots = 0
  /** Where each row is in `rows`, and each counter, by its key: a counter that is evicted meanwhile has another object then. */
  readonly #places = new Map<LeasedRow | string, number>()
  /** By place: the last run that touches the row; -1 when none does. */
  readonly #lastRuns: number[] = []

  /** @param max rows, and runs, that one exchange may carry */
  constructor(max: number) {
    this.#max = max
  }

  get isFull(): boolean {
    return this.rows.length >= this.#max
  }

  get hasRefund(): boolean {
    return this.rows.some((row) => isLeasedRow(row) && row.lease.refund > 0)
  }

  has(row: LeasedRow): boolean {
    return this.#places.has(row)
  }

  /** Gives the row a place. False when there is none left. */
  addRow(row: LeasedRow): boolean {
    if (this.#places.has(row)) return true
    if (this.isFull) return false
    this.#places.set(row, this.rows.length)
    this.#lastRuns[this.rows.length] = -1
    this.rows.push(row)
    return true
  }

  addCounter(counter: CounterState): boolean {
    if (this.#places.has(counter.key)) return true
    if (this.isFull) return false
    this.#places.set(counter.key, this.rows.length)
    this.rows.push(counter)
    return true
  }

  /**
   * Puts a request into the run that was last to touch all of its rows, if that one is for the same, else into a new run:
   * so that requests for the same row keep their order, and equal neighbours share a run. False when there is no place.
   */
  addRequest(request: PendingRequest, rows: readonly LeasedRow[]): boolean {
    const last = this.#lastRunOf(rows)
    if (last !== undefined && asksFor(last, request, rows)) {
      join(last, request)
      return true
    }
    if (this.runs.length >= this.#max) return false
    const lots = request.form.remember === undefined ? 0 : rows.length
    if (this.#lots > 0 && lots > 0 && this.#lots + lots > Math.max(LOTS_MIN, LOTS_PER_ENTRY * this.#max)) return false
    const { form } = request
    const overage = form.waterfall?.overage ?? null
    const missing = rows.filter((row) => !this.#places.has(row)).length
    const more = overage === null || this.#places.has(overage.key) ? 0 : 1
    if (this.rows.length + missing + more > this.#max) return false
    this.#lots += lots
    for (const row of rows) {
      this.addRow(row)
      this.#lastRuns[this.#placeOf(row)] = this.runs.length
    }
    if (overage !== null) this.addCounter(overage)
    const costs = request.needs.map((need) => need.units)
    this.runs.push({ rows, costs, form, requests: [request], count: request.count })
    return true
  }

  /** Puts a request for one row into the run that was last to touch it, if that one is for the same; false otherwise. */
  joinRun(row: LeasedRow, units: number, request: PendingRequest): boolean {
    const last = this.runs.at(-1)
    const run = last?.rows[0] === row ? last : this.#runAt(this.#lastRunAt(row))
    if (run === undefined || run.rows.length !== 1 || run.costs[0] !== units || !isPlain(run.form)) return false
    join(run, request)
    return true
  }

  takes(): Take[] {
    return this.runs.map((run) => this.#takeOf(run))
  }

  #takeOf({ rows, costs, count, form: { remember, waterfall } }: Run): Take {
    const take = { need: rows.map((row, index) => [this.#placeOf(row), costs[index] ?? 0] as const), n: count }
    if (waterfall === undefined) return remember === undefined ? take : { ...take, remember }
    const { overage, units } = waterfall
    const need = overage === null ? take.need : [...take.need, [this.#placeOf(overage.key), units] as const]
    return { need, n: count, first: true, ...(remember && { remember }) }
  }

  #lastRunOf(rows: readonly LeasedRow[]): Run | undefined {
    const [first] = rows
    if (first === undefined) return undefined
    const at = this.#lastRunAt(first)
    return rows.every((row) => this.#lastRunAt(row) === at) ? this.#runAt(at) : undefined
  }

  #runAt(at: number): Run | undefined {
    return at < 0 ? undefined : this.runs[at]
  }

  /** -1 when no run touches the row. */
  #lastRunAt(row: LeasedRow): number {
    const place = this.#places.get(row)
    return place === undefined ? -1 : (this.#lastRuns[place] ?? -1)
  }

  #placeOf(row: LeasedRow | string): number {
    const place = this.#places.get(row)
    invariant(place !== undefined, 'a run is made of rows that have a place')
    return place
  }
}

function join(run: Run, request: PendingRequest): void {
  run.requests.push(request)
  run.count += request.count
}

function isPlain({ remember, waterfall }: RequestForm): boolean {
  return remember === undefined && waterfall === undefined
}

function asksFor(run: Run, request: PendingRequest, rows: readonly LeasedRow[]): boolean {
  if (run.rows.length !== rows.length || !isPlain(run.form) || !isPlain(request.form)) return false
  for (let index = 0; index < rows.length; index += 1) {
    if (run.rows[index] !== rows[index] || run.costs[index] !== request.needs[index]?.units) return false
  }
  return true
}
