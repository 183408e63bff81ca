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
  if (typeof value !== 'number') {
    throw new TypeError(`${name} must be a number of units, got ${describe(value)}`)
  }
  if (!Number.isSafeInteger(value) || value < min) {
    throw new RangeError(`${name} must be a whole number of units from ${min} to 2^53 - 1, got ${value}`)
  }
}

/** A short, safe rendering of a bad argument for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (value === null) return 'null'
  return typeof value === 'object' || typeof value === 'function' ? `a value of type ${typeof value}` : String(value)
}
