import type { ChaosPlan, Until } from './chaos-plan.ts'
import { COUNTERS, TEST_BUDGETS } from './test-budgets.ts'

const LEASE_TTL_MS = 600
/** No lease expires, also on a machine under load. */
const CLOSING_LEASE_TTL_MS = 600_000

/** Short lives with correct clocks: as many kills as possible. */
export function crashPlan(seed: number, kills: number): ChaosPlan {
  return {
    seed,
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
export function closingPlan(seed: number, closes: number): ChaosPlan {
  return {
    ...crashPlan(seed, 0),
    processes: 3,
    until: { kind: 'closes', count: closes },
    by: 'close',
    leaseTtlMs: CLOSING_LEASE_TTL_MS,
  }
}

/** Longer lives, as many pauses as kills, and wall clocks that disagree. */
export function chaosPlan(seed: number, processes: number, until: Until): ChaosPlan {
  return {
    ...crashPlan(seed, 0),
    processes,
    until,
    lifeMaxMs: 1_500,
    pauseShare: 0.3,
    wrongClocks: true,
    pauseMaxMs: 4,
  }
}
