import type { RowName } from '../../core/exchange.ts'
import type { BudgetRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange } from '../../core/store.ts'
import { assertWhole } from '../../core/units.ts'
import { nameLiteral } from './literals.ts'
import type { PostgresPool } from './pool.ts'
import { budgetFrom, leaseFrom, list, nameOf, ownerFrom } from './rows.ts'
import * as sql from './sql.ts'
import { answerOf } from './transaction.ts'

/** Smaller than every key and every period. */
const BEFORE_ALL: RowName = { key: '', period: Number.MIN_SAFE_INTEGER }
/** The most rows of one page, which is read as one value. */
const PAGE_ROWS_MAX = 10_000

/** One page of budgets with their leases, keys in the order of their UTF-8 bytes. @throws TypeError, RangeError for a bad limit */
export async function listBudgets(pool: PostgresPool, schema: string, range: ListRange): Promise<ListPage> {
  const { key, after = BEFORE_ALL, limit } = range
  assertWhole('limit', limit, { min: 1, max: PAGE_ROWS_MAX, of: 'rows' })
  const answer = list(await answerOf(pool, schema, sql.listBudgets(nameLiteral(schema), key, after, limit)))
  const leases = new Map<string, LeaseRow[]>()
  for (const lease of list(answer[1] ?? []).map(leaseFrom)) {
    const onRow = leases.get(nameOf(lease))
    if (onRow === undefined) leases.set(nameOf(lease), [lease])
    else onRow.push(lease)
  }
  const budgets = list(answer[0] ?? []).map(budgetFrom)
  return { rows: budgets.map((budget) => ({ budget, leases: leases.get(nameOf(budget)) ?? [] })) }
}

/** Every owner row, oldest first. */
export async function listOwners(pool: PostgresPool, schema: string): Promise<readonly OwnerRow[]> {
  return list(await answerOf(pool, schema, sql.owners(nameLiteral(schema)))).map(ownerFrom)
}

/** The rows that exist, in the order of the names. */
export async function readBudgets(
  pool: PostgresPool,
  schema: string,
  names: readonly RowName[],
): Promise<readonly BudgetRow[]> {
  return list(await answerOf(pool, schema, sql.readBudgets(nameLiteral(schema), names))).map(budgetFrom)
}
