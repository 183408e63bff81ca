import type { Policy } from '../../../packages/vsa/dist/index.js'
import type { Rng } from './rng.ts'
import { CALM, drawFaultRates, settingOf } from './draw-settings.ts'
import type { Action, Script, Setting } from './script.ts'
import { UPKEEP_ROWS_MAX, WANTED_ROWS_MAX } from './store-options.ts'

/** Rows beyond a limit, so that a second slice or batch is needed. */
const BEYOND = 60
const LEASE_TTL_MS = 400
/** Processes that are killed one after the other. */
const LIVES = 8

type Kind = 'burning' | 'wanting' | 'removing' | 'crashing'

/** The limit that a script exceeds. */
const KINDS: readonly Kind[] = ['burning', 'wanting', 'removing', 'crashing']

/** These kinds reach their limit only without network faults. */
const MUST_BE_CALM: readonly Kind[] = ['wanting', 'crashing']

/** Scripts with enough rows to exceed the limits of one slice of upkeep, one answer and one batch. They are slow. */
export function drawWideScript(seed: number, rng: Rng, every: number): Script {
  const turn = Math.floor(seed / every)
  const kind = KINDS[turn % KINDS.length] ?? 'burning'
  const store = Math.floor(turn / KINDS.length) % 2 === 0 ? 'memory' : 'sqlite'
  return wideScript(seed, rng, kind, store)
}

/** @param rng draws the faults of the network */
function wideScript(seed: number, rng: Rng, kind: Kind, store: Setting['store']): Script {
  const { rows, policy, actions } = SHAPES[kind]
  const isCalm = rng.chance(0.5) || MUST_BE_CALM.includes(kind)
  const faultRates = isCalm ? { ...CALM, latencyMaxMs: 2 } : drawFaultRates(rng)
  const budget = settingOf('wide', [policy], 'limit' in policy, kind !== 'removing')
  const setting: Setting = {
    store,
    startMs: Date.parse('2026-06-15T11:13:17.000Z'),
    leaseTtlMs: LEASE_TTL_MS,
    flushIntervalMs: 100,
    deadlineMs: 2_000,
    exchangeTimeoutMs: 150,
    budgetsMax: 10_000,
    waitersMax: 10_000,
    onStoreUnavailable: 'throw',
    budgets: [settingOf('b0', [{ limit: 60, per: 'hour' }], true, true)],
    wide: { rows, budget },
    counters: [],
    places: 2,
    corrupt: null,
    faultRates,
  }
  return { seed, setting, actions: actions(rows) }
}

interface Shape {
  readonly rows: number
  readonly policy: Policy
  readonly actions: (rows: number) => readonly Action[]
}

const SHAPES: Readonly<Record<Kind, Shape>> = {
  /** An owner that leases from all rows is killed, twice; another one continues to run. */
  burning: {
    rows: UPKEEP_ROWS_MAX + BEYOND,
    policy: { limit: 400, per: 'hour', atRisk: 8, burnMax: 100 },
    actions: (rows) => [
      ...life(10, rows),
      ...[1_000, 1_150, 1_300].map((atMs) => sweep(atMs, 1, 20)),
      ...life(1_500, rows),
      ...[2_400, 2_550, 2_700].map((atMs) => sweep(atMs, 1, 20)),
    ],
  },
  /** One owner leases all units of all rows, and another owner requests them. */
  wanting: {
    rows: WANTED_ROWS_MAX + BEYOND,
    policy: { limit: 8, per: 'hour', atRisk: 8 },
    actions: (rows) => [sweep(10, 0, rows, 1), sweep(120, 0, rows, 1), sweep(350, 1, rows, 4), sweep(900, 0, 20, 1)],
  },
  /** Rows of a short period; then the store's clock passes their retention. */
  removing: {
    rows: UPKEEP_ROWS_MAX + BEYOND,
    policy: { limit: 40, per: 900, atRisk: 0 },
    actions: (rows) => [
      sweep(10, 0, rows, 1),
      { atMs: 2_000, place: 0, kind: 'jump', who: 'store', byMs: 3_600_000 },
      ...[2_100, 2_250, 2_400].map((atMs) => sweep(atMs, 1, 5)),
    ],
  },
  /** One process after another leases from all rows and is killed. More leases wait to be burned each time than its few exchanges burn. */
  crashing: {
    rows: 5 * UPKEEP_ROWS_MAX,
    policy: { limit: 10_000, per: 'month', atRisk: 32, burnMax: 50 },
    actions: (rows) => Array.from({ length: LIVES }, (_, number) => shortLife(10 + number * 600, rows)).flat(),
  },
}

/** A process leases from all rows, and is killed. */
function life(atMs: number, rows: number): readonly Action[] {
  const asks = [0, 60, 120, 180].map((afterMs) => sweep(atMs + afterMs, 0, rows, 2))
  return [...asks, { atMs: atMs + 400, place: 0, kind: 'crash', restartAfterMs: 20 }]
}

/** The same with as few exchanges as it takes to get a large lease. The next process starts when the epoch has expired. */
function shortLife(atMs: number, rows: number): readonly Action[] {
  const asks = [0, 40].map((afterMs) => sweep(atMs + afterMs, 0, rows, 12))
  return [...asks, { atMs: atMs + 90, place: 0, kind: 'crash', restartAfterMs: 480 }]
}

function sweep(atMs: number, place: number, rows: number, units = 1): Action {
  return { atMs, place, kind: 'sweep', from: 0, rows, units }
}
