import { InvariantError } from '../../core/errors.ts'
import type { RowName } from '../../core/exchange.ts'
import type { LeaseRow } from '../../core/rows.ts'
import { encodeText } from '../../core/stored-text.ts'
import { integer, leaseFrom, list, nameOf, rowNameFrom, STUB, text } from './rows.ts'

/* What the loads find, and what a save must know of it. */

/** The sum and the number of the leases on a row, as its columns have them. */
export interface Leased {
  readonly leased: number
  readonly lessees: number
}

/** What a save must know of the rows that were loaded. */
export interface Locked {
  /** By name of the row. */
  readonly leased: ReadonlyMap<string, Leased>
  /** Units by name of the row and epoch. */
  readonly held: ReadonlyMap<string, number>
  /** Rows that hold the lock of one that may be made. */
  readonly stubs: readonly RowName[]
}

export const NO_LOCKS: Locked = { leased: new Map(), held: new Map(), stubs: [] }

/** The name of a lease, in maps. */
export function leaseNameOf(row: RowName, epoch: number): string {
  return `${epoch}:${nameOf(row)}`
}

/** What is not read yet, so that one damaged row does not hide the others. @throws InvariantError when it cannot be read */
export type Unread<Value> = () => Value

export interface FoundBudget {
  readonly row: unknown
  readonly isStub: boolean
  /** Of all leases on the row, and of the one of this epoch. */
  readonly sums: Unread<Leased & { readonly held: number }>
  /** Of a row that may be made: columns `limit_units`, `burn_max` and `version` of the row before it (P2); null for none. */
  readonly earlier: unknown
}

/** A budget row with its columns `leased` and `lessees`, and this epoch's lease; under its name as it is stored. */
export function foundBudget(value: unknown): readonly [name: string, budget: FoundBudget] {
  const [row, leased, lessees, held, earlier = null] = list(value)
  const [key, period, kind] = list(row)
  const sums: FoundBudget['sums'] = () => ({ leased: integer(leased), lessees: integer(lessees), held: integer(held) })
  return [`${integer(period)}:${text(key)}`, { row, isStub: kind === STUB, sums, earlier }]
}

/** In the maps of {@link foundBudget}. */
export function encodedNameOf({ key, period }: RowName): string {
  return `${period}:${encodeText(key)}`
}

/** Null for what cannot be read, so that the rest is worked on. */
export function readable<Value>(read: Unread<Value>): Value | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvariantError) return null
    throw error
  }
}

/** Columns `key, period, epoch, held` of several leases, by the name of their row. */
export function leasesByRow(value: unknown): ReadonlyMap<string, Unread<readonly LeaseRow[]>> {
  const rows = new Map<string, unknown[]>()
  for (const lease of rowsOf(value)) {
    const name = nameOf(rowNameFrom(lease))
    const onRow = rows.get(name)
    if (onRow === undefined) rows.set(name, [lease])
    else onRow.push(lease)
  }
  return new Map([...rows].map(([name, leases]) => [name, () => leases.map(leaseFrom)]))
}

/** Pairs of a text and a number. */
export function numbersByText(value: unknown): ReadonlyMap<string, Unread<number>> {
  return new Map(
    rowsOf(value).map((pair) => {
      const [name, number] = list(pair)
      return [text(name), () => integer(number)]
    }),
  )
}

/** Of a column with a time: one that cannot be read is late. */
export function isAfter(column: unknown, time: number): boolean {
  return Number(column) > time
}

/** `json_agg` of no rows is null. */
export function rowsOf(value: unknown): readonly unknown[] {
  return value === null ? [] : list(value)
}
