import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { open, type ListedRow, type Vsa } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { SHIPPED } from '../subject.ts'
import { faultsOf } from './account.ts'
import { readBooks, type Books } from './books.ts'
import type { CrewEnd } from './crew.ts'
import { drain, leftOf } from './drain.ts'
import type { ChaosPlan } from './plan.ts'
import { mintId, type Subject } from './subjects.ts'
import { openUnits, type Tallies } from './tallies.ts'

/** What a clean process finds when all others are dead. */
export interface Findings {
  readonly faults: readonly string[]
  /** The books before the clean process spent anything. */
  readonly books: Books
  /** Units that it could still admit, by key. */
  readonly drained: Readonly<Record<string, number>>
}

/** What children may have to note. Anything else is a fault by itself: nothing here quarantines a budget, loses a row or a store. */
const EXPECTED_EVENTS = new Set([
  'joined',
  'fenced',
  'burned',
  'burn_limit',
  'threshold',
  'refunds_refused',
  'neighbour_refund',
  'store_back',
  // Who holds the file's lock may have been stopped.
  'store_failed',
  'store_busy',
  'store_unavailable',
  'timeout',
  'closed',
])

/** Holds the books against the tallies once nobody else is alive, and admits what is left. */
export class Inquest {
  readonly #plan: ChaosPlan
  readonly #file: string
  readonly #end: CrewEnd
  readonly #tallies: Tallies
  readonly #faults: string[] = []

  constructor(plan: ChaosPlan, file: string, end: CrewEnd, tallies: Tallies) {
    this.#plan = plan
    this.#file = file
    this.#end = end
    this.#tallies = tallies
  }

  async hold(): Promise<Findings> {
    // The last children are dead by now; the first call of another process buries them.
    const clean = this.#open()
    await clean.ready()
    this.#checkBuried(await readBooks(this.#file))
    await this.#mintAll(clean)
    // A lease of its own would cover what is missing.
    await clean.flush({ returnLeases: true })
    const books = await readBooks(this.#file)
    this.#checkRows(books)
    this.#checkCounters(books)
    this.#checkEvents()
    const drained: Record<string, number> = {}
    for (const [key, subject] of Object.entries(this.#plan.subjects)) {
      drained[key] = subject.isWindowed
        ? await this.#drainWindow(key, subject)
        : await this.#drainOne(clean, key, subject)
    }
    await clean.close()
    await this.#verify()
    return { faults: this.#faults, books, drained }
  }

  #open(): Vsa {
    const { leaseTtlMs } = this.#plan
    return open({ store: sqlite(this.#file, { thread: false, leaseTtlMs }), label: 'clean' })
  }

  #expect(holds: boolean, fault: string): void {
    if (!holds) this.#faults.push(fault)
  }

  #checkBuried({ rows }: Books): void {
    for (const { budget, leases } of rows)
      this.#expect(leases.length === 0, `S8: ${budget.key} ${budget.period}: the lease of a dead owner is still held`)
  }

  /** Every id once more: those that a child was told of are known, and all together are minted once each. */
  async #mintAll(clean: Vsa): Promise<void> {
    const minted = Object.entries(this.#plan.subjects).filter(([, { mintUnits }]) => mintUnits > 0)
    const ids = Array.from({ length: this.#end.mintIds }, (_, number) => mintId(number))
    const minting = async ([key, { policy, mintUnits }]: [string, Subject]): Promise<void> => {
      const budget = clean.budget(key, policy)
      const areNew = await Promise.all(ids.map((id) => budget.mint(mintUnits, { id })))
      for (const [index, id] of ids.entries()) this.#checkMint(key, id, areNew[index] === true)
    }
    await Promise.all(minted.map(minting))
  }

  #checkMint(key: string, id: string, isNew: boolean): void {
    const { first = 0, again = 0 } = this.#tallies.mints.get(key)?.get(id) ?? {}
    this.#expect(first <= 1, `L3: ${key}: ${first} processes were told that they minted ${id} first`)
    this.#expect(!isNew || first + again === 0, `L3: ${key}: mint ${id} was told and is forgotten`)
  }

  #checkRows({ rows }: Books): void {
    const { subjects } = this.#plan
    for (const { budget } of rows)
      this.#expect(subjects[budget.key] !== undefined, `L1: a budget that nobody declared: ${budget.key}`)
    for (const [key, subject] of Object.entries(subjects)) {
      const own = rows.filter(({ budget }) => budget.key === key)
      if (subject.isWindowed) this.#checkPeriods(key, subject, own)
      else this.#checkSingle(key, subject, own)
    }
  }

  #checkSingle(key: string, subject: Subject, rows: readonly ListedRow[]): void {
    const [row, second] = rows
    if (row === undefined || second !== undefined) return this.#expect(false, `L1: ${key} has ${rows.length} rows`)
    const limit = subject.limit + subject.mintUnits * (subject.mintUnits === 0 ? 0 : this.#end.mintIds)
    this.#checkRow(row, subject, limit, this.#tallies.sumOf(key))
  }

  /** An intent knows no period, so what is open may belong to each; to all together only once. */
  #checkPeriods(key: string, subject: Subject, rows: readonly ListedRow[]): void {
    const sum = this.#tallies.sumOf(key)
    const open = openUnits(sum)
    const periods = this.#tallies.periodsOf(key)
    for (const row of rows) {
      const { admitted = 0, refunded = 0, refused = 0 } = periods.get(row.budget.period) ?? {}
      const tally = { intended: admitted + open, admitted, denied: 0, refunded, refused }
      this.#checkRow(row, subject, subject.limit, tally)
    }
    const known = new Set(rows.map(({ budget }) => budget.period))
    for (const [period, { admitted, refunded }] of periods) {
      const told = admitted - refunded
      // Also where the row is gone: one that was made anew would have given its units twice.
      this.#expect(told <= subject.limit, `L1: ${key}: ${told} units of ${subject.limit} were admitted in ${period}`)
      this.#expect(
        admitted === 0 || known.has(period) || !subject.isKept,
        `L1: ${key}: units were admitted in ${period}, which has no row`,
      )
    }
    const used = rows.reduce((total, { budget }) => total + budget.used, 0)
    this.#expect(
      used <= sum.admitted + open,
      `L3: ${key}: more was settled in all periods than was ever asked for: ${used}`,
    )
  }

  #checkRow(row: ListedRow, subject: Subject, limit: number, tally: ReturnType<Tallies['sumOf']>): void {
    const { atRisk, burnMax } = subject
    // An epoch ends without a close by a kill, or by a pause or a clock: then its owner lived to tell that it was fenced.
    const deaths = this.#end.kills + this.#tallies.countOf('fenced')
    // At once: one that lives in each place, and one before it that is dead and not buried yet. A clock that leaps ends all epochs but its own in
    // one transaction, which burns their leases too: no more than that many can be waiting to burn.
    const owners = 2 * this.#plan.processes
    this.#faults.push(...faultsOf({ row, tally, limit, atRisk, burnMax, deaths, owners }))
  }

  #checkCounters({ counters }: Books): void {
    for (const [key, { least, most }] of this.#tallies.counters) {
      const value = counters.get(key) ?? 0
      this.#expect(value >= least && value <= most, `L3: counter ${key} is ${value}, not between ${least} and ${most}`)
    }
  }

  #checkEvents(): void {
    for (const [event, times] of this.#tallies.events)
      this.#expect(EXPECTED_EVENTS.has(event), `event: children noted ${event} ${times} times`)
  }

  async #drainOne(clean: Vsa, key: string, subject: Subject): Promise<number> {
    const before = await this.#rowsOf(key)
    const left = before.reduce((sum, row) => sum + leftOf(row), 0)
    const { admitted } = await drain(clean, key, subject, left)
    await clean.flush({ returnLeases: true })
    const sum = [...admitted.values()].reduce((total, units) => total + units, 0)
    this.#expect(sum === left, `L5: ${key}: ${left} units were left, and ${sum} were admitted`)
    for (const row of await this.#rowsOf(key)) this.#checkEmpty(row)
    return sum
  }

  /**
   * An owner of its own, which joins at store time and is done in its first period: where the clocks of dead processes were ahead, store time
   * stands still, and an owner's time does not.
   */
  async #drainWindow(key: string, subject: Subject): Promise<number> {
    const before = new Map((await this.#rowsOf(key)).map(({ budget }) => [budget.period, budget.used]))
    const owner = this.#open()
    await owner.ready()
    const { admitted, emptyPeriod } = await drain(owner, key, subject, subject.limit)
    await owner.close()
    for (const row of await this.#rowsOf(key)) {
      const { period, used } = row.budget
      const units = admitted.get(period) ?? 0
      const spent = used - (before.get(period) ?? 0)
      this.#expect(spent === units, `L3: ${key}: ${units} units were admitted in ${period}, and ${spent} settled`)
      if (period === emptyPeriod) this.#checkEmpty(row)
    }
    return [...admitted.values()].reduce((total, units) => total + units, 0)
  }

  #checkEmpty(row: ListedRow): void {
    const { key, period, pool } = row.budget
    this.#expect(pool === 0 && row.leases.length === 0, `L5: ${key} ${period}: ${pool} units are left in the pool`)
    this.#expect(leftOf(row) === 0, `L5: ${key} ${period}: ${leftOf(row)} units are neither used nor burned`)
  }

  async #rowsOf(key: string): Promise<ListedRow[]> {
    return (await readBooks(this.#file)).rows.filter(({ budget }) => budget.key === key)
  }

  /** As a user would. */
  #verify(): Promise<void> {
    const command = [join(SHIPPED, 'cli/main.js'), 'verify', this.#file]
    return new Promise((resolve) => {
      execFile(process.execPath, command, (error, stdout) => {
        this.#expect(error === null, `L2: vsa verify: ${stdout}`)
        resolve()
      })
    })
  }
}
