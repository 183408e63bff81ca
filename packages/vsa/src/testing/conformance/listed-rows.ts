import { invariant } from '../../core/errors.ts'
import type { ListedRow, Store } from '../../core/store.ts'

/** Rows of one page. Few, so that every test needs several pages. */
const PAGE_ROWS = 7

/** Every row that the store lists, page by page. */
export async function allRows(store: Store): Promise<readonly ListedRow[]> {
  const rows: ListedRow[] = []
  for (;;) {
    const last = rows.at(-1)?.budget
    const range = last === undefined ? {} : { after: { key: last.key, period: last.period } }
    const page = await store.list({ ...range, limit: PAGE_ROWS })
    rows.push(...page.rows)
    if (page.rows.length < PAGE_ROWS) return rows
  }
}

/** L2. @throws an error that names the first row that does not balance, or whose leases are not one per epoch and above 0 */
export function assertBalanced(rows: readonly ListedRow[]): void {
  for (const row of rows) {
    assertTrialBalance(row)
    assertLeases(row)
  }
}

function assertTrialBalance({ budget, leases }: ListedRow): void {
  const { key, period, minted, used, reserved, pool, burned } = budget
  // BigInt, because the sum may exceed the safe integers.
  const held = leases.reduce((sum, lease) => sum + BigInt(lease.held), 0n)
  const sum = BigInt(used) + BigInt(reserved) + BigInt(pool) + BigInt(burned) + held
  invariant(
    BigInt(minted) === sum &&
      [minted, used, reserved, burned].every((units) => Number.isSafeInteger(units) && units >= 0),
    `L2: ${JSON.stringify(key)}, period ${period}: minted ${minted} is not used ${used} + reserved ${reserved} + pool ${pool} + burned ${burned} + held ${held}`,
  )
}

function assertLeases({ budget, leases }: ListedRow): void {
  const epochs = new Set(leases.map((lease) => lease.epoch))
  invariant(
    epochs.size === leases.length && leases.every((lease) => lease.held > 0),
    `a lease of 0 units, or two leases of one epoch, on ${JSON.stringify(budget.key)}`,
  )
}
