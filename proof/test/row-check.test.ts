import { expect, test } from 'vitest'
import type { BudgetRow } from 'vsa'
import type { BudgetTotals } from '../src/chaos/call-totals.ts'
import { rowViolations, stepViolations, type RowEvidence } from '../src/chaos/row-check.ts'

interface Broken {
  readonly budget?: Partial<BudgetRow>
  readonly totals?: Partial<BudgetTotals>
  readonly evidence?: Partial<RowEvidence>
  readonly held?: number
}

/** A consistent row after three deaths, with the given changes: 60 units admitted, 48 of them used, 12 burned with their leases. */
function evidence(broken: Broken = {}): RowEvidence {
  const budget: BudgetRow = {
    key: 'a',
    period: 0,
    kind: 'initial',
    minted: 100,
    used: 48,
    reserved: 0,
    pool: 28,
    burned: 20,
    limit: 100,
    burnMax: 50,
    version: 1,
    resets: 0,
    wantedUntil: 0,
    endsAt: null,
    keepUntil: null,
    ...broken.budget,
  }
  const held = broken.held ?? 4
  const leases = held === 0 ? [] : [{ key: 'a', period: 0, epoch: 9, held }]
  const totals = { requested: 80, admitted: 60, denied: 17, refunded: 0, refused: 0, ...broken.totals }
  return {
    row: { budget, leases },
    ...{ totals, limit: 100, atRisk: 7, burnMax: 50, deaths: 3, ownersMax: 2 },
    ...broken.evidence,
  }
}

test('a consistent row has no violations', () => {
  expect(rowViolations(evidence())).toEqual([])
})

test.each<readonly [string, string, Broken]>([
  ['one unit admitted more than was minted', 'L1: more was admitted', { totals: { admitted: 101, requested: 118 } }],
  [
    'one unit admitted that is neither used, burned nor leased',
    'L1: the rows do not cover',
    { totals: { admitted: 73, requested: 93 } },
  ],
  ['minted one unit above the limit', 'L1: minted', { budget: { minted: 101, pool: 29 } }],
  ['one unit lost', 'L2:', { budget: { pool: 27 } }],
  ['one unit counted twice', 'L2:', { held: 5 }],
  ['one unit settled that was not requested', 'L3:', { budget: { used: 64, pool: 12 } }],
  ['one unit burned more than the deaths allow', 'L4: a death', { budget: { burned: 22, pool: 26 } }],
  [
    'one unit of a durable budget burned',
    'L4: a death',
    { held: 0, budget: { burned: 1, pool: 51 }, evidence: { atRisk: 0 } },
  ],
  ['one unit burned beyond burnMax', 'L4: more burned', { evidence: { burnMax: 5 } }],
  ['a lease above atRisk', 'L4: the lease', { held: 8, budget: { pool: 24 } }],
  ['a pool below zero', 'L2:', { budget: { used: 77, pool: -1 } }],
  ['one unit not settled although no process died', 'L3: used is not', { evidence: { deaths: 0, atRisk: 100 } }],
])('a violation is found: %s', (_, law, broken) => {
  expect(rowViolations(evidence(broken)).filter((violation) => violation.startsWith(law)).length).toBeGreaterThan(0)
})

test.each<readonly [string, string, Broken, Broken]>([
  ['burned fell by one', 'S8:', {}, { budget: { burned: 19, pool: 29 } }],
  ['minted fell by one', 'L1:', {}, { budget: { minted: 99, pool: 27 } }],
  ['a lease grew after `burnMax` had burned', 'S5:', { budget: { burned: 50 } }, { held: 5, budget: { burned: 50 } }],
])('a violation between two snapshots is found: %s', (_, law, before, after) => {
  const violations = stepViolations(evidence(before).row, evidence(after).row, 50)
  expect(violations).toEqual([expect.stringContaining(law)])
})

test('between two snapshots a lease may grow until `burnMax` has burned, and shrink after that', () => {
  const rowWith = (held: number, burned: number): RowEvidence['row'] => evidence({ held, budget: { burned } }).row
  expect(stepViolations(rowWith(4, 49), rowWith(7, 50), 50)).toEqual([])
  expect(stepViolations(rowWith(4, 50), rowWith(3, 51), 50)).toEqual([])
})
