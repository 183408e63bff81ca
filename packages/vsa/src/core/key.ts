import { describe } from './units.ts'

/** The longest key, family name and `:` included, in UTF-16 code units. */
export const KEY_LENGTH_MAX = 1024

/**
 * Throws unless `value` may name a budget: a string of 1 to {@link KEY_LENGTH_MAX} characters, any characters, well formed.
 * A lone surrogate is refused, because stores write UTF-8, where two such keys would become the same row.
 * @throws TypeError when it is not a string or not well formed; RangeError for its length. Both name the argument.
 */
export function assertKey(name: string, value: unknown, lengthMax: number = KEY_LENGTH_MAX): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${describe(value)}`)
  if (value.length < 1 || value.length > lengthMax) {
    throw new RangeError(`${name} must have 1 to ${lengthMax} characters, got ${value.length}`)
  }
  if (!value.isWellFormed()) throw new TypeError(`${name} must be well-formed Unicode, got ${describe(value)}`)
}
