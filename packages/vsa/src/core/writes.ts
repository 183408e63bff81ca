import type { Writes } from './adapter.ts'

/** `changes`, and nothing else. */
export function writesOf(time: number, changes: Partial<Omit<Writes, 'time'>>): Writes {
  return {
    time,
    owners: [],
    budgets: [],
    leases: [],
    mints: [],
    counters: [],
    removedBudgets: [],
    removedOwners: [],
    burnedOut: [],
    ...changes,
  }
}
