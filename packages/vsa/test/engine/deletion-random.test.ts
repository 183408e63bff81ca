import { expect, test } from 'vitest'
import type { BudgetRow, Policy, Vsa } from '../../src/index.ts'
import { trialBalance } from '../../src/core/trial-balance.ts'
import { seededRandom, type Random } from '../../src/testing/index.ts'
import { oneOf, wholeBetween } from '../../src/testing/random.ts'
import { rounds } from '../rounds.ts'
import { bench, codeOf, type Bench, type Owner } from './fixture.ts'

/* P6 beside everything else: owners use three budgets over a network with faults, and now and then one of them is deleted. */

const SEATS = ['seats', { initial: 60 }] as const
const BUDGETS = [
  SEATS,
  ['credits', { initial: 60, atRisk: 12 }],
  ['calls', { limit: 40, per: 1_500, atRisk: 10 }],
] as const satisfies readonly (readonly [string, Policy])[]
/** Those whose rows no period ends. */
const LASTING = [BUDGETS[0], BUDGETS[1]] as const
const STEPS = 150
const RATES = { delay: 0.05, lost_request: 0.02, lost_answer: 0.03, duplicate: 0.03, late: 0.02, unknown: 0.03 }

/** Failures that a caller may meet while the network has faults. */
const EXPECTED = ['timeout', 'store_unavailable', 'reservation_unknown', 'reservation_open', 'id_conflict']

/** Kinds of a step's call, and what they need: the owner, random numbers, and an id that is new or was used a short while ago. */
type Call = (owner: Owner, random: Random, ids: () => string) => Promise<unknown>

async function anyCall(owner: Owner, random: Random, ids: () => string): Promise<unknown> {
  const [key, policy] = oneOf<readonly [string, Policy]>(random, BUDGETS)
  const budget = owner.vsa.budget(key, policy)
  const other = owner.vsa.budget(...SEATS)
  const units = wholeBetween(random, 1, 4)
  const share = random()
  if (share < 0.1) return budget.delete()
  if (share < 0.4) return budget.admit(units)
  if (share < 0.5) return budget.admit(units, { durable: true })
  if (share < 0.6 && key !== 'seats') return budget.tryAdmit(units)
  if (share < 0.7) return budget.refund(units)
  if (share < 0.76) return budget.admit(units, { id: ids() })
  if (share < 0.82 && key !== 'seats')
    return owner.vsa.reserveAll(
      [
        [budget, units],
        [other, 1],
      ],
      { id: ids(), ttlMs: 900, onExpire: oneOf(random, ['return', 'capture']) },
    )
  if (share < 0.86) return budget.reservation(ids()).settle(units)
  if (share < 0.9) return budget.refund(units, { id: ids() })
  if (share < 0.94 && key !== 'calls') return budget.mint(units, { id: ids() })
  return share < 0.97 ? budget.reset() : owner.vsa.flush()
}

/** Calls that only spend, or delete. What was admitted is added to `admitted`, by key. */
function spending(admitted: Map<string, number>): Call {
  return async ({ vsa }, random, ids) => {
    const [key, policy] = oneOf<readonly [string, Policy]>(random, LASTING)
    const budget = vsa.budget(key, policy)
    const units = wholeBetween(random, 1, 4)
    const count = (isAdmitted: boolean): void =>
      void (isAdmitted && admitted.set(key, (admitted.get(key) ?? 0) + units))
    const share = random()
    if (share < 0.08) return budget.delete()
    if (share < 0.12) return budget.mint(units, { id: ids() })
    if (share < 0.18) return vsa.flush()
    if (share < 0.3) {
      const decision = await budget.decide(units, { id: ids() })
      return count(decision.admitted && decision.repeated !== true)
    }
    if (share < 0.5 && key !== 'seats') return count(budget.tryAdmit(units))
    return count(await budget.admit(units, { durable: share < 0.6 }))
  }
}

async function runSeed(seed: number, call: Call): Promise<{ readonly world: Bench; readonly types: Set<string> }> {
  const random = seededRandom(seed)
  const world = bench({ leaseTtlMs: 3_000 })
  const options = { random, deadlineMs: 1_500, exchangeTimeoutMs: 300 }
  const owners = [world.owner(options), world.owner(options), world.owner(options)] as const
  let at = 0
  const ids = (): string => `id-${wholeBetween(random, Math.max(0, at - 3), (at += 1))}`
  let open = 0
  const unexpected: unknown[] = []
  for (const { vsa } of owners) await vsa.ready()
  for (const { net } of owners) net.setRates(RATES)
  for (let step = 0; step < STEPS; step += 1) {
    const owner = oneOf(random, owners)
    open += 1
    call(owner, random, ids)
      .catch((error: unknown) => EXPECTED.includes(codeOf(error)) || unexpected.push(error))
      .finally(() => (open -= 1))
    if (random() < 0.01) {
      // Longer than its lease.
      owner.net.cut('hang')
      await world.clock.advance(3_500)
      owner.net.heal()
    }
    if (random() < 0.7) await world.clock.advance(wholeBetween(random, 1, 90))
  }
  for (const { net } of owners) net.setRates({})
  await world.clock.advance(8_000)
  expect({ seed, open, unexpected }).toEqual({ seed, open: 0, unexpected: [] })
  const closed = Promise.all(owners.map(async ({ vsa }: { readonly vsa: Vsa }) => vsa.close()))
  await world.clock.advance(10_000)
  await closed
  for (const row of (await world.books.list({ limit: 999 })).rows) {
    expect({ seed, faults: trialBalance(row).faults, leases: row.leases }).toEqual({ seed, faults: [], leases: [] })
    expect(row.budget.pool).toBeGreaterThanOrEqual(0)
  }
  const events = owners.flatMap((owner) => owner.events)
  const bugs = events.filter(({ type }) => ['quarantined', 'internal_error', 'row_lost'].includes(type))
  expect({ seed, bugs }).toEqual({ seed, bugs: [] })
  return { world, types: new Set(events.map(({ type }) => type)) }
}

/** Units that left the pool in any life of the key: those of rows that were deleted, and those of the row that is there. */
async function spentInAllLives({ deleted, books }: Bench, key: string): Promise<number> {
  const rows = [...deleted, ...(await budgetsOf(books))]
  return rows.filter((row) => row.key === key).reduce((sum, { minted, pool }) => sum + minted - pool, 0)
}

async function budgetsOf(books: Bench['books']): Promise<readonly BudgetRow[]> {
  return (await books.list({ limit: 999 })).rows.map(({ budget }) => budget)
}

test('P6, L2: with faults and several owners, deletions leave no lease behind, lose no row and stop no engine', async () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= rounds(3); seed += 1)
    for (const type of (await runSeed(seed, anyCall)).types) seen.add(type)
  expect([...seen]).toEqual(expect.arrayContaining(['deleted', 'fenced', 'refunds_refused']))
})

test('P6, L1: over all lives of a key, no more is admitted than left the pool of its rows', async () => {
  let lives = 0
  for (let seed = 101; seed <= 100 + rounds(3); seed += 1) {
    const admitted = new Map<string, number>()
    const { world } = await runSeed(seed, spending(admitted))
    for (const [key, units] of admitted)
      expect({ seed, key, over: Math.max(0, units - (await spentInAllLives(world, key))) }).toEqual({
        seed,
        key,
        over: 0,
      })
    lives += world.deleted.length
  }
  expect(lives).toBeGreaterThan(5)
})
