import type { Writes } from '../../core/written-rows.ts'
import type { MemoryRows } from './rows.ts'

/** Applies all writes. No step can fail half-way. */
export function save(rows: MemoryRows, writes: Writes): void {
  rows.keepTime(writes.time)
  // The outcome is copied: the answer has the same object, and its caller may change it.
  for (const { row } of writes.owners) rows.saveOwner({ ...row, outcome: structuredClone(row.outcome) })
  for (const { row } of writes.budgets) rows.saveBudget(row)
  for (const lease of writes.leases) rows.saveLease(lease)
  for (const { key, id, units } of writes.mints) rows.saveMint(key, id, units)
  for (const { key, value } of writes.counters) rows.saveCounter(key, value)
  for (const { row } of writes.reservations) rows.saveReservation(row)
  for (const row of writes.removedReservations) rows.removeReservation(row)
  if (writes.leap !== null) rows.leap = writes.leap
  for (const row of writes.removedBudgets) rows.removeBudget(row)
  if (writes.deletion !== null) rows.saveDeletion(writes.deletion, writes.time)
  for (const lease of writes.heardDeletions) rows.hearDeletion(lease)
  for (const epoch of writes.removedOwners) rows.removeOwner(epoch)
}
