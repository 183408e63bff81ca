import { isBudget, isFamily } from './budget-finder.ts'
import type { BudgetChoice, BudgetTerms, LimitOptions } from './limit-options.ts'

const OPTIONS = Object.keys({
  budgets: true,
  cost: true,
  skip: true,
  headers: true,
  legacyReset: true,
  partitionKey: true,
  trustProxy: true,
  ipv6Prefix: true,
  refundWhen: true,
  reserve: true,
  clock: true,
} satisfies Record<keyof LimitOptions<never>, true>)
const TERMS = Object.keys({ from: true, by: true, cost: true, unit: true } satisfies Record<
  keyof BudgetTerms<never>,
  true
>)
const RESERVE = ['ttlMs', 'id', 'onExpire']

/** Budgets of one middleware. */
const BUDGETS_MAX = 16
/** A day. */
const TTL_MS_MAX = 86_400_000
/** A string of a structured field. */
const NAME = /^[\x20-\x7e]{1,64}$/

/**
 * @param more options of the framework's own
 * @throws TypeError, RangeError that name the option
 */
export function checkOptions<Request>(options: LimitOptions<Request>, more: readonly string[]): void {
  assertKnown('options', options, [...OPTIONS, ...more])
  const { budgets, cost, skip, refundWhen, reserve } = options
  if (typeof budgets !== 'object' || budgets === null)
    throw new TypeError('options.budgets must be an object: name to budget')
  const names = Object.keys(budgets)
  if (names.length < 1 || names.length > BUDGETS_MAX)
    throw new RangeError(`options.budgets must name 1 to ${BUDGETS_MAX} budgets, got ${names.length}`)
  for (const [name, budget] of Object.entries(budgets)) checkBudget(name, budget)
  assertCost('options.cost', cost)
  assertFunction('options.skip', skip)
  assertFunction('options.refundWhen', refundWhen)
  if (more.includes('onDenied') && 'onDenied' in options) assertFunction('options.onDenied', options.onDenied)
  assertClock(options.clock)
  assertOneOf('options.headers', options.headers, ['draft-11', 'draft-8', 'draft-7', 'draft-6', 'legacy', false])
  assertOneOf('options.legacyReset', options.legacyReset, ['epoch', 'delta'])
  assertOneOf('options.partitionKey', options.partitionKey, ['hash', 'id', false])
  if (reserve === undefined) return
  assertKnown('options.reserve', reserve, RESERVE)
  assertFunction('options.reserve.id', reserve.id)
  assertOneOf('options.reserve.onExpire', reserve.onExpire, ['return', 'capture'])
  const { ttlMs } = reserve
  if (ttlMs !== undefined && !(Number.isSafeInteger(ttlMs) && ttlMs >= 1 && ttlMs <= TTL_MS_MAX))
    throw new RangeError(
      `options.reserve.ttlMs must be a whole number of milliseconds from 1 to ${TTL_MS_MAX}, got ${ttlMs}`,
    )
}

function checkBudget<Request>(name: string, given: BudgetChoice<Request> | BudgetTerms<Request>): void {
  const option = `options.budgets.${name}`
  if (!NAME.test(name)) throw new TypeError(`${option}: a name has 1 to 64 printable ASCII characters`)
  if (typeof given === 'function' || isBudget(given) || isFamily(given)) return
  assertKnown(option, given, TERMS)
  const { from, by, cost, unit }: Partial<BudgetTerms<Request>> = given
  if (!isChoice(from)) throw new TypeError(`${option}.from must be a budget, a family, or a function that finds one`)
  assertFunction(`${option}.by`, by)
  if (by !== undefined && !isFamily(from)) throw new TypeError(`${option}.by goes with a family`)
  assertCost(`${option}.cost`, cost)
  if (unit !== undefined && !(typeof unit === 'string' && NAME.test(unit)))
    throw new TypeError(`${option}.unit has 1 to 64 printable ASCII characters`)
}

function isChoice(given: unknown): boolean {
  return typeof given === 'function' || isBudget(given) || isFamily(given)
}

function assertKnown(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name} must be an object`)
  const unknown = Object.entries(value).find(([option, one]) => one !== undefined && !known.includes(option))
  if (unknown !== undefined) throw new TypeError(`${name}.${unknown[0]} is not known; it has ${known.join(', ')}`)
}

function assertFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function`)
}

function assertClock(clock: unknown): void {
  if (clock === undefined) return
  const isClock = typeof clock === 'object' && clock !== null && 'now' in clock && 'timer' in clock
  if (!isClock || typeof clock.now !== 'function' || typeof clock.timer !== 'function')
    throw new TypeError('options.clock must have now() and timer(): leave it out for that of the machine')
}

function assertOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value !== undefined && !allowed.includes(value))
    throw new TypeError(`${name} must be one of ${allowed.join(', ')}`)
}

function assertCost(name: string, cost: unknown): void {
  if (cost === undefined || typeof cost === 'function') return
  if (!isUnits(cost))
    throw new RangeError(`${name} must be a whole number from 0 to 2^53 - 1, or a function, got ${String(cost)}`)
}

/** Whether it can be the cost of a request. */
export function isUnits(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
