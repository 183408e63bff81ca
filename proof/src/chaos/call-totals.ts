import { TallyReader, type Line } from './tally-file.ts'

/** What the children wrote down of one budget, in units. */
export interface Tally {
  /** Asked for; the line came before the call. */
  readonly intended: number
  /** Told `true`. */
  readonly admitted: number
  /** Told `false`, or failed and surely not applied. */
  readonly denied: number
  /** Given back; the line came before the call, so never less than what the store accepted. */
  readonly refunded: number
  /** Of those, what the children were told that nobody accepts. */
  readonly refused: number
}

/** What the value of a counter may be: kills leave it open how much of the last adds was sent. */
export interface CounterBounds {
  readonly least: number
  readonly most: number
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

const NOTHING: Tally = { intended: 0, admitted: 0, denied: 0, refunded: 0, refused: 0 }

/** Adds up what all children have written down. */
export class Tallies {
  readonly counters = new Map<string, CounterBounds>()
  /** Events and error codes, and how often each came. */
  readonly events = new Map<string, number>()
  /** By key and id: how many were told that they minted it, for the first time and again. */
  readonly mints = new Map<string, Map<string, { readonly first: number; readonly again: number }>>()
  /** Files with at least one admission in them. */
  busyChildren = 0
  /** Requests that were answered. */
  answers = 0
  flushes = 0
  readonly #budgets = new Map<string, Map<number, Writable<Tally>>>()

  /** Adds the file of a child that has ended. */
  add(path: string): void {
    const lines = new TallyReader(path).read()
    if (lines.some(({ mark }) => mark === 'A')) this.busyChildren += 1
    for (const line of lines) this.#add(line)
    for (const [key, bounds] of counterBounds(lines)) {
      const { least, most } = this.counters.get(key) ?? { least: 0, most: 0 }
      this.counters.set(key, { least: least + bounds.least, most: most + bounds.most })
    }
  }

  /** By period: 0 for what knows of none, as every intent. */
  periodsOf(key: string): ReadonlyMap<number, Tally> {
    return this.#budgets.get(key) ?? new Map()
  }

  /** All periods of a budget together. */
  sumOf(key: string): Tally {
    const sum: Writable<Tally> = { ...NOTHING }
    for (const tally of this.periodsOf(key).values()) {
      for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += tally[name]
    }
    return sum
  }

  countOf(event: string): number {
    return this.events.get(event) ?? 0
  }

  #add({ mark, name, units, period, id }: Line): void {
    switch (mark) {
      case 'I':
        return this.#addUnits(name, 0, 'intended', units)
      case 'A':
        this.answers += 1
        return this.#addUnits(name, period, 'admitted', units)
      case 'D':
        this.answers += 1
        return this.#addUnits(name, 0, 'denied', units)
      case 'R':
        return this.#addUnits(name, period, 'refunded', units)
      case 'X':
        return this.#addUnits(name, period, 'refused', units)
      case 'm':
        return this.#addMint(name, id, units === 1)
      case 'E':
        this.events.set(name, this.countOf(name) + 1)
        break
      case 'F':
        this.flushes += 1
        break
      case 'U':
      case 'M':
      case 'N':
      case 'B':
      case 'C':
    }
  }

  #addUnits(key: string, period: number, name: keyof Tally, units: number): void {
    const periods = this.#budgets.get(key) ?? new Map<number, Writable<Tally>>()
    const tally = periods.get(period) ?? { ...NOTHING }
    tally[name] += units
    periods.set(period, tally)
    this.#budgets.set(key, periods)
  }

  #addMint(key: string, id: string, isFirst: boolean): void {
    const ids = this.mints.get(key) ?? new Map<string, { first: number; again: number }>()
    const { first, again } = ids.get(id) ?? { first: 0, again: 0 }
    ids.set(id, isFirst ? { first: first + 1, again } : { first, again: again + 1 })
    this.mints.set(key, ids)
  }
}

/** What was asked for and not answered: it may have been admitted. */
export function openUnits({ intended, admitted, denied }: Tally): number {
  return intended - admitted - denied
}

/**
 * An owner sends the sum of what was added so far, so what the store has of one child is the sum of its first adds: all of them if it closed; else some
 * number of them, not fewer than had been made when the last flush that resolved began.
 */
export function counterBounds(lines: readonly Line[]): Map<string, CounterBounds> {
  const sums = new Map<string, number[]>()
  const begun = new Map<string, number>()
  const durable = new Map<string, number>()
  const isClosed = lines.some(({ mark }) => mark === 'C')
  for (const { mark, name, units } of lines) {
    if (mark === 'N') {
      const made = sums.get(name) ?? [0]
      made.push((made.at(-1) ?? 0) + units)
      sums.set(name, made)
    }
    if (mark === 'B') for (const [key, made] of sums) begun.set(key, made.length - 1)
    if (mark === 'F') for (const [key, made] of begun) durable.set(key, made)
  }
  const bounds = new Map<string, CounterBounds>()
  for (const [key, made] of sums) {
    const possible = made.slice(isClosed ? -1 : (durable.get(key) ?? 0))
    bounds.set(key, { least: Math.min(...possible), most: Math.max(...possible) })
  }
  return bounds
}
