import type { Policy } from 'vsa'

/** A budget that the children spend from, with the data that the checks need. */
export interface TestBudget {
  readonly policy: Policy
  /** Units of each row when it is created. Mints come on top. */
  readonly limit: number
  /** 0 for a durable budget. */
  readonly atRisk: number
  readonly burnMax: number
  /** Periods end during the run: one row for each. */
  readonly isWindowed: boolean
  /** Whether its rows are kept until the end of the run. */
  readonly isKept: boolean
  /** Units of one mint; 0 for a budget without mints. */
  readonly mintUnits: number
  readonly isRefunded: boolean
}

type Extra = Partial<Pick<TestBudget, 'mintUnits' | 'isRefunded'>>

const DAY_MS = 86_400_000
/** A `burnMax` that no run reaches. */
const NEVER_REACHED = 1_000_000
const PLAIN = { isWindowed: false, isKept: true, mintUnits: 0, isRefunded: false } as const

/** Leased and durable budgets, large and nearly used up, with and without mints, refunds and ends of periods. */
export const TEST_BUDGETS: Readonly<Record<string, TestBudget>> = {
  plenty: leased(50_000_000, 300, NEVER_REACHED),
  scarce: leased(2_000, 25, NEVER_REACHED, { mintUnits: 60 }),
  burning: leased(30_000, 40, 150),
  returned: leased(20_000, 50, NEVER_REACHED, { mintUnits: 100, isRefunded: true }),
  yearly: {
    ...PLAIN,
    policy: { limit: 200_000, per: 'year', atRisk: 200 },
    limit: 200_000,
    atRisk: 200,
    burnMax: 10_000,
  },
  ticks: windowed(2_000, 200, 20, 50),
  'durable-ticks': windowed(3_000, 40, 0, 2),
  passing: passing(1_000, 40, 8, 20),
  seats: durable(400_000),
  'last-seats': durable(1_500, { mintUnits: 40, isRefunded: true }),
}

/** Counters that the children add to. The value is the most that one call adds; above 1, calls subtract too. */
export const COUNTERS: Readonly<Record<string, number>> = { likes: 5, seen: 1 }

function leased(limit: number, atRisk: number, burnMax: number, extra: Extra = {}): TestBudget {
  return { ...PLAIN, policy: { initial: limit, atRisk, burnMax }, limit, atRisk, burnMax, ...extra }
}

function durable(limit: number, extra: Extra = {}): TestBudget {
  return { ...PLAIN, policy: { initial: limit }, limit, atRisk: 0, burnMax: Math.ceil(limit / 20), ...extra }
}

/** Rows are retained for a day, so that all can be checked at the end. By default, rows of short periods are removed soon. */
function windowed(per: number, limit: number, atRisk: number, burnMax: number): TestBudget {
  const policy = { limit, per, atRisk, burnMax, retentionMs: DAY_MS }
  return { ...PLAIN, policy, limit, atRisk, burnMax, isWindowed: true, isRefunded: true }
}

/** With the default retention: a row is removed a minute after its period, and must not be created again. */
function passing(per: number, limit: number, atRisk: number, burnMax: number): TestBudget {
  return { ...PLAIN, policy: { limit, per, atRisk, burnMax }, limit, atRisk, burnMax, isWindowed: true, isKept: false }
}

export function mintId(number: number): string {
  return `m-${number}`
}
