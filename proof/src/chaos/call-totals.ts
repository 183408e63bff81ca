import { CallLogReader, type CallRecord } from './call-log.ts'
import { CreditTotals } from './credit-totals.ts'

/** The totals of the logs for one budget, in units. */
export interface BudgetTotals {
  /** Asked for. */
  readonly requested: number
  /** Answered `admitted`. */
  readonly admitted: number
  /** Answered `denied`, or failed and certainly not applied. */
  readonly denied: number
  /** Logged before the call, so this is never less than what the store accepted. */
  readonly refunded: number
  /** Refunds that the store refused for good. */
  readonly refused: number
}

/** The possible values of a counter. After a kill it is not known how many of the last adds were sent. */
export interface CounterBounds {
  readonly min: number
  readonly max: number
}

/** How many processes were answered that they minted an id, for the first time and as a repeat. */
export interface MintAnswers {
  readonly first: number
  readonly repeated: number
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

const NOTHING: BudgetTotals = { requested: 0, admitted: 0, denied: 0, refunded: 0, refused: 0 }

/** Sums up the call logs of all children. */
export class CallTotals {
  readonly counters = new Map<string, CounterBounds>()
  /** By event or error code: how often it was logged. */
  readonly events = new Map<string, number>()
  readonly credits = new CreditTotals()
  /** By key and mint id. */
  readonly mints = new Map<string, Map<string, MintAnswers>>()
  /** Children with at least one admission. */
  busyChildren = 0
  /** Requests that were answered. */
  answers = 0
  flushes = 0
  readonly #budgets = new Map<string, Map<number, Writable<BudgetTotals>>>()

  /** Adds the log of a child that has ended. */
  add(path: string): void {
    const records = new CallLogReader(path).read()
    if (records.some(({ kind }) => kind === 'admitted')) this.busyChildren += 1
    for (const record of records) this.#add(record)
    for (const [key, bounds] of counterBounds(records)) {
      const { min, max } = this.counters.get(key) ?? { min: 0, max: 0 }
      this.counters.set(key, { min: min + bounds.min, max: max + bounds.max })
    }
  }

  /** By period; requests are under period 0, because their period is not known when they are logged. */
  periodsOf(key: string): ReadonlyMap<number, BudgetTotals> {
    return this.#budgets.get(key) ?? new Map()
  }

  /** All periods of a budget together. */
  sumOf(key: string): BudgetTotals {
    const sum: Writable<BudgetTotals> = { ...NOTHING }
    for (const totals of this.periodsOf(key).values()) {
      for (const name of Object.keys(sum) as (keyof BudgetTotals)[]) sum[name] += totals[name]
    }
    return sum
  }

  countOf(event: string): number {
    return this.events.get(event) ?? 0
  }

  #add(record: CallRecord): void {
    const { kind, name, units, period, id } = record
    this.credits.add(record)
    switch (kind) {
      case 'requested':
        return this.#addUnits(name, 0, 'requested', units)
      case 'admitted':
        this.answers += 1
        return this.#addUnits(name, period, 'admitted', units)
      case 'denied':
        this.answers += 1
        return this.#addUnits(name, 0, 'denied', units)
      case 'refunding':
        return this.#addUnits(name, period, 'refunded', units)
      case 'refused':
        return this.#addUnits(name, period, 'refused', units)
      case 'minted':
        return this.#addMint(name, id, units === 1)
      case 'event':
        this.events.set(name, this.countOf(name) + 1)
        break
      case 'flushed':
        this.flushes += 1
        break
      case 'unknown':
      case 'reserved':
      case 'unreserved':
      case 'settled':
      case 'admitted-once':
      case 'given-back':
      case 'minting':
      case 'adding':
      case 'flushing':
      case 'closed':
    }
  }

  #addUnits(key: string, period: number, name: keyof BudgetTotals, units: number): void {
    const periods = this.#budgets.get(key) ?? new Map<number, Writable<BudgetTotals>>()
    const totals = periods.get(period) ?? { ...NOTHING }
    totals[name] += units
    periods.set(period, totals)
    this.#budgets.set(key, periods)
  }

  #addMint(key: string, id: string, isFirst: boolean): void {
    const ids = this.mints.get(key) ?? new Map<string, MintAnswers>()
    const { first, repeated } = ids.get(id) ?? { first: 0, repeated: 0 }
    ids.set(id, isFirst ? { first: first + 1, repeated } : { first, repeated: repeated + 1 })
    this.mints.set(key, ids)
  }
}

/** Units that were requested and not answered: they may have been admitted. */
export function unansweredUnits({ requested, admitted, denied }: BudgetTotals): number {
  return requested - admitted - denied
}

/**
 * The possible values of each counter after one child.
 *
 * An owner sends the sum of its adds so far. So the store has the sum of the child's first n adds. If the child closed, n is all of them.
 * If not, n is at least the number of adds before the last flush that resolved began.
 */
export function counterBounds(records: readonly CallRecord[]): Map<string, CounterBounds> {
  const sums = new Map<string, number[]>()
  const flushing = new Map<string, number>()
  const flushed = new Map<string, number>()
  const isClosed = records.some(({ kind }) => kind === 'closed')
  for (const { kind, name, units } of records) {
    if (kind === 'adding') {
      const partial = sums.get(name) ?? [0]
      partial.push((partial.at(-1) ?? 0) + units)
      sums.set(name, partial)
    }
    if (kind === 'flushing') for (const [key, partial] of sums) flushing.set(key, partial.length - 1)
    if (kind === 'flushed') for (const [key, count] of flushing) flushed.set(key, count)
  }
  const bounds = new Map<string, CounterBounds>()
  for (const [key, partial] of sums) {
    const possible = partial.slice(isClosed ? -1 : (flushed.get(key) ?? 0))
    bounds.set(key, { min: Math.min(...possible), max: Math.max(...possible) })
  }
  return bounds
}
