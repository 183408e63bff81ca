import { InvariantError } from '../../core/errors.ts'
import type { Outcome, RowName } from '../../core/exchange.ts'
import type { BudgetRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import type { Row, Value } from './client/driver.ts'
import { decodeText, encodeText } from './client/text.ts'

export const OWNER_COLUMNS = 'epoch, label, state, seq, outcome, seen_at, expires_at, lease_ttl_ms, process'
export const BUDGET_COLUMNS =
  'key, period, kind, minted, used, pool, burned, limit_units, burn_max, version, wanted_until, ends_at, keep_until'

/** Columns of {@link OWNER_COLUMNS}, from `at` on. */
export function ownerFrom(row: Row, at = 0): OwnerRow {
  return {
    epoch: integer(row[at]),
    label: decodeText(text(row[at + 1])),
    state: oneOf(row[at + 2], 'open', 'closed'),
    seq: integer(row[at + 3]),
    // The store writes only an `Outcome` to this column.
    outcome: JSON.parse(text(row[at + 4])) as Outcome,
    seenAt: integer(row[at + 5]),
    expiresAt: integer(row[at + 6]),
    leaseTtlMs: integer(row[at + 7]),
    process: row[at + 8] === null ? null : decodeText(text(row[at + 8])),
  }
}

export function ownerValues(owner: OwnerRow): readonly Value[] {
  const { epoch, label, state, seq, outcome, seenAt, expiresAt, leaseTtlMs, process } = owner
  const identity = process === null ? null : encodeText(process)
  return [epoch, encodeText(label), state, seq, JSON.stringify(outcome), seenAt, expiresAt, leaseTtlMs, identity]
}

/** Columns of {@link BUDGET_COLUMNS}. */
export function budgetFrom(row: Row): BudgetRow {
  return {
    key: decodeText(text(row[0])),
    period: integer(row[1]),
    kind: oneOf(row[2], 'initial', 'window'),
    minted: integer(row[3]),
    used: integer(row[4]),
    pool: integer(row[5]),
    burned: integer(row[6]),
    limit: integer(row[7]),
    burnMax: integer(row[8]),
    version: integer(row[9]),
    wantedUntil: integer(row[10]),
    endsAt: integerOrNull(row[11]),
    keepUntil: integerOrNull(row[12]),
  }
}

export function budgetValues(row: BudgetRow): readonly Value[] {
  const { key, period, kind, minted, used, pool, burned, limit, burnMax, version, wantedUntil, endsAt, keepUntil } = row
  return [
    encodeText(key),
    period,
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
  ]
}

/** Columns `key, period, epoch, held`. */
export function leaseFrom(row: Row): LeaseRow {
  return { key: decodeText(text(row[0])), period: integer(row[1]), epoch: integer(row[2]), held: integer(row[3]) }
}

/** Columns `key, period`. */
export function rowNameFrom(row: Row): RowName {
  return { key: decodeText(text(row[0])), period: integer(row[1]) }
}

/** The only column of the only row. */
export function firstInteger(row: Row | undefined): number {
  return integer(row?.[0])
}

export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unexpected('an integer', value)
  // A safe integer is a number: TypeScript does not narrow by `Number.isSafeInteger`.
  return value as number
}

function integerOrNull(value: unknown): number | null {
  return value === null ? null : integer(value)
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw unexpected('text', value)
  return value
}

function oneOf<A extends string, B extends string>(value: unknown, first: A, second: B): A | B {
  if (value === first) return first
  if (value !== second) throw unexpected(`${first} or ${second}`, value)
  return second
}

/** STRICT tables and this store's own writes exclude this, so another program has written to the file. */
function unexpected(what: string, value: unknown): InvariantError {
  return new InvariantError(`expected ${what} in the SQLite file, got ${String(value)}`)
}
