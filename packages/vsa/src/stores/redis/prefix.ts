import { describe } from '../../core/units.ts'

const PREFIX_LENGTH_MAX = 200

/** @throws TypeError, RangeError, for what is no prefix of keys: 1 to 200 characters of well-formed text without braces, which would end the tag of the slot */
export function assertPrefix(prefix: unknown): void {
  if (typeof prefix !== 'string') throw new TypeError(`options.prefix must be a string, got ${describe(prefix)}`)
  if (prefix.length < 1 || prefix.length > PREFIX_LENGTH_MAX)
    throw new RangeError(`options.prefix must have 1 to ${PREFIX_LENGTH_MAX} characters, got ${prefix.length}`)
  if (/[{}]/.test(prefix) || !prefix.isWellFormed())
    throw new TypeError(`options.prefix must be well-formed Unicode without braces, got ${describe(prefix)}`)
}
