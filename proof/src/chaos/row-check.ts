import type { ListedRow } from 'vsa'
import { unansweredUnits, type BudgetTotals } from './call-totals.ts'

/** A row, with everything that the laws compare it to. */
export interface RowEvidence {
  readonly row: ListedRow
  /** For a budget with several rows, `requested` and `denied` are those of the whole key: the period of a request is not logged. */
  readonly totals: BudgetTotals
  /** Units of the policy, and what was minted. */
  readonly limit: number
  /** 0 for a durable budget. */
  readonly atRisk: number
  readonly burnMax: number
  /** Epochs that ended without a close: kills, and pauses longer than the lease. */
  readonly deaths: number
  /** The most owners that can have held leases at the same time. */
  readonly ownersMax: number
}

/**
 * The laws that a row breaks after the run; empty when all hold. Exact: there is no tolerance.
 *
 * No check depends on time. With wrong clocks, owners are reaped and rows begin and end early or late, but the units of a row still add up.
 */
export function rowViolations(evidence: RowEvidence): string[] {
  const { row, totals, limit, atRisk, burnMax, deaths, ownersMax } = evidence
  const { minted, used, burned } = row.budget
  const held = heldOn(row)
  const net = totals.admitted - totals.refunded
  const violations = snapshotViolations(row, atRisk)
  const expect = (holds: boolean, text: string): void => {
    if (!holds) violations.push(`${text} ${JSON.stringify({ ...row.budget, held, ...totals })}`)
  }
  expect(minted === limit, 'L1: minted is not the limit')
  expect(net <= minted, 'L1: more was admitted than was minted')
  // Each admitted unit is settled, burned, or in a lease whose owner may have spent it.
  expect(net <= used + burned + held, 'L1: the rows do not cover the admissions')
  // Settled units were requested: they were admitted, or their request was not answered before the process died.
  expect(used <= totals.admitted + unansweredUnits(totals), 'L3: more was settled than was requested')
  expect(burned <= deaths * atRisk, 'L4: a death burned more than atRisk')
  expect(burned <= burnMax + ownersMax * atRisk, 'L4: more burned than burnMax and one atRisk for each owner')
  // The totals count a refund that the store did not accept as refused, unless its process died before it logged that.
  if (deaths === 0) expect(used === net + totals.refused, 'L3: used is not what was admitted and not refunded')
  return violations
}

/** What must hold for one row at any moment. Computed here, independent of the code under test. */
export function snapshotViolations({ budget, leases }: ListedRow, atRisk: number): string[] {
  const { key, period, minted, used, reserved, pool, burned } = budget
  const held = heldOn({ budget, leases })
  const place = `${key} ${period}`
  const violations: string[] = []
  for (const [name, units] of Object.entries({ minted, used, reserved, pool, burned, held })) {
    // No limit is lowered in these runs, so the pool is never negative either.
    if (!Number.isSafeInteger(units) || units < 0) violations.push(`L2: ${place}: ${name} is ${units}`)
  }
  const difference = minted - used - reserved - pool - burned - held
  if (difference !== 0)
    violations.push(
      `L2: ${place}: minted is not used + reserved + pool + burned + held; the difference is ${difference}`,
    )
  for (const lease of leases) {
    if (lease.held < 1) violations.push(`L2: ${place}: the lease of epoch ${lease.epoch} holds ${lease.held}`)
    if (lease.held > atRisk)
      violations.push(`L4: the lease of epoch ${lease.epoch} on ${place} is above atRisk: ${lease.held}`)
  }
  return violations
}

/** What must hold between two snapshots of a row: `burned` and `minted` never fall, and no lease grows once `burnMax` has burned (S5). */
export function stepViolations(before: ListedRow, after: ListedRow, burnMax: number): string[] {
  const { key, period, burned, minted } = after.budget
  const place = `${key} ${period}`
  const violations: string[] = []
  if (burned < before.budget.burned)
    violations.push(`S8: ${place}: burned fell from ${before.budget.burned} to ${burned}`)
  if (minted < before.budget.minted)
    violations.push(`L1: ${place}: minted fell from ${before.budget.minted} to ${minted}`)
  if (before.budget.burned < burnMax) return violations
  for (const { epoch, held } of after.leases) {
    const heldBefore = before.leases.find((lease) => lease.epoch === epoch)?.held ?? 0
    if (held > heldBefore)
      violations.push(
        `S5: ${place}: the lease of epoch ${epoch} grew from ${heldBefore} to ${held} after burnMax had burned`,
      )
  }
  return violations
}

function heldOn({ leases }: ListedRow): number {
  return leases.reduce((sum, lease) => sum + lease.held, 0)
}
