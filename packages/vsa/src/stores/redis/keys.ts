import type { RowName } from '../../core/exchange.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'

/**
 * The keys of a store, all `{prefix}:…` and so in one slot of a cluster. None of them ever expires.
 *
 *     s  hash  the store: schema, gen, run, epochs, seen, prunes, deletions, leap, and how many rows, mints, ... there are
 *     o  hash  epoch -> packed owner                 n  hash  epoch -> label
 *     b  hash  row -> packed budget                  i  sorted set  rows in the order of their names
 *     m  hash  [key, id] as JSON -> units            c  hash  key -> value of the counter
 *     w  sorted set  row -> wanted until             k  sorted set  row that may go -> kept until
 *     x  sorted set  open epoch -> expires at        z  sorted set  ended epoch -> ended at
 *     d  set  ended epochs that still have leases    l:<epoch>  hash  row -> held
 *     r  hash  [key, id] as JSON -> reservation      t  sorted set  reservation -> when it is to be swept
 *     e  sorted set  key -> when it was deleted      u:<epoch>  hash  row whose lease was deleted, unheard -> 1
 *     j  sorted set  fields of m in their order      q  sorted set  fields of r in their order
 *
 * A reservation is JSON under the key of its first budget, and under that of each other one `=` and the first field.
 * The last two are for deletions (P6). They are written from the first deletion on: see `LIST_NAMES`.
 */
export const KEY_NAMES = ['s', 'o', 'n', 'b', 'm', 'c', 'i', 'w', 'k', 'x', 'd', 'z', 'r', 't', 'e', 'j', 'q'] as const

export type KeyName = (typeof KEY_NAMES)[number] | `l:${number}` | `u:${number}`

export function keyOf(prefix: string, name: KeyName): string {
  return `{${prefix}}:${name}`
}

export function keysOf(prefix: string): readonly string[] {
  return KEY_NAMES.map((name) => keyOf(prefix, name))
}

/** A budget row, as a field of a hash. The period has no colon, so the first one ends it. */
export function fieldOf({ key, period }: RowName): string {
  return `${period}:${encodeText(key)}`
}

/** A lease, in maps. */
export function leaseNameOf(field: string, epoch: number): string {
  return `${epoch}:${field}`
}

/**
 * Behind each key stands a NUL, which no encoded key has; then 1 and the period, or 0 and 2^53 more than a negative one, in 16 digits. So the order
 * of the bytes is that of (key, period), and each number is a safe integer.
 */
export function memberOf({ key, period }: RowName): string {
  const [sign, digits] = period < 0 ? [0, period + 2 ** 53] : [1, period]
  return `${encodeText(key)}\0${sign}${String(digits).padStart(PERIOD_DIGITS, '0')}`
}

const PERIOD_DIGITS = 16

/** The first and the last member of all rows, or of every period of one key, as `ZRANGEBYLEX` takes them. */
export function memberRange(key: string | undefined): readonly [first: string, last: string] {
  return key === undefined ? ['-', '+'] : [`[${encodeText(key)}\0`, `(${encodeText(key)}\u0001`]
}

/** The row of a member; undefined for bytes that `memberOf` does not write. */
export function rowNameOf(member: Buffer): RowName | undefined {
  const text = member.toString('utf8')
  const nul = text.indexOf('\0')
  const digits = Number(text.slice(nul + 2))
  const name = { key: decodeText(text.slice(0, nul)), period: text[nul + 1] === '0' ? digits - 2 ** 53 : digits }
  return Number.isSafeInteger(name.period) && member.equals(Buffer.from(memberOf(name))) ? name : undefined
}

/** A mint, or a reservation by one of its budgets. */
export function idFieldOf(key: string, id: string): string {
  return JSON.stringify([key, id])
}

/** The first and the last field of one key's mints or reservations, as `ZRANGEBYLEX` takes them. A comma stands behind the key, and then comes the minus. */
export function idFieldRange(key: string): readonly [first: string, last: string] {
  const start = `[${JSON.stringify(key)}`
  return [`[${start},`, `(${start}-`]
}
