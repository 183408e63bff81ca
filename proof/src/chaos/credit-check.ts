import { type Budget, type ListedRow, VsaError, type Vsa } from 'vsa'
import { admissionId, CREDIT_BUDGETS, idsUsed, reservationId, unitsOf } from './credit-budgets.ts'
import { type CreditTotals, refundOf } from './credit-totals.ts'

/** Calls of the check that are under way at the same time. */
const CALLS_AT_ONCE = 500

/**
 * After all children have ended: asks the store what became of every id, compares it to what the children were told, and the sum of all to the rows.
 * @param seconds of the run, which say how many ids there are
 * @param rowsOf the rows of a budget, read after all calls
 * @returns violations, each with its law
 */
export async function creditViolations(
  vsa: Vsa,
  seconds: number,
  totals: CreditTotals,
  rowsOf: (key: string) => Promise<readonly ListedRow[]>,
): Promise<readonly string[]> {
  const violations: string[] = []
  for (const [key, { policy, limit }] of Object.entries(CREDIT_BUDGETS)) {
    const budget = vsa.budget(key, policy)
    const check = new CreditCheck(budget, totals, violations)
    let used = 0
    for (let from = 0; from < idsUsed(seconds); from += CALLS_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(CALLS_AT_ONCE, idsUsed(seconds) - from) }, (_, at) => from + at)
      const kept = await Promise.all(numbers.flatMap((number) => [check.settled(number), check.admitted(number)]))
      used += kept.reduce((sum, units) => sum + units, 0)
    }
    const rows = await rowsOf(key)
    const [row, second] = rows
    // No child used it.
    if (row === undefined && used === 0) continue
    if (row === undefined || second !== undefined) violations.push(`L1: ${key} has ${rows.length} rows`)
    else if (
      row.budget.used !== used ||
      row.budget.reserved !== 0 ||
      row.budget.burned !== 0 ||
      row.budget.pool !== limit - used
    )
      violations.push(
        `R2, L3: ${key}: the ids have used ${used} of ${limit}, and the row says ${JSON.stringify(row.budget)}`,
      )
    if (used > limit) violations.push(`L1: ${key}: ${used} of ${limit} units were settled and admitted`)
  }
  return violations
}

class CreditCheck {
  readonly #budget: Budget
  readonly #totals: CreditTotals
  readonly #violations: string[]

  constructor(budget: Budget, totals: CreditTotals, violations: string[]) {
    this.#budget = budget
    this.#totals = totals
    this.#violations = violations
  }

  /** @returns the units that its reservation has used for ever */
  async settled(number: number): Promise<number> {
    const id = reservationId(number)
    const told = this.#totals.of(this.#budget.key, id)
    const outcome = await unlessUnknown(this.#budget.reservation(id).settle(0))
    if (outcome === null) {
      this.#expect(told.reserved === 0 && told.outcomes.size === 0, `R1: ${id} was told, and is not known`)
      return 0
    }
    this.#expectOne(id, told.outcomes, outcome.settled, 'R4')
    this.#expect(told.firsts <= 1, `R4: ${id}: ${told.firsts} processes were told that they settled it first`)
    this.#expect(outcome.repeated || told.outcomes.size === 0, `R4: ${id} was settled, and is settled again`)
    return outcome.settled
  }

  /** @returns the units that its admission has kept, once all the rest was given back */
  async admitted(number: number): Promise<number> {
    const id = admissionId(number)
    const { key } = this.#budget
    const [told, refunds] = [this.#totals.of(key, id), this.#totals.of(key, refundOf(id))]
    this.#expect(
      told.admittedFirst <= 1,
      `I1: ${id}: ${told.admittedFirst} processes were told that they admitted it first`,
    )
    const given = await unlessUnknown(this.#budget.refund(unitsOf(number), { id }))
    if (given === null) {
      this.#expect(told.admittedFirst + told.admittedAgain === 0, `I1: ${id} was admitted, and is not known`)
      this.#expect(refunds.outcomes.size === 0, `I2: ${id} was given back, and is not known`)
      return 0
    }
    this.#expectOne(id, refunds.outcomes, given.units, 'I2')
    this.#expect(refunds.firsts <= 1, `I2: ${id}: ${refunds.firsts} processes were told that they gave it back first`)
    return unitsOf(number) - given.units
  }

  #expectOne(id: string, told: ReadonlySet<number>, units: number, law: string): void {
    const others = [...told].filter((one) => one !== units)
    this.#expect(
      others.length === 0,
      `${law}: ${id} of ${this.#budget.key} is ${units}, and was told as ${others.join()}`,
    )
  }

  #expect(holds: boolean, violation: string): void {
    if (!holds) this.#violations.push(`${violation} (${this.#budget.key})`)
  }
}

async function unlessUnknown<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (error instanceof VsaError && error.code === 'reservation_unknown') return null
    throw error
  }
}
