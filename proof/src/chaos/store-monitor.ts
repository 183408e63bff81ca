import type { ListedRow } from 'vsa'
import { bookFaults, stepFaults } from './account.ts'
import { readBooks, type Books } from './books.ts'
import type { Subject } from './subjects.ts'

const LOOK_EVERY_MS = 200
/** A broken row is broken at every look: the first ones tell enough. */
const FAULTS_MAX = 20

/** What was seen of the books while owners lived and died. */
export interface Seen {
  readonly looks: number
  readonly rows: number
  readonly leases: number
  /** Leases on a row that somebody else wanted: the last units, on their way from one process to another. */
  readonly recalls: number
  /** Looks since whose predecessor owners had exchanged, and store time had stood still: the clock that had led was gone. */
  readonly stills: number
  readonly faults: readonly string[]
}

/** Reads the books again and again, and checks what must hold at any moment. */
export class Watcher {
  readonly #file: string
  readonly #subjects: Readonly<Record<string, Subject>>
  readonly #seen = { looks: 0, rows: 0, leases: 0, recalls: 0, stills: 0, faults: [] as string[] }
  #before = new Map<string, ListedRow>()
  #timeBefore = 0
  #exchangesBefore = 0
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(file: string, subjects: Readonly<Record<string, Subject>>) {
    this.#file = file
    this.#subjects = subjects
  }

  /** The file must be there. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look())
    }, LOOK_EVERY_MS)
  }

  async stop(): Promise<Seen> {
    clearInterval(this.#timer)
    await this.#looking
    return this.#seen
  }

  async #look(): Promise<void> {
    try {
      this.#check(await readBooks(this.#file))
    } catch (error) {
      this.#blame([`L2: the books could not be read: ${String(error)}`])
    }
  }

  #check({ rows, owners }: Books): void {
    const time = Math.max(0, ...owners.map(({ seenAt }) => seenAt))
    const exchanges = owners.reduce((sum, { seq }) => sum + seq, 0)
    this.#seen.looks += 1
    if (time === this.#timeBefore && exchanges > this.#exchangesBefore) this.#seen.stills += 1
    this.#timeBefore = time
    this.#exchangesBefore = exchanges
    this.#seen.rows += rows.length
    for (const row of rows) {
      this.#seen.leases += row.leases.length
      if (row.budget.wantedUntil > time) this.#seen.recalls += row.leases.length
      const { atRisk = 0, burnMax = 0 } = this.#subjects[row.budget.key] ?? {}
      const before = this.#before.get(nameOf(row))
      this.#blame([...bookFaults(row, atRisk), ...(before === undefined ? [] : stepFaults(before, row, burnMax))])
    }
    this.#before = new Map(rows.map((row) => [nameOf(row), row]))
  }

  #blame(faults: readonly string[]): void {
    this.#seen.faults.push(...faults.slice(0, FAULTS_MAX - this.#seen.faults.length))
  }
}

function nameOf({ budget }: ListedRow): string {
  return `${budget.key} ${budget.period}`
}
