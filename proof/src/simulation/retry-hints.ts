import type { Decision } from '../../../packages/vsa/dist/index.js'
import type { OwnerProcess } from './owner-process.ts'
import type { RunContext } from './run-context.ts'
import { must } from './violation.ts'

/** The longest wait that is tried, in ms: those of the short periods. */
const WAIT_MAX_MS = 4_500

/** O11: callers that wait for exactly as long as a denial says. The period that denied them must be over for them. */
export class RetryHints {
  readonly #context: RunContext
  /** One at a time for each process and budget. */
  readonly #waiting = new Set<string>()

  constructor(context: RunContext) {
    this.#context = context
  }

  /** @param again asks for one unit, and hands over the decision */
  follow(owner: OwnerProcess, denied: Decision, again: (decided: (decision: Decision) => void) => void): void {
    if (denied.admitted || denied.reason !== 'exhausted') return
    const { key, period, resetAtMs = Infinity, retryAfterMs = Infinity } = denied
    const name = `${owner.name}:${key}`
    if (retryAfterMs > WAIT_MAX_MS || this.#waiting.has(name)) return
    this.#waiting.add(name)
    const { standstills } = owner.requests
    owner.machine.timer(retryAfterMs, () => {
      this.#waiting.delete(name)
      const isClear = owner.serves && owner.requests.standstills === standstills
      // After a clock was set back, store time goes slowly, and hints are too short.
      if (!isClear || this.#context.storeHasJumped() || this.#context.storeTime() < resetAtMs) return
      this.#context.scenarios.note('37 waited for exactly `retryAfterMs`')
      again((decision) => {
        // The clock may be set back while the store is asked, too.
        if (this.#context.storeHasJumped()) return
        must(decision.period !== period, 'O11', () => `${key}: denied for ${period} again after ${retryAfterMs} ms`)
      })
    })
  }
}
