import { describe } from '../../core/units.ts'

/** The longest interval and deadline, in ms. */
const DURATION_MAX_MS = 3_600_000

/** @throws TypeError, RangeError that name the argument, unless `value` is a whole number of ms from 1 to 3,600,000 */
export function assertDuration(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number of milliseconds, got ${describe(value)}`)
  if (!Number.isInteger(value) || value < 1 || value > DURATION_MAX_MS) {
    throw new RangeError(`${name} must be a whole number of milliseconds from 1 to ${DURATION_MAX_MS}, got ${value}`)
  }
}
