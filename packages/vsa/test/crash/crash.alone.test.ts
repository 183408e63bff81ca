import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Policy } from '../../src/core/policy.ts'
import type { ListedRow, Store } from '../../src/core/store.ts'
import { trialBalance } from '../../src/core/trial-balance.ts'
import { open, type Vsa } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { faultsOf, type Account } from './account.ts'
import { runCrew, type CrewEnd } from './crew.ts'
import { readTallies, type Tallies } from './tally.ts'

const SEED = Number(process.env['VSA_CRASH_SEED'] ?? 20_261_122)
const KILLS = 200
const CHILDREN = 5
const LEASE_TTL_MS = 600

interface Subject {
  readonly policy: Policy
  readonly limit: number
  readonly atRisk: number
  readonly burnMax: number
}

const leased = (limit: number, atRisk: number, burnMax: number): Subject => ({
  policy: { initial: limit, atRisk, burnMax },
  limit,
  atRisk,
  burnMax,
})
const durable = (limit: number): Subject => ({
  policy: { initial: limit },
  limit,
  atRisk: 0,
  burnMax: Math.ceil(limit / 20),
})

const SUBJECTS: Readonly<Record<string, Subject>> = {
  plenty: leased(3_000_000, 300, 1_000_000),
  scarce: leased(9_000, 25, 1_000_000),
  burning: leased(30_000, 40, 150),
  returned: leased(60_000, 50, 1_000_000),
  yearly: { policy: { limit: 200_000, per: 'year', atRisk: 200 }, limit: 200_000, atRisk: 200, burnMax: 10_000 },
  seats: durable(400_000),
  'last-seats': durable(4_000),
}
const DURABLE = ['seats', 'last-seats']
const REFUNDED = ['returned']

describe('L1 to L5 through SIGKILL and SIGSTOP, on SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-crash-'))
  const file = join(folder, 'books.db')
  const policies = Object.fromEntries(Object.entries(SUBJECTS).map(([key, { policy }]) => [key, policy]))
  let end: CrewEnd
  let tallies: Tallies
  let clean: Vsa
  let books: Store
  /** Every row as it was every 200 ms while children lived and died. */
  const looks: ListedRow[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    const plan = { file, folder: join(folder, 'tallies'), policies, durable: DURABLE, refunded: REFUNDED }
    books = sqlite(file, { thread: false, leaseTtlMs: LEASE_TTL_MS })
    const watch = setInterval(() => {
      books.list({ limit: 100 }).then(
        ({ rows }) => looks.push(...rows),
        (error: unknown) => complaints.push(String(error)),
      )
    }, 200)
    end = await runCrew({ ...plan, children: CHILDREN, by: 'kill', ends: KILLS, seed: SEED, leaseTtlMs: LEASE_TTL_MS })
    clearInterval(watch)
    tallies = readTallies(plan.folder)
    console.log(`crash tests, seed ${SEED}:`, JSON.stringify({ ...end, busyChildren: tallies.busyChildren }), [
      ...tallies.events,
    ])
    // The last ones are dead by now; the first call of another process buries them.
    clean = open({ store: books, label: 'clean' })
    await clean.ready()
  }, 280_000)

  afterAll(async () => {
    await clean.close()
    rmSync(folder, { recursive: true })
  })

  test('children were killed as often as promised, most of them in the middle of their work', () => {
    expect(end.kills).toBeGreaterThanOrEqual(KILLS)
    expect(tallies.busyChildren).toBeGreaterThan(KILLS * 0.5)
    expect(end.pauses).toBeGreaterThan(8)
    expect(end.closes).toBeGreaterThan(3)
    expect(end.complaints).toEqual([])
  })

  test('L2: the books balanced at every moment at which somebody looked', () => {
    expect(complaints).toEqual([])
    expect(looks.length).toBeGreaterThan(100)
    expect(looks.flatMap((row) => trialBalance(row).faults)).toEqual([])
  })

  test('L4: no lease was ever above atRisk, and a death burns one lease', () => {
    const leases = looks.flatMap((row) => row.leases)
    expect(leases.length).toBeGreaterThan(100)
    expect(leases.filter(({ key, held }) => held > (SUBJECTS[key]?.atRisk ?? 0))).toEqual([])
  })

  test.each(Object.keys(SUBJECTS))('L1, L2, L3, L4: %s', async (key) => {
    const account = await accountOf(key)
    expect(faultsOf(account)).toEqual([])
    expect(account.tally.admitted).toBeGreaterThan(0)
    expect(account.row.leases).toEqual([])
  })

  test.each(DURABLE)('L4: no death burned a unit of %s, which is durable', async (key) => {
    expect((await accountOf(key)).row.budget.burned).toBe(0)
  })

  test('deaths did burn, and the budget with a `burnMax` stopped leasing at it', async () => {
    const burned = async (key: string): Promise<number> => (await accountOf(key)).row.budget.burned
    expect(await burned('plenty')).toBeGreaterThan(0)
    expect(await burned('burning')).toBeGreaterThanOrEqual(150)
  })

  test.each(Object.entries(SUBJECTS))(
    'L5: a clean process admits what is left of %s, to the unit',
    async (key, { policy }) => {
      const before = (await accountOf(key)).row.budget
      const left = before.minted - before.used - before.burned
      const budget = clean.budget(key, policy)
      let admitted = 0
      for (const units of [Math.ceil(left / 2), 10_000, 100, 10, 1]) {
        while (units > 0 && (await budget.admit(units))) admitted += units
      }
      expect(admitted).toBe(left)
      await clean.flush({ returnLeases: true })
      const { row } = await accountOf(key)
      expect([row.budget.pool, row.budget.used + row.budget.burned, row.leases]).toEqual([0, before.minted, []])
    },
  )

  async function accountOf(key: string): Promise<Account> {
    const subject = SUBJECTS[key]
    const [row] = (await books.list({ key, limit: 2 })).rows
    const tally = tallies.budgets.get(key)
    if (subject === undefined || row === undefined || tally === undefined) throw new Error(`nothing is known of ${key}`)
    const { limit, atRisk, burnMax } = subject
    // An epoch ends without a close by a kill, or by a pause: then its owner lived to tell that it was fenced.
    const deaths = end.kills + (tallies.events.get('fenced') ?? 0)
    // At once: one that lives in each place, and one before it that is dead and not buried yet.
    return { row, tally, limit, atRisk, burnMax, deaths, owners: 2 * CHILDREN }
  }
})

test('L3: after closes without crashes, `used` is what was admitted, to the unit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-close-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'books.db')
  const policies = {
    leased: { initial: 2_500, atRisk: 60 },
    seats: { initial: 900 },
    wide: { limit: 1_000_000, per: 'year' },
  } as const
  const plan = { file, policies, folder: join(folder, 'tallies'), durable: ['seats'], refunded: [] }
  const end = await runCrew({ ...plan, children: 3, by: 'close', ends: 12, seed: SEED, leaseTtlMs: 30_000 })
  const { budgets } = readTallies(plan.folder)
  const books = sqlite(file, { thread: false })
  const { rows } = await books.list({ limit: 9 })
  await books.close()
  expect([end.closes >= 12, end.kills, end.complaints]).toEqual([true, 0, []])
  expect(rows.map(({ budget, leases }) => [budget.key, budget.used, budget.burned, leases])).toEqual(
    Object.keys(policies).map((key) => [key, budgets.get(key)?.admitted, 0, []]),
  )
})
