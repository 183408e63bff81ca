import type { Budget } from 'vsa'
import type { Operation } from '../workloads/operations.ts'
import type { Strength } from './count-case.ts'

/** Requests that are under way at once. */
const CALLERS = 64
/** How often a reservation is metered before it is settled. */
const PARTS = 4
/** Longer than a run. */
const TTL_MS = 600_000

/** Net units that callers were told of. */
export interface Tally {
  units: number
  denials: number
}

/** Callers who take one operation after the other from a list, and wait for each answer. */
export class Callers {
  readonly tally: Tally = { units: 0, denials: 0 }
  readonly #budgetOf: (key: string) => Budget
  readonly #operations: Iterator<Operation, void>
  readonly #strength: Strength
  #allowed = 0
  #ids = 0

  constructor(budgetOf: (key: string) => Budget, operations: Iterator<Operation, void>, strength: Strength) {
    this.#budgetOf = budgetOf
    this.#operations = operations
    this.#strength = strength
  }

  /** Lets `operations` more begin. Resolves when all of them have been answered. */
  async allow(operations: number): Promise<void> {
    this.#allowed += operations
    await Promise.all(Array.from({ length: CALLERS }, () => this.#call()))
  }

  async #call(): Promise<void> {
    while (this.#allowed > 0) {
      this.#allowed -= 1
      const { value } = this.#operations.next()
      if (value === undefined) return
      await this.#perform(value)
    }
  }

  async #perform(operation: Operation): Promise<void> {
    const { kind, key, units } = operation
    const budget = this.#budgetOf(key)
    if (kind === 'refund') {
      budget.refund(units)
      this.tally.units -= units
    } else if (kind === 'reserve') await this.#reserve(budget, operation.units, operation.settled)
    else if (await budget.admit(units)) this.tally.units += units
    else this.tally.denials += 1
  }

  /** A call of a language model: reserves, meters while it runs, settles. */
  async #reserve(budget: Budget, units: number, used: number): Promise<void> {
    const reservation = await (this.#strength === 'durable'
      ? budget.reserve(units, { id: `call-${(this.#ids += 1)}`, ttlMs: TTL_MS, onExpire: 'capture' })
      : budget.reserve(units))
    if (reservation === null) {
      this.tally.denials += 1
      return
    }
    for (let part = 1; part <= PARTS; part += 1)
      reservation.meter(Math.floor((used * part) / PARTS) - Math.floor((used * (part - 1)) / PARTS))
    const { settled } = await reservation.settle()
    this.tally.units += settled
  }
}
