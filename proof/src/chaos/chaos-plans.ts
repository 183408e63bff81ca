import type { ChaosPlan, Until } from './chaos-plan.ts'
import type { StoreKind } from './chaos-store.ts'
import { COUNTERS, TEST_BUDGETS } from './test-budgets.ts'

const LEASE_TTL_MS = 600
const SERVER_KILL_EVERY_MS = 4_000
/** Longer than all bounds of a client and of a call: connections, commands, exchanges, deadlines. */
const SERVER_PAUSE_MAX_MS = 15_000
/** No lease expires, also on a machine under load. */
const CLOSING_LEASE_TTL_MS = 600_000

/** Short lives with correct clocks: as many kills as possible. */
export function crashPlan(seed: number, kills: number, store: StoreKind = 'sqlite'): ChaosPlan {
  return {
    seed,
    store,
    serverKillEveryMs: store === 'sqlite' ? 0 : SERVER_KILL_EVERY_MS,
    serverPauseShare: 0.4,
    serverPauseMaxMs: SERVER_PAUSE_MAX_MS,
    processes: 6,
    until: { kind: 'kills', count: kills },
    by: 'kill',
    leaseTtlMs: LEASE_TTL_MS,
    lifeMaxMs: 400,
    pauseShare: 0.1,
    wrongClocks: false,
    pauseMaxMs: 0,
    budgets: TEST_BUDGETS,
    counters: COUNTERS,
  }
}

/** No kills: the rows must equal what callers were answered, to the unit. */
export function closingPlan(seed: number, closes: number, store: StoreKind = 'sqlite'): ChaosPlan {
  return {
    ...crashPlan(seed, 0, store),
    serverKillEveryMs: 0,
    processes: 3,
    until: { kind: 'closes', count: closes },
    by: 'close',
    leaseTtlMs: CLOSING_LEASE_TTL_MS,
  }
}

/** Longer lives, as many pauses as kills, and wall clocks that disagree. */
export function chaosPlan(seed: number, processes: number, until: Until, store: StoreKind = 'sqlite'): ChaosPlan {
  return {
    ...crashPlan(seed, 0, store),
    processes,
    until,
    lifeMaxMs: 1_500,
    pauseShare: 0.3,
    wrongClocks: true,
    pauseMaxMs: 4,
  }
}
