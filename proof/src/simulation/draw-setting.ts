import type { Per, Policy } from '../../../packages/vsa/dist/index.js'
import type { Dice } from './dice.ts'
import type { BudgetSetting, Setting, Weather } from './script.ts'

const UNITS_MAX = Number.MAX_SAFE_INTEGER
const CALM: Weather = {
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
/** Wall times at which something happens to the calendar within a few seconds, and one where nothing does. */
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

/** How often runs are on SQLite, and how often a crowd starts at once: in each so many. They take longer than others. */
const SQLITE_EVERY = 25
const CROWD_EVERY = 200

/** What holds for a whole run. Features are switched on and off as wholes, so that some runs are calm, and each kind of trouble meets every other. */
export function drawSetting(seed: number, dice: Dice): Setting {
  const flushIntervalMs = dice.pick([20, 50, 100, 200])
  const mixed = dice.chance(0.3)
  const budgets = drawBudgets(dice, mixed)
  return {
    store: seed % SQLITE_EVERY === 0 ? 'sqlite' : 'memory',
    startMs: Date.parse(dice.pick(STARTS)) + dice.whole(0, 1_500),
    leaseTtlMs: dice.pick([400, 1_000, 3_000]),
    flushIntervalMs,
    deadlineMs: dice.pick([150, 600, 2_000]),
    exchangeTimeoutMs: dice.pick([60, 150, 400]),
    budgetsMax: dice.chance(0.25) ? dice.whole(1, 3) : 1_000,
    waitersMax: dice.chance(0.1) ? dice.whole(1, 4) : 1_000,
    onStoreUnavailable: dice.chance(0.8) ? 'throw' : dice.pick(['deny', 'allow']),
    budgets,
    counters: ['likes', 'views'],
    places: seed % CROWD_EVERY === 1 ? 100 : dice.whole(1, 4),
    corrupt: dice.chance(0.04) ? (dice.pickAny(budgets)?.key ?? null) : null,
    weather: drawWeather(dice),
  }
}

function drawWeather(dice: Dice): Weather {
  if (dice.chance(0.2)) return CALM
  const often = dice.pick([0.01, 0.04, 0.1])
  const some = (): number => (dice.chance(0.6) ? often : 0)
  return {
    refused: some(),
    requestLost: some(),
    answerLost: some(),
    reset: some(),
    duplicated: some(),
    slow: some(),
    storeDies: some() / 4,
    latencyMaxMs: dice.pick([2, 15, 60]),
    slowMaxMs: dice.pick([300, 2_500]),
  }
}

function drawBudgets(dice: Dice, mixed: boolean): BudgetSetting[] {
  const count = dice.whole(2, 6)
  const keys = new Set<string>()
  while (keys.size < count) keys.add(dice.chance(0.1) ? dice.pick(NASTY_KEYS) : `b${keys.size}`)
  return [...keys].map((key) => drawBudget(dice, key, mixed))
}

function drawBudget(dice: Dice, key: string, mixed: boolean): BudgetSetting {
  const kind = dice.random()
  if (kind < 0.2) return drawInitial(dice, key, 0, mixed)
  if (kind < 0.45) return drawInitial(dice, key, dice.pick([1, 3, 8, 12, 40]), mixed)
  const lasting = kind < 0.65
  const per = lasting
    ? dice.pick<Per>(['hour', 'day', 'month', 'year', 3_000_000_000])
    : dice.pick<Per>([250, 900, 2_000, 4_000])
  const zone = per === 'day' || per === 'month' ? { timeZone: dice.pick(['UTC', 'Europe/Berlin']) } : {}
  const atRisk = dice.chance(0.4) ? {} : { atRisk: dice.pick([0, 1, 4, 12, 40]) }
  const burnMax = dice.chance(0.3) ? { burnMax: dice.pick([0, 2, 10, 1_000]) } : {}
  const policyOf = (limit: number): Policy => {
    const fitting = 'atRisk' in atRisk ? { atRisk: Math.min(atRisk.atRisk, limit) } : {}
    const burning = 'burnMax' in burnMax ? { burnMax: Math.min(burnMax.burnMax, limit) } : {}
    return { limit, per, ...zone, ...fitting, ...burning }
  }
  const limits: [number, ...number[]] = [dice.pick([1, 5, 12, 60, 400, 5_000])]
  if (mixed) limits.push(dice.pick([2, 5, 30, 100, 1_000]))
  // On a calendar, the edge may be seconds away: the start was chosen for it.
  const isCalendar = per === 'day' || per === 'month' || per === 'year'
  return settingOf(key, limits.map(policyOf), true, lasting && !isCalendar)
}

function drawInitial(dice: Dice, key: string, atRisk: number, mixed: boolean): BudgetSetting {
  const initial = dice.chance(0.03) ? UNITS_MAX - 100 : dice.pick([0, 1, 5, 12, 40, 200])
  const burnMax = dice.chance(0.3) ? { burnMax: dice.pick([2, 10, 1_000]) } : {}
  const policyOf = (units: number): Policy => ({
    initial: units,
    ...(atRisk > 0 ? { atRisk } : {}),
    ...burnMax,
  })
  const amounts: [number, ...number[]] = [initial]
  if (mixed) amounts.push(dice.pick([0, 3, 77]))
  return settingOf(key, amounts.map(policyOf), false, true)
}

function settingOf(key: string, policies: readonly Policy[], windowed: boolean, lasting: boolean): BudgetSetting {
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

/** The documented defaults, written down a second time: `design.md`, section 3. */
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
