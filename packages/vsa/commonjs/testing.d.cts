// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/testing/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/testing/index.js' with { 'resolution-mode': 'import' }
export declare const FAULT_KINDS: typeof module.FAULT_KINDS
export declare const faultyStore: typeof module.faultyStore
export declare const forgettingMemory: typeof module.forgettingMemory
export declare const manualClock: typeof module.manualClock
export declare const seededRandom: typeof module.seededRandom
export declare const storeConformance: typeof module.storeConformance
