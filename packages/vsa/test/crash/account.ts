import type { ListedRow } from '../../src/core/store.ts'
import { trialBalance } from '../../src/core/trial-balance.ts'
import { openUnits, type Tally } from './tally.ts'

/** Everything that the laws say of one budget, after crashes. */
export interface Account {
  readonly row: ListedRow
  readonly tally: Tally
  /** The units of a policy: what B is. */
  readonly limit: number
  /** 0 for a durable budget. */
  readonly atRisk: number
  readonly burnMax: number
  /** Ends of epochs that were no close: kills, and pauses beyond the lease. */
  readonly deaths: number
  /** Owners alive at once, at most. */
  readonly owners: number
}

/** What is wrong with an account, by law; empty when everything holds. To the unit: nothing here is a tolerance. */
export function faultsOf(account: Account): string[] {
  const { row, tally, limit, atRisk, burnMax, deaths, owners } = account
  const { budget, leases } = row
  const { minted, used, burned } = budget
  const held = leases.reduce((sum, lease) => sum + lease.held, 0)
  const told = tally.admitted - tally.refunded
  const faults = trialBalance(row).faults.map((fault) => `L2: ${fault}`)
  const expect = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`${fault} ${JSON.stringify({ ...budget, held, ...tally })}`)
  }
  expect(minted === limit, 'L1: minted is not the limit')
  expect(told <= minted, 'L1: more was admitted than was minted')
  // Every unit that a caller was told of is settled, burned, or still leased to somebody who may have spent it.
  expect(told <= used + burned + held, 'L1: the books do not cover what callers were told')
  // Nothing is settled that nobody asked for: what was told, and what was asked for and not answered when the process died.
  expect(used <= tally.admitted + openUnits(tally), 'L3: more was settled than was ever asked for')
  expect(burned <= deaths * atRisk, 'L4: a death burned more than atRisk')
  expect(burned <= burnMax + owners * atRisk, 'L4: more burned than burnMax and one atRisk for each owner')
  for (const lease of leases) expect(lease.held <= atRisk, `L4: the lease of epoch ${lease.epoch} is above atRisk`)
  return faults
}
