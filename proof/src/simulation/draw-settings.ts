import type { Per, Policy } from '../../../packages/vsa/dist/index.js'
import type { Rng } from './rng.ts'
import type { BudgetSetting, Setting, FaultRates } from './script.ts'

const UNITS_MAX = Number.MAX_SAFE_INTEGER
/** No faults. */
export const CALM: FaultRates = {
  refused: 0,
  requestLost: 0,
  answerLost: 0,
  reset: 0,
  duplicated: 0,
  slow: 0,
  storeDies: 0,
  latencyMaxMs: 15,
  slowMaxMs: 0,
}
/** Wall times a few seconds before an edge of the calendar, and one without such an edge. */
const STARTS: readonly [string, ...string[]] = [
  '2026-06-15T11:13:17.000Z',
  '2026-03-29T00:59:57.000Z', // Europe/Berlin: a day of 23 hours begins its second half
  '2026-03-28T22:59:57.500Z', // and begins
  '2026-10-24T21:59:58.000Z', // a day of 25 hours begins
  '2026-10-25T22:59:56.000Z', // and ends
  '2028-02-29T22:59:57.000Z', // the end of a leap February in Berlin
  '2026-02-28T23:59:57.500Z', // the end of a February of 28 days
  '2026-12-31T23:59:58.000Z',
]
const NASTY_KEYS: readonly [string, ...string[]] = [
  'k',
  `it's "quoted"`,
  'a\0b',
  '{}',
  '__proto__',
  '🎟️ seats',
  'x'.repeat(1_024),
  ' ',
  'per%cent',
  'calls:tenant-7',
]

/** One run in this many uses SQLite, SQLite on its own thread, or a hundred processes at once. These runs take longer. */
const SQLITE_EVERY = 5
const THREAD_EVERY = 20
const CROWD_EVERY = 200

/** The settings of a whole run. Each feature and fault is on or off for the whole run, so that some runs have few faults and all faults are combined. */
export function drawSettings(seed: number, rng: Rng): Setting {
  const flushIntervalMs = rng.pick([20, 50, 100, 200])
  const mixed = rng.chance(0.3)
  const budgets = drawBudgets(rng, mixed)
  return {
    store: storeOf(seed),
    startMs: Date.parse(rng.pick(STARTS)) + rng.whole(0, 1_500),
    leaseTtlMs: rng.pick([400, 1_000, 3_000]),
    flushIntervalMs,
    deadlineMs: rng.pick([150, 600, 2_000]),
    exchangeTimeoutMs: rng.pick([60, 150, 400]),
    budgetsMax: rng.chance(0.25) ? rng.whole(1, 3) : 1_000,
    waitersMax: rng.chance(0.1) ? rng.whole(1, 4) : 1_000,
    onStoreUnavailable: rng.chance(0.8) ? 'throw' : rng.pick(['deny', 'allow']),
    budgets,
    wide: null,
    counters: ['likes', 'views'],
    places: seed % CROWD_EVERY === 1 ? 100 : rng.whole(1, 4),
    corrupt: rng.chance(0.04) ? (rng.pickAny(budgets)?.key ?? null) : null,
    faultRates: drawFaultRates(rng),
  }
}

function storeOf(seed: number): Setting['store'] {
  if (seed % THREAD_EVERY === 0) return 'sqlite-thread'
  return seed % SQLITE_EVERY === 0 ? 'sqlite' : 'memory'
}

export function drawFaultRates(rng: Rng): FaultRates {
  if (rng.chance(0.2)) return CALM
  const often = rng.pick([0.01, 0.04, 0.1])
  const some = (): number => (rng.chance(0.6) ? often : 0)
  return {
    refused: some(),
    requestLost: some(),
    answerLost: some(),
    reset: some(),
    duplicated: some(),
    slow: some(),
    storeDies: some() / 4,
    latencyMaxMs: rng.pick([2, 15, 60]),
    slowMaxMs: rng.pick([300, 2_500]),
  }
}

function drawBudgets(rng: Rng, mixed: boolean): BudgetSetting[] {
  const count = rng.whole(2, 6)
  const keys = new Set<string>()
  while (keys.size < count) keys.add(rng.chance(0.1) ? rng.pick(NASTY_KEYS) : `b${keys.size}`)
  return [...keys].map((key) => drawBudget(rng, key, mixed))
}

function drawBudget(rng: Rng, key: string, mixed: boolean): BudgetSetting {
  const kind = rng.random()
  if (kind < 0.2) return drawInitial(rng, key, 0, mixed)
  if (kind < 0.45) return drawInitial(rng, key, rng.pick([1, 3, 8, 12, 40]), mixed)
  const lasting = kind < 0.65
  const per = lasting
    ? rng.pick<Per>(['hour', 'day', 'month', 'year', 3_000_000_000])
    : rng.pick<Per>([250, 900, 2_000, 4_000])
  const zone = per === 'day' || per === 'month' ? { timeZone: rng.pick(['UTC', 'Europe/Berlin']) } : {}
  const atRisk = rng.chance(0.4) ? {} : { atRisk: rng.pick([0, 1, 4, 12, 40]) }
  const burnMax = rng.chance(0.3) ? { burnMax: rng.pick([0, 2, 10, 1_000]) } : {}
  const policyOf = (limit: number): Policy => {
    const fitting = 'atRisk' in atRisk ? { atRisk: Math.min(atRisk.atRisk, limit) } : {}
    const burning = 'burnMax' in burnMax ? { burnMax: Math.min(burnMax.burnMax, limit) } : {}
    return { limit, per, ...zone, ...fitting, ...burning }
  }
  const limits: [number, ...number[]] = [rng.pick([1, 5, 12, 60, 400, 5_000])]
  if (mixed) limits.push(rng.pick([2, 5, 30, 100, 1_000]))
  // The start time was chosen so that a calendar edge may be seconds away.
  const isCalendar = per === 'day' || per === 'month' || per === 'year'
  return settingOf(key, limits.map(policyOf), true, lasting && !isCalendar)
}

function drawInitial(rng: Rng, key: string, atRisk: number, mixed: boolean): BudgetSetting {
  const initial = rng.chance(0.03) ? UNITS_MAX - 100 : rng.pick([0, 1, 5, 12, 40, 200])
  const burnMax = rng.chance(0.3) ? { burnMax: rng.pick([2, 10, 1_000]) } : {}
  const policyOf = (units: number): Policy => ({
    initial: units,
    ...(atRisk > 0 ? { atRisk } : {}),
    ...burnMax,
  })
  const amounts: [number, ...number[]] = [initial]
  if (mixed) amounts.push(rng.pick([0, 3, 77]))
  return settingOf(key, amounts.map(policyOf), false, true)
}

export function settingOf(
  key: string,
  policies: readonly Policy[],
  windowed: boolean,
  lasting: boolean,
): BudgetSetting {
  const [first, ...others] = policies
  if (first === undefined) throw new Error('a budget needs a policy')
  return {
    key,
    policies: [first, ...others],
    atRiskMax: Math.max(...policies.map(atRiskOf)),
    burnMaxMost: Math.max(...policies.map(burnMaxOf)),
    windowed,
    lasting,
  }
}

/** The documented defaults, repeated here independently: `design.md`, section 3. */
function atRiskOf(policy: Policy): number {
  if ('initial' in policy) return policy.atRisk ?? 0
  const { limit, per, atRisk } = policy
  if (atRisk !== undefined) return atRisk
  const isShort = typeof per === 'number' && per <= 60_000
  return Math.min(limit, isShort ? Math.max(32, Math.ceil(limit / 100)) : Math.ceil(limit / 100))
}

function burnMaxOf(policy: Policy): number {
  if (policy.burnMax !== undefined) return policy.burnMax
  if (!('initial' in policy)) return Math.ceil(policy.limit / 20)
  return Math.max(Math.ceil(policy.initial / 20), policy.atRisk ?? 0)
}
