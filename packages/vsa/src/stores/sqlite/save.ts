import type {
  BudgetWrite,
  Deletion,
  OwnerWrite,
  PrunableRow,
  ReservationWrite,
  Writes,
} from '../../core/written-rows.ts'
import { deletedKeysFrom, FORGOTTEN_KEYS_MAX } from '../../core/deleted-keys.ts'
import { keysOf, sweepAtOf } from '../../core/reservations/names.ts'
import { encodeLots } from '../../core/reservations/stored-lots.ts'
import type { LeaseRow, OwnerRow, ReservationRow } from '../../core/rows.ts'
import { PERIOD_SLACK_MS } from '../../core/settle-entry.ts'
import type { StatementCache } from './client/statement-cache.ts'
import { encodeText } from '../../core/stored-text.ts'
import type { Source } from './load-entries.ts'
import { budgetValues, ownerValues, reservationValues } from './rows.ts'
import * as sql from './sql.ts'

/** Applies all writes, inside a write transaction of the caller. */
export function save({ statements, cache }: Source, writes: Writes): void {
  const { budgets, leases, mints, counters, reservations, removedReservations } = writes
  const { removedBudgets, deletion, heardDeletions, removedOwners, burnedOut, leap } = writes
  for (const write of budgets) saveBudget(statements, write)
  for (const lease of leases) saveLease(statements, lease)
  for (const { key, id, units } of mints)
    statements.statement(sql.SAVE_MINT).run([encodeText(key), encodeText(id), units])
  for (const { key, value } of counters) statements.statement(sql.SAVE_COUNTER).run([encodeText(key), value])
  for (const write of reservations) saveReservation(statements, write)
  for (const row of removedReservations) removeReservation(statements, row)
  for (const { key, period } of removedBudgets) statements.statement(sql.REMOVE_BUDGET).run([encodeText(key), period])
  if (removedBudgets.length > 0) statements.statement(sql.RAISE_PRUNED).run([remakableUntil(removedBudgets)])
  if (leap !== null) statements.statement(sql.SAVE_LEAP).run([leap.from, leap.at, leap.until])
  if (deletion !== null) saveDeletion(statements, deletion, writes.time)
  for (const { key, period, epoch } of heardDeletions)
    statements.statement(sql.HEAR_DELETION).run([epoch, encodeText(key), period])
  for (const epoch of removedOwners) {
    statements.statement(sql.REMOVE_OWNER).run([epoch])
    statements.statement(sql.FORGET_DELETIONS).run([epoch])
  }
  for (const epoch of burnedOut) statements.statement(sql.BURNED_OUT).run([epoch])
  for (const write of writes.owners) saveOwner(statements, write, cache.owner(write.row.epoch))
  // An open owner's `seen_at` records the time seen. Where none has this time, the time must be stored separately.
  if (writes.owners.every(({ change, row }) => change === 'closed' || row.seenAt < writes.time))
    statements.statement(sql.RAISE_TIME).run([writes.time])
}

/** P6 @param time store time of the deletion, ms since 1970 */
function saveDeletion(statements: StatementCache, { key, budgets, leases, mints }: Deletion, time: number): void {
  const text = encodeText(key)
  statements.statement(sql.SAVE_DELETED_KEY).run([text, time])
  statements.statement(sql.FORGET_DELETED_KEYS).run([deletedKeysFrom(time), FORGOTTEN_KEYS_MAX])
  for (const { period, epoch } of leases) {
    statements.statement(sql.REMOVE_LEASE).run([text, period, epoch])
    statements.statement(sql.SAVE_DELETED_LEASE).run([epoch, text, period])
  }
  for (const { period } of budgets) statements.statement(sql.REMOVE_BUDGET).run([text, period])
  for (const { id } of mints) statements.statement(sql.REMOVE_MINT).run([text, encodeText(id)])
}

/** The store time from which none of the rows can be made again (S4): `repairClock` goes back no further. */
function remakableUntil(rows: readonly PrunableRow[]): number {
  return rows.reduce((until, { endsAt }) => Math.max(until, (endsAt ?? 0) + PERIOD_SLACK_MS), 0)
}

function saveBudget(statements: StatementCache, { change, row }: BudgetWrite): void {
  if (change === 'settled') {
    const { minted, used, pool, burned, reserved, key, period } = row
    statements.statement(sql.SETTLE_BUDGET).run([minted, used, pool, burned, reserved, encodeText(key), period])
  } else {
    statements.statement(sql.SAVE_BUDGET).run(budgetValues(row))
  }
}

function saveLease(statements: StatementCache, { key, period, epoch, held }: LeaseRow): void {
  if (held > 0) statements.statement(sql.SAVE_LEASE).run([encodeText(key), period, epoch, held])
  else statements.statement(sql.REMOVE_LEASE).run([encodeText(key), period, epoch])
}

/** Every key of a reservation but the first is in a table of its own. */
function saveReservation(statements: StatementCache, { change, row }: ReservationWrite): void {
  const [key, id] = [encodeText(row.key), encodeText(row.id)]
  if (change === 'changed') {
    statements.statement(sql.CHANGE_RESERVATION).run([encodeLots(row.lots), sweepAtOf(row), key, id])
    return
  }
  statements.statement(sql.INSERT_RESERVATION).run(reservationValues(row))
  for (const other of keysOf(row).slice(1))
    statements.statement(sql.INSERT_RESERVATION_KEY).run([encodeText(other), id, key])
}

function removeReservation(statements: StatementCache, row: ReservationRow): void {
  const id = encodeText(row.id)
  statements.statement(sql.REMOVE_RESERVATION).run([encodeText(row.key), id])
  for (const other of keysOf(row).slice(1))
    statements.statement(sql.REMOVE_RESERVATION_KEY).run([encodeText(other), id])
}

/** @param kept the row as the file has it; undefined where that is not known */
function saveOwner(statements: StatementCache, { change, row }: OwnerWrite, kept: OwnerRow | undefined): void {
  switch (change) {
    case 'opened':
      statements.statement(sql.RAISE_EPOCH).run([row.epoch])
      statements.statement(sql.INSERT_OWNER).run([...ownerValues(row), 0])
      return
    case 'renewed':
      if (kept?.seenAt === row.seenAt && kept.expiresAt === row.expiresAt) {
        statements.statement(sql.RENEW_OWNER_AGAIN).run([row.seq, JSON.stringify(row.outcome), row.epoch])
        return
      }
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
