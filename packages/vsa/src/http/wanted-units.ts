import type { Budget } from '../index.ts'
import { type BudgetFinder, budgetFinder } from './budget-finder.ts'
import { isUnits } from './check-options.ts'
import type { Cost, LimitOptions } from './limit-options.ts'
import { RequestError } from './request-error.ts'
import type { UnitsOf } from './spent-units.ts'

/** What a request needs of each budget. */
export class WantedUnits<Request> {
  readonly #finders: readonly BudgetFinder<Request>[]

  constructor({ budgets, cost = 1 }: LimitOptions<Request>) {
    this.#finders = Object.entries(budgets).map(([name, given]) => budgetFinder(name, given, cost))
  }

  /**
   * A promise only where a function of the user's is async.
   * @throws RequestError where a budget or a cost is none, and what functions of the user's throw
   */
  of(request: Request, addressOf: (request: Request) => string): readonly UnitsOf[] | Promise<readonly UnitsOf[]> {
    const [only, second] = this.#finders
    if (only !== undefined && second === undefined) {
      const one = wantedOf(only, request, addressOf)
      return one instanceof Promise ? one.then((settled) => [settled]) : [one]
    }
    const wanted = this.#finders.map((finder) => wantedOf(finder, request, addressOf))
    const settled = wanted.filter(isSettled)
    return settled.length === wanted.length ? settled : Promise.all(wanted.map((one) => Promise.resolve(one)))
  }
}

function wantedOf<Request>(
  finder: BudgetFinder<Request>,
  request: Request,
  addressOf: (request: Request) => string,
): UnitsOf | Promise<UnitsOf> {
  const units = heard(costOf(finder.cost, request))
  const budget = finder.find(request, addressOf)
  if (typeof units === 'number' && !(budget instanceof Promise)) return unitsOf(finder, budget, units)
  return heard(Promise.all([budget, units]).then(([found, cost]) => unitsOf(finder, found, cost)))
}

/** What comes next may throw at once, and then the rejection of this one is of no use. */
function heard<T>(value: T): T {
  if (value instanceof Promise) value.catch(() => undefined)
  return value
}

function costOf<Request>(cost: Cost<Request>, request: Request): number | Promise<number> {
  return typeof cost === 'number' ? cost : cost(request)
}

function unitsOf<Request>({ name, unit }: BudgetFinder<Request>, budget: Budget, units: unknown): UnitsOf {
  if (isUnits(units)) return { name, unit, budget, units }
  throw new RequestError(
    'cost_invalid',
    `the cost of budget ${name} must be a whole number from 0 to 2^53 - 1, got ${String(units)}`,
  )
}

function isSettled(one: UnitsOf | Promise<UnitsOf>): one is UnitsOf {
  return !(one instanceof Promise)
}
