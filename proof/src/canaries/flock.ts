import type { Canary } from './canary.ts'
import { GATE_CANARIES } from './gate-canaries.ts'
import { OWNER_CANARIES } from './owner-canaries.ts'
import { ROW_CANARIES } from './row-canaries.ts'
import { SESSION_CANARIES } from './session-canaries.ts'
import { STORE_CANARIES } from './store-canaries.ts'

/** Every canary there is. */
export const FLOCK: readonly Canary[] = [...STORE_CANARIES, ...ROW_CANARIES, ...SESSION_CANARIES, ...OWNER_CANARIES, ...GATE_CANARIES]
