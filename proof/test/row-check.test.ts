import { expect, test } from 'vitest'
import type { BudgetRow } from 'vsa'
import { faultsOf, stepFaults, type Account } from '../src/chaos/account.ts'
import type { Tally } from '../src/chaos/tallies.ts'

interface Broken {
  readonly budget?: Partial<BudgetRow>
  readonly tally?: Partial<Tally>
  readonly account?: Partial<Account>
  readonly held?: number
}

/** A sound account after three deaths, with something changed: 60 admitted, of which 12 burned with their leases and 48 are used. */
function account(broken: Broken = {}): Account {
  const budget: BudgetRow = {
    key: 'a',
    period: 0,
    kind: 'initial',
    minted: 100,
    used: 48,
    pool: 28,
    burned: 20,
    limit: 100,
    burnMax: 50,
    version: 1,
    wantedUntil: 0,
    endsAt: null,
    keepUntil: null,
    ...broken.budget,
  }
  const held = broken.held ?? 4
  const leases = held === 0 ? [] : [{ key: 'a', period: 0, epoch: 9, held }]
  const tally = { intended: 80, admitted: 60, denied: 17, refunded: 0, refused: 0, ...broken.tally }
  return { row: { budget, leases }, tally, limit: 100, atRisk: 7, burnMax: 50, deaths: 3, owners: 2, ...broken.account }
}

test('a sound account has no faults', () => {
  expect(faultsOf(account())).toEqual([])
})

test.each<readonly [string, string, Broken]>([
  ['one unit admitted more than was minted', 'L1: more was admitted', { tally: { admitted: 101, intended: 118 } }],
  [
    'one unit told that is neither used, burned nor leased',
    'L1: the books do not cover',
    { tally: { admitted: 73, intended: 93 } },
  ],
  ['one unit minted from nowhere', 'L1: minted', { budget: { minted: 101, pool: 29 } }],
  ['one unit that vanished', 'L2:', { budget: { pool: 27 } }],
  ['a unit in two places', 'L2:', { held: 5 }],
  ['one unit settled that nobody asked for', 'L3:', { budget: { used: 64, pool: 12 } }],
  ['one unit burned more than the deaths allow', 'L4: a death', { budget: { burned: 22, pool: 26 } }],
  [
    'one unit of a durable budget burned',
    'L4: a death',
    { held: 0, budget: { burned: 1, pool: 51 }, account: { atRisk: 0 } },
  ],
  ['one unit burned beyond burnMax', 'L4: more burned', { account: { burnMax: 5 } }],
  ['a lease above atRisk', 'L4: the lease', { held: 8, budget: { pool: 24 } }],
  ['a pool below zero', 'L2:', { budget: { used: 77, pool: -1 } }],
  ['one unit not settled, though nobody died', 'L3: used is not', { account: { deaths: 0, atRisk: 100 } }],
])('a broken account is caught: %s', (_, law, broken) => {
  expect(faultsOf(account(broken)).filter((fault) => fault.startsWith(law)).length).toBeGreaterThan(0)
})

test.each<readonly [string, string, Broken, Broken]>([
  ['a burned unit came back', 'S8:', {}, { budget: { burned: 19, pool: 29 } }],
  ['a minted unit went away', 'L1:', {}, { budget: { minted: 99, pool: 27 } }],
  ['a lease grew after `burnMax` had burned', 'S5:', { budget: { burned: 50 } }, { held: 5, budget: { burned: 50 } }],
])('two looks at one row are held against each other: %s', (_, law, before, after) => {
  const faults = stepFaults(account(before).row, account(after).row, 50)
  expect(faults).toEqual([expect.stringContaining(law)])
})

test('between two looks a lease may grow until `burnMax` has burned, and shrink after that', () => {
  const rowWith = (held: number, burned: number): Account['row'] => account({ held, budget: { burned } }).row
  expect(stepFaults(rowWith(4, 49), rowWith(7, 50), 50)).toEqual([])
  expect(stepFaults(rowWith(4, 50), rowWith(3, 51), 50)).toEqual([])
})
