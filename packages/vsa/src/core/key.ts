import { describe } from './units.ts'

/** The longest key, family name and `:` included, in UTF-16 code units. */
export const KEY_LENGTH_MAX = 1024
/**
 * The longest key as stores write it, in bytes of UTF-8, where NUL and U+0001 take two: an entry of an index of Postgres has at most 2,704. Shorter
 * keys than {@link KEY_LENGTH_MAX} may have more: 900 Chinese characters have 2,700.
 */
export const KEY_BYTES_MAX = 2560
/** No code unit takes more. */
const UNIT_BYTES_MAX = 3

/**
 * Throws unless `value` may name a budget: a string of 1 to {@link KEY_LENGTH_MAX} characters and at most {@link KEY_BYTES_MAX} bytes, any
 * characters, well formed. A lone surrogate is refused, because stores write UTF-8, where two such keys would become the same row.
 * @param rest the rest of the key that `value` is a part of
 * @throws TypeError when it is not a string or not well formed; RangeError for its length. Both name the argument.
 */
export function assertKey(name: string, value: unknown, rest = ''): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${describe(value)}`)
  const lengthMax = KEY_LENGTH_MAX - rest.length
  if (value.length < 1 || value.length > lengthMax) {
    throw new RangeError(`${name} must have 1 to ${lengthMax} characters, got ${value.length}`)
  }
  if (!value.isWellFormed()) throw new TypeError(`${name} must be well-formed Unicode, got ${describe(value)}`)
  if ((value.length + rest.length) * UNIT_BYTES_MAX <= KEY_BYTES_MAX) return
  const [bytes, bytesMax] = [storedBytes(value), KEY_BYTES_MAX - storedBytes(rest)]
  if (bytes > bytesMax) throw new RangeError(`${name} must have at most ${bytesMax} bytes of UTF-8, got ${bytes}`)
}

/** Whether {@link assertKey} accepts it. */
export function isKey(value: string): boolean {
  if (value.length < 1 || value.length > KEY_LENGTH_MAX || !value.isWellFormed()) return false
  return value.length * UNIT_BYTES_MAX <= KEY_BYTES_MAX || storedBytes(value) <= KEY_BYTES_MAX
}

function storedBytes(text: string): number {
  let bytes = 0
  for (let index = 0; index < text.length; index += 1) bytes += bytesOf(text.charCodeAt(index))
  return bytes
}

/** Of one code unit; a surrogate has half of the four bytes of its pair. */
function bytesOf(unit: number): number {
  if (unit <= 1) return 2
  if (unit < 0x80) return 1
  return unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
}
