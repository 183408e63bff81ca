import type { Canary } from './canary.ts'
import { GATE_CANARIES } from './gate-canaries.ts'
import { OWNER_CANARIES } from './owner-canaries.ts'
import { ROW_CANARIES } from './row-canaries.ts'
import { SESSION_CANARIES } from './session-canaries.ts'
import { STORE_CANARIES } from './store-canaries.ts'

/** Rules that no simulation of today's stores can break alone, and why. Whoever else finds these canaries is named. */
const BEYOND_SIMULATION: Readonly<Record<string, string>> = {
  'time-goes-back':
    'the stores hold time themselves before the core does (S1 stands twice): the model checker finds it',
  'gap-applied': 'a seq from the future needs a store that has lost writes: storeConformance finds it',
  'row-removed-with-a-refusal':
    'needs a clock that is ahead for one refused call alone: packages/vsa/test/core/housekeeping.test.ts finds it',
}

const ALL: readonly Canary[] = [
  ...STORE_CANARIES,
  ...ROW_CANARIES,
  ...SESSION_CANARIES,
  ...OWNER_CANARIES,
  ...GATE_CANARIES,
]

/** Every canary that the simulation must find. */
export const FLOCK: readonly Canary[] = ALL.filter(({ name }) => !(name in BEYOND_SIMULATION))
