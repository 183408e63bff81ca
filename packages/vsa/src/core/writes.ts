import type { Writes } from './written-rows.ts'

/** Writes with the given changes only. */
export function writesOf(time: number, changes: Partial<Omit<Writes, 'time'>>): Writes {
  return {
    time,
    owners: [],
    budgets: [],
    leases: [],
    mints: [],
    counters: [],
    reservations: [],
    removedReservations: [],
    removedIntents: [],
    droppedIntents: [],
    removedBudgets: [],
    deletion: null,
    heardDeletions: [],
    removedOwners: [],
    burnedOut: [],
    leap: null,
    life: null,
    ...changes,
  }
}
