import type { BudgetWrite, OwnerWrite, PrunableRow, Writes } from '../../core/adapter.ts'
import type { LeaseRow } from '../../core/rows.ts'
import { PERIOD_SLACK_MS } from '../../core/settle-entry.ts'
import type { StatementCache } from './client/statement-cache.ts'
import { encodeText } from '../../core/stored-text.ts'
import { budgetValues, ownerValues } from './rows.ts'
import * as sql from './sql.ts'

/** Applies all writes, inside a write transaction of the caller. */
export function save(statements: StatementCache, writes: Writes): void {
  const { budgets, leases, mints, counters, removedBudgets, removedOwners, burnedOut, leap } = writes
  for (const write of budgets) saveBudget(statements, write)
  for (const lease of leases) saveLease(statements, lease)
  for (const { key, id, units } of mints)
    statements.statement(sql.SAVE_MINT).run([encodeText(key), encodeText(id), units])
  for (const { key, value } of counters) statements.statement(sql.SAVE_COUNTER).run([encodeText(key), value])
  for (const { key, period } of removedBudgets) statements.statement(sql.REMOVE_BUDGET).run([encodeText(key), period])
  if (removedBudgets.length > 0) statements.statement(sql.RAISE_PRUNED).run([remakableUntil(removedBudgets)])
  if (leap !== null) statements.statement(sql.SAVE_LEAP).run([leap.from, leap.at, leap.until])
  for (const epoch of removedOwners) statements.statement(sql.REMOVE_OWNER).run([epoch])
  for (const epoch of burnedOut) statements.statement(sql.BURNED_OUT).run([epoch])
  for (const write of writes.owners) saveOwner(statements, write)
  // An open owner's `seen_at` records the time seen. Where none has this time, the time must be stored separately.
  if (writes.owners.every(({ change, row }) => change === 'closed' || row.seenAt < writes.time))
    statements.statement(sql.RAISE_TIME).run([writes.time])
}

/** The store time from which none of the rows can be made again (S4): `repairClock` goes back no further. */
function remakableUntil(rows: readonly PrunableRow[]): number {
  return rows.reduce((until, { endsAt }) => Math.max(until, (endsAt ?? 0) + PERIOD_SLACK_MS), 0)
}

function saveBudget(statements: StatementCache, { change, row }: BudgetWrite): void {
  if (change === 'settled') {
    const { minted, used, pool, burned, key, period } = row
    statements.statement(sql.SETTLE_BUDGET).run([minted, used, pool, burned, encodeText(key), period])
  } else {
    statements.statement(sql.SAVE_BUDGET).run(budgetValues(row))
  }
}

function saveLease(statements: StatementCache, { key, period, epoch, held }: LeaseRow): void {
  if (held > 0) statements.statement(sql.SAVE_LEASE).run([encodeText(key), period, epoch, held])
  else statements.statement(sql.REMOVE_LEASE).run([encodeText(key), period, epoch])
}

function saveOwner(statements: StatementCache, { change, row }: OwnerWrite): void {
  switch (change) {
    case 'opened':
      statements.statement(sql.RAISE_EPOCH).run([row.epoch])
      statements.statement(sql.INSERT_OWNER).run([...ownerValues(row), 0])
      return
    case 'renewed':
      statements
        .statement(sql.RENEW_OWNER)
        .run([row.seq, JSON.stringify(row.outcome), row.seenAt, row.expiresAt, row.epoch])
      return
    case 'closed':
      statements
        .statement(sql.CLOSE_OWNER)
        .run([row.seq, JSON.stringify(row.outcome), row.seenAt, row.expiresAt, row.epoch])
  }
}
