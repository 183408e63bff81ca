import { createHash } from 'node:crypto'

/** The longest prefix and the longest id that are stored as they are, in UTF-16 code units: together they fit into the key of any store. */
const PREFIX_LENGTH_MAX = 256
const ID_LENGTH_MAX = 512
const HASHED = 'sha256:'

/**
 * What a key of a peer is called in memory: itself, or for a long one its hash, so that a table of keys from headers stays small.
 * @throws TypeError for what is no string
 */
export function idOf(key: string): string {
  if (typeof key !== 'string') throw new TypeError(`key must be a string, got ${typeof key}`)
  return key.length > ID_LENGTH_MAX ? hashed(key) : key
}

/** The key of its budget. VSA takes no empty key and no lone surrogate, and a key that looks like a hash must not meet one: they are hashed. */
export function budgetKey(prefix: string, key: string): string {
  const isStoredAsIs = key !== '' && key.length <= ID_LENGTH_MAX && key.isWellFormed() && !key.startsWith(HASHED)
  return prefix + (isStoredAsIs ? key : hashed(key))
}

/** @throws TypeError, RangeError that name the argument */
export function assertPrefix(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || !value.isWellFormed())
    throw new TypeError(`${name} must be a well-formed string, got ${typeof value}`)
  if (value.length > PREFIX_LENGTH_MAX)
    throw new RangeError(`${name} must have at most ${PREFIX_LENGTH_MAX} characters, got ${value.length}`)
}

/** Of the code units: as UTF-8, all lone surrogates would be the same. */
function hashed(key: string): string {
  return HASHED + createHash('sha256').update(key, 'utf16le').digest('hex')
}
