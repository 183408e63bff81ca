import { describe, expect, test } from 'vitest'
import type { BudgetRow } from '../../src/core/rows.ts'
import { trialBalance } from '../../src/core/trial-balance.ts'
import { UNITS_MAX } from '../../src/core/units.ts'

const row = (part: Partial<BudgetRow>): BudgetRow => ({
  key: 'k',
  period: 0,
  kind: 'initial',
  minted: 100,
  used: 40,
  reserved: 0,
  pool: 30,
  burned: 10,
  limit: 100,
  burnMax: 5,
  version: 1,
  resets: 0,
  wantedUntil: 0,
  endsAt: null,
  keepUntil: null,
  ...part,
})
const lease = (held: number, epoch = 1) => ({ key: 'k', period: 0, epoch, held })

describe('L2: minted = used + pool + burned + sum(held)', () => {
  test('a balanced row has no faults', () => {
    const balance = trialBalance({ budget: row({}), leases: [lease(15), lease(5, 2)] })
    expect(balance).toMatchObject({ key: 'k', held: 20, difference: 0, faults: [] })
  })
  test('a pool below 0, after a lowered limit, balances', () => {
    expect(trialBalance({ budget: row({ minted: 10, pool: -40 }), leases: [] }).faults).toEqual([])
  })
  test('the largest numbers are summed without rounding', () => {
    const budget = row({ minted: UNITS_MAX, used: UNITS_MAX - 1, pool: 0, burned: 0 })
    expect(trialBalance({ budget, leases: [lease(1)] }).faults).toEqual([])
    expect(trialBalance({ budget, leases: [] }).difference).toBe(1)
  })
  test.each([
    [row({ used: 41 }), [lease(20)], '1 units more than were minted'],
    [row({ used: 39 }), [lease(20)], '1 of the minted units are nowhere'],
    [row({ used: -1, pool: 91 }), [], 'used is no number of units: -1'],
    [row({ burned: -10, pool: 70 }), [], 'burned is no number of units: -10'],
    [row({ pool: 50.5 }), [], 'pool is no number of units: 50.5'],
    [row({ pool: 50 }), [lease(0)], 'the lease of epoch 1 holds 0'],
    [row({ minted: 0.5, used: 0, pool: 0.5, burned: 0 }), [], 'minted is no number of units: 0.5'],
  ])('a fault is described: %j %j', (budget, leases, fault) => {
    expect(trialBalance({ budget, leases }).faults).toContain(fault)
  })
})
