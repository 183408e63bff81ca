import type { ChaosPlan, Until } from './plan.ts'
import { COUNTERS, SUBJECTS } from './subjects.ts'

const LEASE_TTL_MS = 600

/** Processes killed within half a second of their first call, with true clocks: as many deaths as there can be. */
export function crashPlan(seed: number, kills: number): ChaosPlan {
  return {
    seed,
    processes: 6,
    until: { kind: 'kills', count: kills },
    by: 'kill',
    leaseTtlMs: LEASE_TTL_MS,
    lifeMostMs: 400,
    stopShare: 0.1,
    wrongClocks: false,
    restMostMs: 0,
    subjects: SUBJECTS,
    counters: COUNTERS,
  }
}

/** Nobody is killed, so the books are what callers were told, to the unit. */
export function closingPlan(seed: number, closes: number): ChaosPlan {
  return {
    ...crashPlan(seed, 0),
    processes: 3,
    until: { kind: 'closes', count: closes },
    by: 'close',
    leaseTtlMs: 30_000,
  }
}

/** Processes that live longer, are stopped as often as they are killed, and do not agree on what time it is. */
export function chaosPlan(seed: number, processes: number, until: Until): ChaosPlan {
  return {
    ...crashPlan(seed, 0),
    processes,
    until,
    lifeMostMs: 1_500,
    stopShare: 0.3,
    wrongClocks: true,
    restMostMs: 4,
  }
}
