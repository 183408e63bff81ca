import type { Admissions } from './admissions.ts'
import type { Scenarios } from './scenarios.ts'
import type { Setting } from './script.ts'
import type { StoreAudit } from './store-audit.ts'
import type { PolicyWindows } from './policy-windows.ts'

/** What the callers and the checks of a run share. */
export interface RunContext {
  readonly setting: Setting
  readonly admissions: Admissions
  readonly audit: StoreAudit
  readonly scenarios: Scenarios
  readonly windows: PolicyWindows
  /** The wall clock of the store's machine, ms since 1970. */
  readonly storeTime: () => number
  /** That clock was set in this run. */
  readonly storeHasJumped: () => boolean
  /** Whether the process of the epoch was killed. */
  readonly isDead: (epoch: number) => boolean
  /** Whether the error is one that users may expect: a `VsaError` or a `StoreError`. */
  readonly isExpected: (error: unknown) => boolean
  readonly trace: (line: () => string) => void
  /** Reports a violation or an error. The run ends with the present event. */
  readonly fail: (error: unknown) => void
  /** Runs one check. A failure is recorded, and the next check still runs. */
  readonly attempt: (check: () => void) => void
  /** Requests by callers. */
  operations: number
}
