import { assertWhole } from '../../core/units.ts'

/** The longest interval and deadline, in ms. */
const DURATION_MAX_MS = 3_600_000

/** @throws TypeError, RangeError that name the argument, unless `value` is a whole number of ms from 1 to 3,600,000 */
export function assertDuration(name: string, value: unknown): asserts value is number {
  assertWhole(name, value, { min: 1, max: DURATION_MAX_MS, of: 'milliseconds' })
}
