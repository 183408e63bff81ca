import type { Canary } from './canary.ts'
import { GATE_CANARIES } from './gate-canaries.ts'
import { OWNER_CANARIES } from './owner-canaries.ts'

/** Every canary there is. */
export const FLOCK: readonly Canary[] = [...OWNER_CANARIES, ...GATE_CANARIES]
