import type { Canary } from './canary.ts'
import { GATE_CANARIES } from './gate-canaries.ts'
import { OWNER_CANARIES } from './owner-canaries.ts'
import { ROW_CANARIES } from './row-canaries.ts'
import { SESSION_CANARIES } from './session-canaries.ts'
import { STORE_CANARIES } from './store-canaries.ts'

/** Canaries that break no law that a simulation of today's stores could see, and why. */
const BEYOND_SIMULATION: Readonly<Record<string, string>> = {
  'time-goes-back':
    'S1 stands twice, in the books and in the core: `time-seen-forgotten` is the one that can be broken alone',
  'left-after-fencing':
    'what a fenced owner has left burns with its lease, so that whoever is told of it takes it from nobody',
  'gap-applied': 'a seq from the future needs a store that has lost writes: storeConformance asks for it',
  'row-removed-with-a-refusal':
    'needs a clock that is ahead for one refused call alone: test/core/housekeeping.test.ts asks for it',
}

const ALL: readonly Canary[] = [
  ...STORE_CANARIES,
  ...ROW_CANARIES,
  ...SESSION_CANARIES,
  ...OWNER_CANARIES,
  ...GATE_CANARIES,
]

/** Every canary that the simulation must find. */
export const SIMULATION_CANARIES: readonly Canary[] = ALL.filter(({ name }) => !(name in BEYOND_SIMULATION))
