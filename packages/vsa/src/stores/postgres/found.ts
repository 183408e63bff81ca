import { InvariantError } from '../../core/errors.ts'
import type { RowName } from '../../core/exchange.ts'
import type { BudgetRow, LeaseRow } from '../../core/rows.ts'
import { encodeText } from '../../core/stored-text.ts'
import { budgetFrom, integer, leaseFrom, list, nameOf, STUB, text } from './rows.ts'

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

export interface FoundBudget extends Leased {
  /** Not read yet, so that one damaged row does not hide the others. */
  readonly row: unknown
  readonly isStub: boolean
  readonly held: number
  /** Of a row that may be made: columns `limit_units`, `burn_max` and `version` of the row before it (P2); null for none. */
  readonly earlier: unknown
}

/** A budget row with its columns `leased` and `lessees`, and this epoch's lease; under its name as it is stored. */
export function foundBudget(value: unknown): readonly [name: string, budget: FoundBudget] {
  const [row, leased, lessees, held, earlier = null] = list(value)
  const [key, period, kind] = list(row)
  const sums = { leased: integer(leased), lessees: integer(lessees), held: integer(held) }
  return [`${integer(period)}:${text(key)}`, { row, isStub: kind === STUB, ...sums, earlier }]
}

/** In the maps of {@link foundBudget}. */
export function encodedNameOf({ key, period }: RowName): string {
  return `${period}:${encodeText(key)}`
}

/** Null for a row that cannot be read, so that the others are worked on. */
export function readable(value: unknown): BudgetRow | null {
  try {
    return budgetFrom(value)
  } catch (error) {
    if (error instanceof InvariantError) return null
    throw error
  }
}

/** Columns `key, period, epoch, held` of several leases, by the name of their row. */
export function leasesByRow(value: unknown): ReadonlyMap<string, readonly LeaseRow[]> {
  const rows = new Map<string, LeaseRow[]>()
  for (const lease of rowsOf(value).map(leaseFrom)) {
    const onRow = rows.get(nameOf(lease))
    if (onRow === undefined) rows.set(nameOf(lease), [lease])
    else onRow.push(lease)
  }
  return rows
}

/** Pairs of a text and a number. */
export function numbersByText(value: unknown): ReadonlyMap<string, number> {
  return new Map(
    rowsOf(value).map((pair) => {
      const [name, number] = list(pair)
      return [text(name), integer(number)]
    }),
  )
}

/** `json_agg` of no rows is null. */
export function rowsOf(value: unknown): readonly unknown[] {
  return value === null ? [] : list(value)
}
