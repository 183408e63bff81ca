import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { open, type ListedRow, type Vsa } from 'vsa'
import { SHIPPED } from '../subject.ts'
import type { CallTotals } from './call-totals.ts'
import type { ChaosPlan } from './chaos-plan.ts'
import { knowsDeadOwners, storeAt } from './chaos-store.ts'
import { creditViolations } from './credit-check.ts'
import { drain, unitsLeft } from './drain.ts'
import { endStateViolations } from './end-state-check.ts'
import type { PoolResult } from './process-pool.ts'
import { readStore, type StoreContents } from './store-contents.ts'
import { mintId, type TestBudget } from './test-budgets.ts'

/** What a new process finds after all children have ended. */
export interface Findings {
  readonly violations: readonly string[]
  /** The store before the new process spent anything. */
  readonly contents: StoreContents
  /** By key: the units that it could still admit. */
  readonly drained: Readonly<Record<string, number>>
}

/** Opens the store after all children have ended, compares it to the call logs, and admits the remaining units. */
export class FinalVerifier {
  readonly #plan: ChaosPlan
  readonly #place: string
  readonly #pool: PoolResult
  readonly #totals: CallTotals
  readonly #violations: string[] = []

  constructor(plan: ChaosPlan, place: string, pool: PoolResult, totals: CallTotals) {
    this.#plan = plan
    this.#place = place
    this.#pool = pool
    this.#totals = totals
  }

  async verify(): Promise<Findings> {
    // Every owner that died has expired.
    if (!knowsDeadOwners(this.#place)) await setTimeout(2 * this.#plan.leaseTtlMs)
    const vsa = this.#open()
    await vsa.ready()
    // The first call reaps the dead owners.
    this.#checkReaped(await readStore(this.#place))
    await this.#mintAll(vsa)
    // A lease of this process would hide missing units.
    await vsa.flush({ returnLeases: true })
    const contents = await readStore(this.#place)
    const state = { plan: this.#plan, pool: this.#pool, totals: this.#totals, contents }
    this.#violations.push(...endStateViolations(state))
    const drained = await this.#drainAll(vsa)
    const { mintIds } = this.#pool
    const rowsOf = (key: string): Promise<ListedRow[]> => this.#rowsOf(key)
    this.#violations.push(...(await creditViolations(vsa, mintIds, this.#totals.credits, rowsOf)))
    await vsa.close()
    await this.#runVerifyCommand()
    return { violations: this.#violations, contents, drained }
  }

  #open(): Vsa {
    const { leaseTtlMs } = this.#plan
    return open({ store: storeAt(this.#place, { thread: false, leaseTtlMs }), label: 'final verifier' })
  }

  #expect(holds: boolean, violation: string): void {
    if (!holds) this.#violations.push(violation)
  }

  #checkReaped({ rows }: StoreContents): void {
    for (const { budget, leases } of rows)
      this.#expect(leases.length === 0, `S8: ${budget.key} ${budget.period}: a dead owner still has a lease`)
  }

  /** Mints every id again: an id that was answered to a child must be known, and each id must be minted once. */
  async #mintAll(vsa: Vsa): Promise<void> {
    const budgets = Object.entries(this.#plan.budgets).filter(([, { mintUnits }]) => mintUnits > 0)
    const ids = Array.from({ length: this.#pool.mintIds }, (_, number) => mintId(number))
    for (const [key, { policy, mintUnits }] of budgets) {
      const budget = vsa.budget(key, policy)
      const areNew = await Promise.all(ids.map((id) => budget.mint(mintUnits, { id })))
      for (const [index, id] of ids.entries()) this.#checkMint(key, id, areNew[index] === true)
    }
  }

  #checkMint(key: string, id: string, isNew: boolean): void {
    const { first, repeated } = this.#totals.mints.get(key)?.get(id) ?? { first: 0, repeated: 0 }
    this.#expect(first <= 1, `L3: ${key}: ${first} processes were answered that they minted ${id} first`)
    this.#expect(!isNew || first + repeated === 0, `L3: ${key}: mint ${id} was answered and is not in the store`)
  }

  async #drainAll(vsa: Vsa): Promise<Record<string, number>> {
    const drained: Record<string, number> = {}
    for (const [key, budget] of Object.entries(this.#plan.budgets))
      drained[key] = budget.isWindowed ? await this.#drainWindow(key, budget) : await this.#drainOne(vsa, key, budget)
    return drained
  }

  async #drainOne(vsa: Vsa, key: string, budget: TestBudget): Promise<number> {
    const left = sum((await this.#rowsOf(key)).map(unitsLeft))
    const { admitted } = await drain(vsa, key, budget, left)
    await vsa.flush({ returnLeases: true })
    const units = sum([...admitted.values()])
    this.#expect(units === left, `L5: ${key}: ${left} units were left, and ${units} were admitted`)
    for (const row of await this.#rowsOf(key)) this.#checkEmpty(row)
    return units
  }

  /**
   * With an owner of its own, which joins at store time and is done within its first period. An owner that stayed would enter later periods:
   * store time stops when the clocks of dead processes were ahead, and the time of an owner does not.
   */
  async #drainWindow(key: string, budget: TestBudget): Promise<number> {
    const usedBefore = new Map((await this.#rowsOf(key)).map((row) => [row.budget.period, row.budget.used]))
    const vsa = this.#open()
    await vsa.ready()
    const { admitted, emptyPeriod } = await drain(vsa, key, budget, budget.limit)
    await vsa.close()
    for (const row of await this.#rowsOf(key)) {
      const { period, used } = row.budget
      const units = admitted.get(period) ?? 0
      const spent = used - (usedBefore.get(period) ?? 0)
      this.#expect(spent === units, `L3: ${key}: ${units} units were admitted in ${period}, and ${spent} settled`)
      if (period === emptyPeriod) this.#checkEmpty(row)
    }
    return sum([...admitted.values()])
  }

  #checkEmpty(row: ListedRow): void {
    const { key, period, pool } = row.budget
    this.#expect(pool === 0 && row.leases.length === 0, `L5: ${key} ${period}: ${pool} units are left in the pool`)
    this.#expect(unitsLeft(row) === 0, `L5: ${key} ${period}: ${unitsLeft(row)} units are neither used nor burned`)
  }

  async #rowsOf(key: string): Promise<ListedRow[]> {
    return (await readStore(this.#place)).rows.filter(({ budget }) => budget.key === key)
  }

  /** `vsa verify`, as a user runs it. */
  async #runVerifyCommand(): Promise<void> {
    const command = [join(SHIPPED, 'cli/main.js'), 'verify', this.#place]
    await new Promise<void>((resolve) => {
      execFile(process.execPath, command, (error, stdout) => {
        this.#expect(error === null, `L2: vsa verify: ${stdout}`)
        resolve()
      })
    })
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
