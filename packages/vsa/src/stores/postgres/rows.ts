import type { PrunableRow } from '../../core/written-rows.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Outcome, RowName } from '../../core/exchange.ts'
import type { BudgetRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import { decodeText } from '../../core/stored-text.ts'

/* Rows as they come in an answer: JSON arrays, in the order of these columns. */

export const OWNER_COLUMNS = 'epoch, token, label, is_open, seq, outcome, seen_at, expires_at, lease_ttl_ms'
/** The number of those columns. */
export const OWNER_WIDTH: number = OWNER_COLUMNS.split(', ').length
export const BUDGET_COLUMNS =
  'key, period, kind, minted, used, pool, burned, limit_units, burn_max, version, wanted_until, ends_at, keep_until, reserved, resets'
/** The clock of the server, where a statement of the transaction has kept it: ms since 1970. */
export const CLOCK = `current_setting('vsa.clock')::bigint`
/** The kind of a row that holds the lock of one that may be made. */
export const STUB = 's'

/** Columns as JSON, for a statement. @param table its alias */
export function jsonOf(table: string, columns: string, more = ''): string {
  const named = columns.split(', ').map((column) => `${table}.${column}`)
  return `json_build_array(${named.join(', ')}${more})`
}

/** Columns of {@link OWNER_COLUMNS}. */
export function ownerFrom(value: unknown): OwnerRow {
  const row = list(value)
  return {
    epoch: integer(row[0]),
    token: decodeText(text(row[1])),
    label: decodeText(text(row[2])),
    state: row[3] === true ? 'open' : 'closed',
    seq: integer(row[4]),
    // The store writes only an `Outcome` to this column.
    outcome: JSON.parse(text(row[5])) as Outcome,
    seenAt: integer(row[6]),
    expiresAt: integer(row[7]),
    leaseTtlMs: integer(row[8]),
    // A server cannot see the processes of its clients.
    process: null,
  }
}

/** Columns of {@link BUDGET_COLUMNS}. */
export function budgetFrom(value: unknown): BudgetRow {
  const row = list(value)
  return {
    key: decodeText(text(row[0])),
    period: integer(row[1]),
    kind: kindFrom(row[2]),
    minted: integer(row[3]),
    used: integer(row[4]),
    reserved: integer(row[13]),
    pool: integer(row[5]),
    burned: integer(row[6]),
    limit: integer(row[7]),
    burnMax: integer(row[8]),
    version: integer(row[9]),
    resets: integer(row[14]),
    wantedUntil: integer(row[10]),
    endsAt: integerOrNull(row[11]),
    keepUntil: integerOrNull(row[12]),
  }
}

/** Columns `key, period, epoch, held`. */
export function leaseFrom(value: unknown): LeaseRow {
  const row = list(value)
  return { ...rowNameFrom(row), epoch: integer(row[2]), held: integer(row[3]) }
}

/** Columns `key, period`. */
export function rowNameFrom(value: unknown): RowName {
  const row = list(value)
  return { key: decodeText(text(row[0])), period: integer(row[1]) }
}

/** Columns `key, period, ends_at`. */
export function prunableFrom(value: unknown): PrunableRow {
  const row = list(value)
  return { ...rowNameFrom(row), endsAt: integerOrNull(row[2]) }
}

/** One name for the row of a budget, in maps. */
export function nameOf({ key, period }: RowName): string {
  return `${period}:${key}`
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected('a list', value)
  return value
}

export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unexpected('an integer', value)
  // A safe integer is a number: TypeScript does not narrow by `Number.isSafeInteger`.
  return value as number
}

export function integerOrNull(value: unknown): number | null {
  return value === null ? null : integer(value)
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw unexpected('text', value)
  return value
}

function kindFrom(value: unknown): BudgetRow['kind'] {
  if (value === 'i') return 'initial'
  if (value !== 'w') throw unexpected('i or w', value)
  return 'window'
}

/** The tables' checks and this store's own writes exclude this, so another program has written to them. */
function unexpected(what: string, value: unknown): InvariantError {
  return new InvariantError(`expected ${what} in Postgres, got ${String(value)}`)
}
