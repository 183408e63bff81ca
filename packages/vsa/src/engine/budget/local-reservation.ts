import type { Window } from '../../core/plan.ts'
import { assertUnits, UNITS_MAX } from '../../core/units.ts'
import { checkExtension } from '../api/arguments.ts'
import { printAsJson } from '../api/inspect.ts'
import type { Extension, InTransaction, PendingIntent, Reservation, Settled } from '../api/public-types.ts'
import type { SettleWithin } from './durable-reservation.ts'
import type { RowView } from './row-view.ts'

/** Units of one period that were admitted for a reservation. */
export interface Charge {
  readonly units: number
  /** The period, whatever becomes of the policy. Null: without a record, so that nothing of them can be given back. */
  readonly window: Window | null
  /** Where they came from; absent: the reservation's budget. */
  readonly source?: ChargedSource
}

/** That of counters, and of budgets without windows. */
export const NO_WINDOWS: Window = { start: 0, end: Infinity }

/** What units of a charge go back into. */
export interface ChargedSource {
  readonly key: string
  readonly row: RowView | null
  readonly room: number
  readonly roomMax: number
  /** Into the row that it admits from now. */
  refund(units: number): void
  giveBack(units: number, window: Window): void
}

/** What a reservation needs of its budget. */
export interface ReservedBudget extends ChargedSource {
  readonly family: { readonly slowPath: Charging }
}

/** Admits more for a reservation. */
export interface Charging {
  /** All of the units, or none: null. Several charges, the first source first. */
  charge(budget: ReservedBudget, units: number): Promise<readonly Charge[] | null>
  /** As many of the units as there are, in parts, which `add` gets. @returns the units that are not there */
  cover(budget: ReservedBudget, units: number, add: (charge: Charge) => void): Promise<number>
}

/**
 * A reservation in memory (policies.md section 7): its units were admitted, and what is not used of them goes back into the period of the admission.
 * The store knows nothing of it, so after a crash all of it is spent, or burned.
 */
export class LocalReservation implements Reservation {
  static {
    printAsJson(this)
  }

  readonly #budget: ReservedBudget
  /** The period of the first units; null as in {@link Charge}. */
  readonly #window: Window | null
  /** T1: of one that was asked for with an id. Null: it has none. */
  readonly #settleInTransaction: SettleWithin | null
  #units: number
  /** Units that were admitted for it. More than `units` while what was used beyond them is being charged. */
  #charged: number
  /** What was admitted after the first units, the oldest first. */
  #later: Charge[] | null = null
  #metered = 0
  #outcome: Promise<Settled> | null = null

  constructor(
    budget: ReservedBudget,
    units: number,
    window: Window | null,
    settleInTransaction: SettleWithin | null = null,
  ) {
    this.#budget = budget
    this.#window = window
    this.#settleInTransaction = settleInTransaction
    this.#units = units
    this.#charged = units
  }

  /** Of several sources: what each gave, the first one first. @param budget stands for all of them */
  static of(budget: ReservedBudget, charges: readonly Charge[]): LocalReservation {
    const isUnaccounted = charges.some(({ window }) => window === null)
    // Of its first units, which are none.
    const reservation = new LocalReservation(budget, 0, isUnaccounted ? null : NO_WINDOWS)
    for (const charge of charges) reservation.#add(charge)
    reservation.#units = reservation.#charged
    return reservation
  }

  get units(): number {
    return this.#units
  }

  get state(): Reservation['state'] {
    return this.#outcome === null ? 'open' : 'settled'
  }

  get unaccounted(): true | undefined {
    return this.#window === null ? true : undefined
  }

  meter(units = 1): boolean {
    assertUnits('units', units)
    if (this.#outcome !== null) return false
    this.#metered = Math.min(this.#metered + units, UNITS_MAX)
    return this.#metered <= this.#units
  }

  settle(actual: number | undefined, options: InTransaction): Promise<PendingIntent>
  settle(actual?: number): Promise<Settled>
  settle(actual: number = this.#metered, options?: InTransaction): Promise<Settled | PendingIntent> {
    try {
      assertUnits('actual', actual)
      if (options !== undefined) return this.#within(actual, options)
      if (this.#outcome !== null) return this.#outcome.then(repeated)
      this.#outcome = actual > this.#charged ? this.#cover(actual) : this.#settleWithin(actual)
      return this.#outcome
    } catch (error) {
      return Promise.reject(error)
    }
  }

  cancel(options: InTransaction): Promise<PendingIntent>
  cancel(): Promise<Settled>
  cancel(options?: InTransaction): Promise<Settled | PendingIntent> {
    return options === undefined ? this.settle(0) : this.settle(0, options)
  }

  async extend(to: Extension): Promise<boolean> {
    checkExtension(to)
    const { units = 0, ttlMs } = to
    if (ttlMs !== undefined)
      throw new TypeError('to.ttlMs goes with a reservation that has an id: one in memory has no end')
    if (this.#outcome !== null) return false
    const more = units - this.#charged
    if (more > 0) {
      const charges = await this.#charging.charge(this.#budget, more)
      if (charges === null) return false
      for (const charge of charges) this.#add(charge)
      if (this.state !== 'open') {
        // It was settled meanwhile.
        this.#giveBack(more)
        return false
      }
    }
    this.#units = Math.max(this.#units, units)
    // Another call may have extended it meanwhile.
    this.#giveBack(this.#charged - this.#units)
    return true
  }

  toJSON(): object {
    const { unaccounted } = this
    return { key: this.#budget.key, units: this.#units, state: this.state, ...(unaccounted && { unaccounted }) }
  }

  get #charging(): Charging {
    return this.#budget.family.slowPath
  }

  /** T1: the store may know the id after all, where it did not answer in time. */
  #within(actual: number, options: InTransaction): Promise<PendingIntent> {
    if (this.#settleInTransaction !== null) return this.#settleInTransaction(actual, options)
    throw new TypeError(
      'options.db goes with a reservation that has an id: make it with reserve(max, { id, ttlMs, onExpire }). One in memory is settled without db, after your commit',
    )
  }

  #settleWithin(actual: number): Promise<Settled> {
    this.#giveBack(this.#charged - actual)
    return Promise.resolve({ settled: actual, uncovered: 0, repeated: false })
  }

  /** What was used beyond the units is charged as far as it is there. Where the store cannot be asked, it is still open, and may be settled again. */
  async #cover(actual: number): Promise<Settled> {
    try {
      const used = actual - this.#charged
      const uncovered = await this.#charging.cover(this.#budget, used, (charge) => this.#add(charge))
      return { settled: actual - uncovered, uncovered, repeated: false }
    } catch (error) {
      this.#outcome = null
      throw error
    }
  }

  #add(charge: Charge): void {
    ;(this.#later ??= []).push(charge)
    this.#charged += charge.units
  }

  /** The youngest first. What fails can be repeated: each charge is less as soon as its units are back. */
  #giveBack(units: number): void {
    for (let left = units; left > 0;) {
      const last = this.#later?.at(-1)
      const back = last === undefined ? left : Math.min(left, last.units)
      this.#refund(last?.source ?? this.#budget, back, last === undefined ? this.#window : last.window)
      this.#charged -= back
      left -= back
      if (last === undefined) continue
      this.#later?.pop()
      if (back < last.units) this.#later?.push({ ...last, units: last.units - back })
    }
  }

  #refund(budget: ChargedSource, units: number, window: Window | null): void {
    if (window === null) return
    // The slow path would give back into the period of now.
    const isHot = budget.room + units <= budget.roomMax
    if (isHot && budget.row?.window.start === window.start) budget.refund(units)
    else budget.giveBack(units, window)
  }
}

function repeated(outcome: Settled): Settled {
  return { ...outcome, repeated: true }
}
