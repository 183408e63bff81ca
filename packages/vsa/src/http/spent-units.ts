import type { Budget, Decision } from '../index.ts'
import type { Ended } from './ended.ts'
import { type IsRefunded, printError, type Spent, whenAsked } from './spent.ts'

/** Units of one budget. */
export interface UnitsOf {
  readonly name: string
  readonly unit: string | undefined
  readonly budget: Budget
  readonly units: number
}

/** Units that a decision has taken. */
export class SpentUnits implements Spent {
  readonly #wanted: readonly UnitsOf[]
  readonly #decision: Decision | null
  readonly #isRefunded: IsRefunded | null
  #isOver = false

  /**
   * @param decision null: it was decided in this turn
   * @param isRefunded null: nothing goes back when the response has ended
   */
  constructor(wanted: readonly UnitsOf[], decision: Decision | null, isRefunded: IsRefunded | null) {
    this.#wanted = wanted
    this.#decision = decision
    this.#isRefunded = isRefunded
  }

  get isWatched(): boolean {
    return this.#isRefunded !== null
  }

  abandon(): void {
    this.#finish(() => true)
  }

  end(ended: Ended): void {
    this.#finish(() => this.#isRefunded?.(ended) ?? false)
  }

  #finish(isRefunded: () => boolean | Promise<boolean>): void {
    if (this.#isOver) return
    this.#isOver = true
    whenAsked(isRefunded, (isBack) => {
      try {
        if (isBack) this.#giveBack()
      } catch (error) {
        printError(error)
      }
    })
  }

  #giveBack(): void {
    // Of a budget named twice, the sum was asked for as one.
    for (const { budget, units } of this.#wanted) if (units > 0) budget.refund(units, this.#decision ?? undefined)
  }
}

/** Units of one budget that were admitted in this turn. They go back only where the handler does not run. */
export class SpentNow implements Spent {
  readonly isWatched: boolean = false
  readonly #units: UnitsOf

  constructor(units: UnitsOf) {
    this.#units = units
  }

  abandon(): void {
    this.#units.budget.refund(this.#units.units)
  }

  end(): void {
    // Nothing goes back.
  }
}
