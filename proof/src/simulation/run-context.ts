import type { Reached } from './reached.ts'
import type { Setting } from './script.ts'
import type { StoreAudit } from './store-audit.ts'
import type { Tellings } from './tellings.ts'

/** What all who act and watch in a run share. */
export interface RunContext {
  readonly setting: Setting
  readonly tellings: Tellings
  readonly audit: StoreAudit
  readonly reached: Reached
  /** The store's time as its machine has it. */
  readonly storeTime: () => number
  /** Whether the error is one that users may expect: a `VsaError` or a `StoreError`. */
  readonly isExpected: (error: unknown) => boolean
  readonly trace: (line: () => string) => void
  /** Something did not hold: ends the run. */
  readonly fail: (error: unknown) => void
  /** Requests that callers made. */
  operations: number
}
