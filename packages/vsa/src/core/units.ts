/** The largest number of units that a budget may count: 2^53 - 1, the largest safe integer. */
export const UNITS_MAX = 9_007_199_254_740_991

/** Whether `value` is a number of units: a safe integer, 0 to {@link UNITS_MAX}. */
export function isUnits(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/**
 * Throws unless `value` is a safe integer in `[min, UNITS_MAX]`.
 * @throws TypeError when it is not a number; RangeError when it is NaN, a fraction or out of range. Both name the argument.
 */
export function assertUnits(name: string, value: unknown, min = 0): asserts value is number {
  assertWhole(name, value, { min, of: 'units' })
}

/** What {@link assertWhole} accepts. */
interface WholeNumbers {
  readonly min: number
  /** Default 2^53 - 1. */
  readonly max?: number
  /** What the number counts, as in `milliseconds`. */
  readonly of?: string
}

/** Throws unless `value` is a whole number from `min` to `max`. @throws TypeError, RangeError that name the argument, as `assertUnits` */
export function assertWhole(name: string, value: unknown, numbers: WholeNumbers): asserts value is number {
  const { min, max = UNITS_MAX, of } = numbers
  const counted = of === undefined ? '' : ` of ${of}`
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number${counted}, got ${describe(value)}`)
  if (Number.isSafeInteger(value) && value >= min && value <= max) return
  const range = `from ${min} to ${max === UNITS_MAX ? '2^53 - 1' : max}`
  throw new RangeError(`${name} must be a whole number${counted} ${range}, got ${value}`)
}

/** A short, safe rendering of a bad argument for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
