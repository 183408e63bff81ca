import type { BudgetRow, ListedRow } from '../../../packages/vsa/dist/index.js'
import { must } from './violation.ts'

/** One budget row and the leases on it, as the store lists them. */
export interface RowView {
  readonly budget: BudgetRow
  /** Units by epoch. */
  readonly leases: ReadonlyMap<number, number>
}

/** A row before a transaction and after it. */
export interface RowChange {
  readonly name: string
  /** Undefined when the transaction created the row. */
  readonly was: RowView | undefined
  readonly row: RowView
}

export function rowViewOf({ budget, leases }: ListedRow): RowView {
  return { budget, leases: new Map(leases.map(({ epoch, held }) => [epoch, held])) }
}

export function heldOn({ leases }: RowView): number {
  let sum = 0
  for (const held of leases.values()) sum += held
  return sum
}

/** L2, and every amount in its range. */
export function assertBalanced(row: RowView): void {
  const { key, period, minted, used, reserved, pool, burned } = row.budget
  const held = heldOn(row)
  const text = (): string =>
    `${JSON.stringify(key)} ${period}: ${JSON.stringify({ minted, used, reserved, pool, burned, held })}`
  must(minted - used - reserved - burned - held === pool, 'L2', () => `the figures do not add up, ${text()}`)
  must(isUnits(minted) && isUnits(used) && isUnits(burned), 'L2', () => `an amount out of range, ${text()}`)
  must(isUnits(reserved), 'L2', () => `an amount out of range, ${text()}`)
  must(Number.isSafeInteger(pool), 'L2', () => `a pool out of range, ${text()}`)
  for (const units of row.leases.values())
    must(isUnits(units) && units > 0, 'L2', () => `a lease of ${units}, ${text()}`)
}

function isUnits(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

export function isSame({ was, row }: RowChange): boolean {
  if (was === undefined) return false
  if (was.budget !== row.budget && JSON.stringify(was.budget) !== JSON.stringify(row.budget)) return false
  if (was.leases.size !== row.leases.size) return false
  for (const [epoch, held] of was.leases) if (row.leases.get(epoch) !== held) return false
  return true
}
