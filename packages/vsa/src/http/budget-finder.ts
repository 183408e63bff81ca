import { hash } from 'node:crypto'
import type { Budget, Family } from '../index.ts'
import type { BudgetChoice, BudgetTerms, Cost } from './limit-options.ts'
import { RequestError } from './request-error.ts'

/** The longest id that a request may give a budget: any key that is stored is bounded by it. A longer one is replaced by its hash. */
const ID_LENGTH_MAX = 256
const HASHED = 'sha256:'

/** One budget of the options: how a request finds it, and what it costs. */
export interface BudgetFinder<Request> {
  readonly name: string
  readonly unit: string | undefined
  readonly cost: Cost<Request>
  /** @param addressOf the client's address, for budgets that go by it */
  find(request: Request, addressOf: (request: Request) => string): Budget | Promise<Budget>
}

/** @throws TypeError that names the option */
export function budgetFinder<Request>(
  name: string,
  given: BudgetChoice<Request> | BudgetTerms<Request>,
  cost: Cost<Request>,
): BudgetFinder<Request> {
  const terms = isTerms(given) ? given : { from: given }
  return { name, unit: terms.unit, cost: terms.cost ?? cost, find: findBy(name, terms) }
}

function isTerms<Request>(given: BudgetChoice<Request> | BudgetTerms<Request>): given is BudgetTerms<Request> {
  return typeof given === 'object' && !isBudget(given) && !isFamily(given)
}

function findBy<Request>(name: string, { from, by }: BudgetTerms<Request>): BudgetFinder<Request>['find'] {
  if (typeof from === 'function')
    return (request, addressOf) =>
      checked(
        name,
        from(request, () => addressOf(request)),
      )
  if (!isFamily(from)) return () => from
  // An address is short, well formed, and no hash.
  if (by === undefined) return (request, addressOf) => from.of(addressOf(request))
  return (request, addressOf) => {
    const id = by(request, () => addressOf(request))
    return typeof id === 'string'
      ? budgetOf(name, from, id)
      : Promise.resolve(id).then((one) => budgetOf(name, from, one))
  }
}

export function isBudget(value: unknown): value is Budget {
  return typeof value === 'object' && value !== null && 'decide' in value && typeof value.decide === 'function'
}

export function isFamily(value: unknown): value is Family {
  return (
    typeof value === 'object' && value !== null && 'refresh' in value && 'of' in value && typeof value.of === 'function'
  )
}

function budgetOf(name: string, family: Family, id: unknown): Budget {
  if (typeof id === 'string' && id !== '') return family.of(boundedId(id))
  throw new RequestError('key_invalid', `options.budgets.${name}.by must answer a string of 1 or more characters`, 400)
}

/** What a client sends cannot be longer than a key may be, nor equal to the hash of something else. */
export function boundedId(id: string): string {
  if (id.length <= ID_LENGTH_MAX && id.isWellFormed() && !id.startsWith(HASHED)) return id
  return HASHED + hash('sha256', Buffer.from(id, 'utf16le'), 'hex')
}

function checked(name: string, found: Budget | Promise<Budget>): Budget | Promise<Budget> {
  if (isBudget(found)) return found
  return Promise.resolve(found).then((one: unknown) => {
    if (isBudget(one)) return one
    throw new RequestError(
      'budget_invalid',
      `options.budgets.${name} must answer a budget; leave requests out with skip`,
    )
  })
}
