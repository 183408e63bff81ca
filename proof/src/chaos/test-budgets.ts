import type { Policy } from 'vsa'

/** One budget that the children spend from, and all that the laws need to know of it. */
export interface Subject {
  readonly policy: Policy
  /** Units of each row at its creation: what B is, before mints. */
  readonly limit: number
  /** 0 for a durable budget. */
  readonly atRisk: number
  readonly burnMax: number
  /** Its periods end while the children live: one row for each. */
  readonly isWindowed: boolean
  /** Whether its rows are there to the end. */
  readonly isKept: boolean
  /** Units that one mint id brings; 0 for a budget that is never minted to. */
  readonly mintUnits: number
  readonly isRefunded: boolean
}

type Extra = Partial<Pick<Subject, 'mintUnits' | 'isRefunded'>>

const DAY_MS = 86_400_000
/** Never reached. */
const ENOUGH = 1_000_000
const PLAIN = { isWindowed: false, isKept: true, mintUnits: 0, isRefunded: false } as const

/** What the children spend from: leased and durable, plenty and nearly none, with and without mints, refunds and ends of periods. */
export const SUBJECTS: Readonly<Record<string, Subject>> = {
  plenty: leased(50_000_000, 300, ENOUGH),
  scarce: leased(2_000, 25, ENOUGH, { mintUnits: 60 }),
  burning: leased(30_000, 40, 150),
  returned: leased(20_000, 50, ENOUGH, { mintUnits: 100, isRefunded: true }),
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

/** Counters that the children add to, and the most that they add at once, either way. */
export const COUNTERS: Readonly<Record<string, number>> = { likes: 5, seen: 1 }

function leased(limit: number, atRisk: number, burnMax: number, extra: Extra = {}): Subject {
  return { ...PLAIN, policy: { initial: limit, atRisk, burnMax }, limit, atRisk, burnMax, ...extra }
}

function durable(limit: number, extra: Extra = {}): Subject {
  return { ...PLAIN, policy: { initial: limit }, limit, atRisk: 0, burnMax: Math.ceil(limit / 20), ...extra }
}

/** Every row is kept, so that all can be checked at the end: by default those of short periods go when they are over. */
function windowed(per: number, limit: number, atRisk: number, burnMax: number): Subject {
  const policy = { limit, per, atRisk, burnMax, retentionMs: DAY_MS }
  return { ...PLAIN, policy, limit, atRisk, burnMax, isWindowed: true, isRefunded: true }
}

/** As users have it: a row goes a minute after its period, and must never come back. */
function passing(per: number, limit: number, atRisk: number, burnMax: number): Subject {
  return { ...PLAIN, policy: { limit, per, atRisk, burnMax }, limit, atRisk, burnMax, isWindowed: true, isKept: false }
}

export function mintId(number: number): string {
  return `m-${number}`
}
