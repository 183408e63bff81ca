import { InvariantError } from '../../core/errors.ts'
import type { Outcome, RowName } from '../../core/exchange.ts'
import type { BudgetRow, Leap, OwnerRow } from '../../core/rows.ts'
import { decodeText } from '../../core/stored-text.ts'

/* Rows as they are packed: doubles, little-endian, which carry every safe integer exactly (R3). */

/** A budget row with the sums of the leases on it. */
export interface StoredBudget {
  readonly row: BudgetRow
  /** Units of all leases on the row, and how many there are. */
  readonly leased: number
  readonly lessees: number
}

export const DOUBLE = 8
export const BUDGET_DOUBLES = 15
/** Schema 1 had no `reserved` and no `resets`. */
const OLD_BUDGET_DOUBLES = 13
const OWNER_DOUBLES = 5
/** Stands for null: no time, and no safe integer. */
export const NULL: number = -(2 ** 53)

/** kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wantedUntil, endsAt, keepUntil, reserved, resets */
export function packBudget({ row, leased, lessees }: StoredBudget): Buffer {
  const {
    kind,
    minted,
    used,
    pool,
    burned,
    limit,
    burnMax,
    version,
    wantedUntil,
    endsAt,
    keepUntil,
    reserved,
    resets,
  } = row
  return packed([
    kind === 'initial' ? 0 : 1,
    minted,
    used,
    pool,
    burned,
    leased,
    lessees,
    limit,
    burnMax,
    version,
    wantedUntil,
    endsAt ?? NULL,
    keepUntil ?? NULL,
    reserved,
    resets,
  ])
}

/** @throws InvariantError for bytes that this store cannot have written */
export function unpackBudget({ key, period }: RowName, bytes: Buffer): StoredBudget {
  const isOld = isOldBudget(bytes)
  if (!isOld && bytes.length !== BUDGET_DOUBLES * DOUBLE) throw unexpected('a packed budget', `${bytes.length} bytes`)
  const [kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wantedUntil, ...rest] = unpacked(
    bytes,
    isOld ? OLD_BUDGET_DOUBLES : BUDGET_DOUBLES,
  )
  const [endsAt, keepUntil, reserved = 0, resets = 0] = rest
  return {
    row: {
      key,
      period,
      kind: kindFrom(kind),
      minted: integer(minted),
      used: integer(used),
      reserved: integer(reserved),
      pool: integer(pool),
      burned: integer(burned),
      limit: integer(limit),
      burnMax: integer(burnMax),
      version: integer(version),
      resets: integer(resets),
      wantedUntil: integer(wantedUntil),
      endsAt: integerOrNull(endsAt),
      keepUntil: integerOrNull(keepUntil),
    },
    leased: integer(leased),
    lessees: integer(lessees),
  }
}

/** A row as schema 1 packed it: nothing of it is reserved, and it was never reset. It is packed anew when it is saved. */
export function isOldBudget(bytes: Buffer): boolean {
  return bytes.length === OLD_BUDGET_DOUBLES * DOUBLE
}

/** isOpen, seq, seenAt, expiresAt, leaseTtlMs; then the length of the token in bytes, the token, and the outcome as JSON. */
export function packOwner({ state, seq, seenAt, expiresAt, leaseTtlMs, token, outcome }: OwnerRow): Buffer {
  const text = Buffer.from(token)
  const head = packed([state === 'open' ? 1 : 0, seq, seenAt, expiresAt, leaseTtlMs, text.length])
  return Buffer.concat([head, text, Buffer.from(JSON.stringify(outcome))])
}

/** @throws InvariantError for bytes that this store cannot have written */
export function unpackOwner(epoch: number, bytes: Buffer, label = ''): OwnerRow {
  const headBytes = (OWNER_DOUBLES + 1) * DOUBLE
  if (bytes.length < headBytes) throw unexpected('a packed owner', `${bytes.length} bytes`)
  const [isOpen, seq, seenAt, expiresAt, leaseTtlMs, tokenBytes] = unpacked(bytes, OWNER_DOUBLES + 1).map(integer)
  const tokenEnd = headBytes + integer(tokenBytes)
  return {
    epoch,
    token: bytes.toString('utf8', headBytes, tokenEnd),
    label,
    state: isOpen === 1 ? 'open' : 'closed',
    seq: integer(seq),
    outcome: outcomeFrom(bytes.toString('utf8', tokenEnd)),
    seenAt: integer(seenAt),
    expiresAt: integer(expiresAt),
    leaseTtlMs: integer(leaseTtlMs),
    // A server cannot see the processes of its clients.
    process: null,
  }
}

function outcomeFrom(json: string): Outcome {
  try {
    // The store writes only an `Outcome` here.
    return JSON.parse(json) as Outcome
  } catch {
    throw unexpected('an outcome', 'no JSON')
  }
}

export function leapText({ from, at, until }: Leap): string {
  return `${from} ${at} ${until}`
}

export function leapFrom(value: string): Leap {
  const [from = 0, at = 0, until = 0] = value === '' ? [] : value.split(' ').map(Number)
  return { from: integer(from), at: integer(at), until: integer(until) }
}

/** The row of a field of the hash `b`. */
export function rowNameFrom(field: unknown): RowName {
  const name = text(field)
  const colon = name.indexOf(':')
  return { period: integer(Number(name.slice(0, colon))), key: decodeText(name.slice(colon + 1)) }
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected('a list', value)
  return value
}

/** Values of a flat list, so many each. */
export function tuples(value: unknown, size: number): readonly (readonly unknown[])[] {
  const flat = list(value)
  return Array.from({ length: flat.length / size }, (_, at) => flat.slice(size * at, size * (at + 1)))
}

/** Two values that follow each other in a flat list. */
export function pairs(value: unknown): readonly (readonly [unknown, unknown])[] {
  const flat = list(value)
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at], flat[2 * at + 1]])
}

export function bytesOf(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw unexpected('bytes', value)
  return value
}

/** Undefined where there is none. */
export function bytesOrNone(value: unknown): Buffer | undefined {
  return value === null ? undefined : bytesOf(value)
}

export function text(value: unknown): string {
  return bytesOf(value).toString('utf8')
}

/** A number that came as text. */
export function number(value: unknown): number {
  const digits = text(value)
  if (digits === '') throw unexpected('an integer', value)
  return integer(Number(digits))
}

/** Of a member of a sorted set. Redis keeps no other than numbers: one that was changed keeps no other member from being looked at. */
export function score(value: unknown): number {
  return Number(text(value))
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unexpected('an integer', value)
  // A safe integer is a number: TypeScript does not narrow by `Number.isSafeInteger`.
  return value as number
}

function integerOrNull(value: unknown): number | null {
  return value === NULL ? null : integer(value)
}

function kindFrom(value: unknown): BudgetRow['kind'] {
  if (value === 0) return 'initial'
  if (value !== 1) throw unexpected('0 or 1', value)
  return 'window'
}

/** @throws InvariantError for a number that is not a safe integer */
function packed(numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(numbers.length * DOUBLE)
  writeDoubles(bytes, 0, numbers)
  return bytes
}

/** @returns the offset behind them @throws InvariantError for a number that is not a safe integer */
export function writeDoubles(bytes: Buffer, from: number, numbers: readonly number[]): number {
  // `writeDoubleLE` and a closure for each number took several times as long.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = from
  for (const value of numbers) {
    if (!Number.isSafeInteger(value) && value !== NULL)
      throw new InvariantError(`a number in Redis must be a safe integer, got ${value}`)
    // Without the zero that is negative: two packed rows are the same when their bytes are.
    view.setFloat64(at, value + 0, true)
    at += DOUBLE
  }
  return at
}

function unpacked(bytes: Buffer, doubles: number): number[] {
  return Array.from({ length: doubles }, (_, at) => bytes.readDoubleLE(at * DOUBLE))
}

/** This store's own writes exclude this, so another program has written to its keys. */
function unexpected(what: string, value: unknown): InvariantError {
  return new InvariantError(`expected ${what} in Redis, got ${Buffer.isBuffer(value) ? 'bytes' : String(value)}`)
}
