import type { ListedRow } from 'vsa'
import { openUnits, type Tally } from './tallies.ts'

/** Everything that the laws say of one row, after crashes. */
export interface Account {
  readonly row: ListedRow
  /** Of a row of many: `intended` and `denied` are those of the whole key, because an intent knows no period. */
  readonly tally: Tally
  /** The units of a policy, and what was minted: what B is. */
  readonly limit: number
  /** 0 for a durable budget. */
  readonly atRisk: number
  readonly burnMax: number
  /** Ends of epochs that were no close: kills, and pauses beyond the lease. */
  readonly deaths: number
  /** Owners alive at once, at most. */
  readonly owners: number
}

/**
 * What is wrong with an account, by law; empty when everything holds. To the unit: nothing here is a tolerance.
 *
 * None of it is about time: with wrong clocks owners are reaped early or late, and rows begin and end early or late, but a row is a row.
 */
export function faultsOf(account: Account): string[] {
  const { row, tally, limit, atRisk, burnMax, deaths, owners } = account
  const { minted, used, burned } = row.budget
  const held = heldOn(row)
  const told = tally.admitted - tally.refunded
  const faults = bookFaults(row, atRisk)
  const expect = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`${fault} ${JSON.stringify({ ...row.budget, held, ...tally })}`)
  }
  expect(minted === limit, 'L1: minted is not the limit')
  expect(told <= minted, 'L1: more was admitted than was minted')
  // Every unit that a caller was told of is settled, burned, or still leased to somebody who may have spent it.
  expect(told <= used + burned + held, 'L1: the books do not cover what callers were told')
  // Nothing is settled that nobody asked for: what was told, and what was asked for and not answered when the process died.
  expect(used <= tally.admitted + openUnits(tally), 'L3: more was settled than was ever asked for')
  expect(burned <= deaths * atRisk, 'L4: a death burned more than atRisk')
  expect(burned <= burnMax + owners * atRisk, 'L4: more burned than burnMax and one atRisk for each owner')
  // A refund that the store never accepted is in the tally as refused, unless its process died with it.
  if (deaths === 0) expect(used === told + tally.refused, 'L3: used is not what was admitted and not refunded')
  return faults
}

/** What must hold at any moment, whoever lives or dies. Computed here, and not by the code that is checked. */
export function bookFaults({ budget, leases }: ListedRow, atRisk: number): string[] {
  const { key, period, minted, used, pool, burned } = budget
  const held = heldOn({ budget, leases })
  const place = `${key} ${period}`
  const faults: string[] = []
  for (const [name, units] of Object.entries({ minted, used, pool, burned, held })) {
    // No limit is lowered here, so the pool is never below 0 either.
    if (!Number.isSafeInteger(units) || units < 0) faults.push(`L2: ${place}: ${name} is ${units}`)
  }
  const difference = minted - used - pool - burned - held
  if (difference !== 0)
    faults.push(`L2: ${place}: minted is not used + pool + burned + held; the difference is ${difference}`)
  for (const lease of leases) {
    if (lease.held < 1) faults.push(`L2: ${place}: the lease of epoch ${lease.epoch} holds ${lease.held}`)
    if (lease.held > atRisk)
      faults.push(`L4: the lease of epoch ${lease.epoch} on ${place} is above atRisk: ${lease.held}`)
  }
  return faults
}

/** What must hold from one look at a row to the next: nothing is unburned, nothing unminted, and no lease grows once `burnMax` has burned (S5). */
export function stepFaults(before: ListedRow, after: ListedRow, burnMax: number): string[] {
  const { key, period, burned, minted } = after.budget
  const place = `${key} ${period}`
  const faults: string[] = []
  if (burned < before.budget.burned) faults.push(`S8: ${place}: burned fell from ${before.budget.burned} to ${burned}`)
  if (minted < before.budget.minted) faults.push(`L1: ${place}: minted fell from ${before.budget.minted} to ${minted}`)
  if (before.budget.burned < burnMax) return faults
  for (const { epoch, held } of after.leases) {
    const heldBefore = before.leases.find((lease) => lease.epoch === epoch)?.held ?? 0
    if (held > heldBefore)
      faults.push(
        `S5: ${place}: the lease of epoch ${epoch} grew from ${heldBefore} to ${held} after burnMax had burned`,
      )
  }
  return faults
}

function heldOn({ leases }: ListedRow): number {
  return leases.reduce((sum, lease) => sum + lease.held, 0)
}
