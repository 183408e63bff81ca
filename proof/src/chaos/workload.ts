import { VsaError, type AdmitOptions, type Budget, type Counter, type Decision, type Vsa } from 'vsa'
import type { Random } from 'vsa/testing'
import type { BudgetOrder, ChildOrder } from './order.ts'
import { wholeBetween } from './random.ts'
import { mintId } from './subjects.ts'
import { TallyReader, type TallyWriter } from './tally-file.ts'

/** A budget, and what may be asked of it. */
interface Purse extends BudgetOrder {
  readonly budget: Budget
}

/** Admissions of a neighbour that are given back in one go, at most. */
const GIVEN_BACK_MAX = 20
/** Ids that are minted again and again before they are old. */
const MINT_IDS_RECENT = 3

/** Everything that a child asks of an engine, drawn from its seed, each call in the tally before it is made and after it is answered. */
export class Caller {
  readonly #vsa: Vsa
  readonly #order: ChildOrder
  readonly #tally: TallyWriter
  readonly #random: Random
  readonly #purses: readonly Purse[]
  readonly #counters: readonly (readonly [counter: Counter, most: number])[]
  readonly #neighbour: TallyReader | null
  #isStopped = false
  #isFlushing = false

  constructor(vsa: Vsa, order: ChildOrder, tally: TallyWriter, random: Random) {
    this.#vsa = vsa
    this.#order = order
    this.#tally = tally
    this.#random = random
    this.#purses = Object.entries(order.budgets).map(([key, budget]) => ({
      ...budget,
      budget: vsa.budget(key, budget.policy),
    }))
    this.#counters = Object.entries(order.counters).map(([key, most]) => [vsa.counter(key), most])
    this.#neighbour = order.neighbour === null ? null : new TallyReader(order.neighbour)
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#callOnce(this.#pick(this.#purses), this.#random())
      await this.#rest()
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  noteError(error: unknown): void {
    this.#tally.note('E', error instanceof VsaError ? error.code : error instanceof Error ? error.name : 'unknown')
  }

  async #callOnce(purse: Purse, die: number): Promise<void> {
    if (die < 0.06) this.#count()
    else if (die < 0.09) await this.#flush()
    else if (die < 0.11) this.#giveBackForNeighbour()
    else if (die < 0.13) await this.#mint()
    else if (die < 0.45 && purse.atRisk > 0 && !purse.isWindowed) this.#tryMany(purse)
    else if (die < 0.85) await this.#admit(purse)
    else await this.#admitPair(purse, this.#pick(this.#purses))
  }

  /** From memory: what is told is in the tally before the next line of the caller runs. Not with windows: it does not say in which period it admitted. */
  #tryMany({ budget }: Purse): void {
    for (let times = this.#whole(1, 20); times > 0; times -= 1) {
      const units = this.#whole(1, 3)
      this.#tally.note('I', budget.key, units)
      this.#tally.note(budget.tryAdmit(units) ? 'A' : 'D', budget.key, units)
    }
  }

  async #admit(purse: Purse): Promise<void> {
    // Now and then more than a lease holds.
    const units = this.#random() < 0.02 ? this.#whole(30, 300) : this.#whole(1, 4)
    const decision = await this.#ask([[purse, units]], (options) => purse.budget.decide(units, options))
    // Odd ones are left to another process.
    if (decision === null || !purse.isRefunded || units % 2 === 1 || this.#random() < 0.5) return
    this.#giveBack(purse, units, decision.period)
  }

  async #admitPair(one: Purse, other: Purse): Promise<void> {
    // The answer tells one period: that of the budget that was named first.
    if (one === other || other.isWindowed) return
    const needs: readonly (readonly [Purse, number])[] = [
      [one, this.#whole(1, 2)],
      [other, this.#whole(1, 2)],
    ]
    await this.#ask(needs, (options) =>
      this.#vsa.decideAll(
        needs.map(([{ budget }, units]) => [budget, units]),
        options,
      ),
    )
  }

  /** @returns null unless it was admitted */
  async #ask(
    needs: readonly (readonly [Purse, number])[],
    asking: (options: AdmitOptions) => Promise<Decision>,
  ): Promise<Decision | null> {
    for (const [{ budget }, units] of needs) this.#tally.note('I', budget.key, units)
    const options = {
      ...(this.#random() < 0.2 && { durable: true }),
      ...(this.#random() < 0.05 && { deadlineMs: this.#whole(1, 60) }),
    }
    try {
      const decision = await asking(options)
      for (const [{ budget, isWindowed }, units] of needs)
        this.#tally.note(decision.admitted ? 'A' : 'D', budget.key, units, isWindowed ? decision.period : 0)
      return decision.admitted ? decision : null
    } catch (error) {
      this.noteError(error)
      const mark = error instanceof VsaError && error.applied === 'no' ? 'D' : 'U'
      for (const [{ budget }, units] of needs) this.#tally.note(mark, budget.key, units)
      return null
    }
  }

  /** Noted before the call: what the store accepts is never more than what the tally says. */
  #giveBack({ budget, isWindowed }: Purse, units: number, period: number): void {
    this.#tally.note('R', budget.key, units, isWindowed ? period : 0)
    try {
      budget.refund(units, isWindowed ? { period } : undefined)
    } catch (error) {
      this.noteError(error)
      this.#tally.note('X', budget.key, units, isWindowed ? period : 0)
    }
  }

  /** Another process admitted it, and may not have sent it yet; or is dead. Odd ones are ours, and each is seen once. */
  #giveBackForNeighbour(): void {
    const admitted = this.#neighbour?.read().filter(({ mark, units }) => mark === 'A' && units % 2 === 1) ?? []
    for (const { name, units, period } of admitted.slice(-GIVEN_BACK_MAX)) {
      const purse = this.#purses.find(({ budget }) => budget.key === name)
      if (purse?.isRefunded !== true) continue
      this.#tally.note('E', 'neighbour_refund', units)
      this.#giveBack(purse, units, period)
    }
  }

  /** The same ids come from several processes. */
  async #mint(): Promise<void> {
    const minted = this.#purses.filter(({ mintUnits }) => mintUnits > 0)
    if (minted.length === 0) return
    const { budget, mintUnits } = this.#pick(minted)
    const { mintIds } = this.#order
    const id = mintId(this.#whole(Math.max(0, mintIds - MINT_IDS_RECENT), mintIds - 1))
    this.#tally.note('M', budget.key, mintUnits, 0, id)
    try {
      const isFirst = await budget.mint(mintUnits, { id })
      this.#tally.note('m', budget.key, isFirst ? 1 : 0, 0, id)
    } catch (error) {
      this.noteError(error)
    }
  }

  #count(): void {
    const [counter, most] = this.#pick(this.#counters)
    const n = most === 1 ? 1 : this.#whole(-most, most)
    this.#tally.note('N', counter.key, n)
    try {
      counter.add(n)
    } catch (error) {
      this.noteError(error)
      this.#tally.note('N', counter.key, -n)
    }
  }

  /** What was added before a flush that has resolved is durable, whoever is killed then. One at a time, so that its end names its beginning. */
  async #flush(): Promise<void> {
    if (this.#isFlushing) return
    this.#isFlushing = true
    this.#tally.note('B')
    try {
      await this.#vsa.flush()
      this.#tally.note('F')
    } catch (error) {
      this.noteError(error)
    }
    this.#isFlushing = false
  }

  #rest(): Promise<void> {
    const { restMostMs } = this.#order
    return new Promise((resolve) => {
      if (restMostMs === 0) setImmediate(resolve)
      else setTimeout(resolve, this.#whole(0, restMostMs))
    })
  }

  #whole(min: number, max: number): number {
    return wholeBetween(this.#random, min, max)
  }

  #pick<T>(choices: readonly T[]): T {
    const choice = choices[this.#whole(0, choices.length - 1)]
    if (choice === undefined) throw new Error('an order names at least one of each')
    return choice
  }
}
