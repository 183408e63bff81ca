export { manualClock, type ManualClock, type ManualClockOptions } from './manual-clock.ts'
export { faultyStore, type FaultyStore } from './faulty-store.ts'
export type { FaultyStoreOptions, FaultyMethod } from './faulty-options.ts'
export { FAULT_KINDS, type Fault, type FaultKind, type FaultRates } from './fault.ts'
export { forgettingMemory, type ForgettingMemory, type ForgettingMemoryOptions } from './forgetting-memory.ts'
export { seededRandom, type Random } from './random.ts'
export {
  storeConformance,
  type ConformanceOptions,
  type Expectation,
  type LoseWrites,
  type MakeStore,
  type StoreNeeds,
  type StoreUnderTest,
  type TestRunner,
} from './store-conformance.ts'
