import type { PrunableRow } from '../../core/written-rows.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Outcome, RowName } from '../../core/exchange.ts'
import { type ReservationName, sweepAtOf } from '../../core/reservations/names.ts'
import { decodeLots, encodeLots } from '../../core/reservations/stored-lots.ts'
import type { BudgetRow, LeaseRow, OwnerRow, ReservationRow } from '../../core/rows.ts'
import type { Row, Value } from './client/driver.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'

export const OWNER_COLUMNS = 'epoch, token, label, state, seq, outcome, seen_at, expires_at, lease_ttl_ms, process'
/** The number of those columns. */
export const OWNER_WIDTH: number = OWNER_COLUMNS.split(', ').length
export const BUDGET_COLUMNS =
  'key, period, kind, minted, used, pool, burned, limit_units, burn_max, version, wanted_until, ends_at, keep_until, reserved, resets'
/** The number of those columns. */
export const BUDGET_WIDTH: number = BUDGET_COLUMNS.split(', ').length
export const RESERVATION_COLUMNS = 'key, id, made_as, request, on_expire, lots'

/** Columns of {@link OWNER_COLUMNS}, from `at` on. */
export function ownerFrom(row: Row, at = 0): OwnerRow {
  return {
    epoch: integer(row[at]),
    token: decodeText(text(row[at + 1])),
    label: decodeText(text(row[at + 2])),
    state: oneOf(row[at + 3], 'open', 'closed'),
    seq: integer(row[at + 4]),
    // The store writes only an `Outcome` to this column.
    outcome: JSON.parse(text(row[at + 5])) as Outcome,
    seenAt: integer(row[at + 6]),
    expiresAt: integer(row[at + 7]),
    leaseTtlMs: integer(row[at + 8]),
    process: row[at + 9] === null ? null : decodeText(text(row[at + 9])),
  }
}

export function ownerValues(owner: OwnerRow): readonly Value[] {
  const { epoch, token, label, state, seq, outcome, seenAt, expiresAt, leaseTtlMs, process } = owner
  const names = [encodeText(token), encodeText(label)]
  const identity = process === null ? null : encodeText(process)
  return [epoch, ...names, state, seq, JSON.stringify(outcome), seenAt, expiresAt, leaseTtlMs, identity]
}

/** Columns of {@link BUDGET_COLUMNS}. */
export function budgetFrom(row: Row): BudgetRow {
  return {
    key: decodeText(text(row[0])),
    period: integer(row[1]),
    kind: oneOf(row[2], 'initial', 'window'),
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

export function budgetValues(row: BudgetRow): readonly Value[] {
  const { key, period, kind, minted, used, pool, burned, limit, burnMax, version, wantedUntil, endsAt, keepUntil } = row
  const { reserved, resets } = row
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
    reserved,
    resets,
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

/** Columns `key, period, ends_at`. */
export function prunableFrom(row: Row): PrunableRow {
  return { ...rowNameFrom(row), endsAt: integerOrNull(row[2]) }
}

/** Columns of {@link RESERVATION_COLUMNS}, from `at` on. @throws InvariantError */
export function reservationFrom(row: Row, at = 0): ReservationRow {
  return {
    key: decodeText(text(row[at])),
    id: decodeText(text(row[at + 1])),
    as: oneOf(row[at + 2], 'reservation', 'admission'),
    request: decodeText(text(row[at + 3])),
    onExpire: oneOf(row[at + 4], 'return', 'capture'),
    lots: decodeLots(text(row[at + 5])),
  }
}

/** The first two of those columns. */
export function reservationNameFrom(row: Row): ReservationName {
  return { key: decodeText(text(row[0])), id: decodeText(text(row[1])) }
}

/** Those columns, and `sweep_at`. */
export function reservationValues(row: ReservationRow): readonly Value[] {
  const { key, id, as, request, onExpire, lots } = row
  return [encodeText(key), encodeText(id), as, encodeText(request), onExpire, encodeLots(lots), sweepAtOf(row)]
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

export function integerOrNull(value: unknown): number | null {
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
