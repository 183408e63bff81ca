import { type Applied, StoreError } from '../../core/errors.ts'
import { closedError, permanentError, timeoutError } from '../api/errors.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import type { Deferred } from '../runtime/deferred.ts'
import type { Session } from '../session/session.ts'

export interface BudgetCallParts {
  readonly settings: Settings
  readonly session: Session
  readonly calls: PendingCalls
  /** Resolves once the store has been joined, and periods are known. */
  readonly joined: () => Promise<void>
  /** O13 */
  readonly isClosed: () => boolean
}

/** What a call has come to. */
interface Attempt {
  applied: Applied
  lastError: StoreError | null
}

export interface BudgetCall {
  readonly reply: Deferred<void>
  readonly attempt: Attempt
}

/** Calls about one budget that are no admissions: changes of its policy, resets, deletions. The caller hears of the deadline, whatever is waited for. */
export class BudgetCalls {
  readonly #parts: BudgetCallParts
  readonly #outcomes: Readonly<Record<Applied, string>>

  /** @param outcomes what is said of the budget when a call times out */
  constructor(parts: BudgetCallParts, outcomes: Readonly<Record<Applied, string>>) {
    this.#parts = parts
    this.#outcomes = outcomes
  }

  /** @param work settles `reply`, or throws */
  async make(handle: Gate, work: (gate: Gate, call: BudgetCall) => Promise<void>): Promise<void> {
    const { calls, isClosed, joined, session, settings } = this.#parts
    const gate = handle.family.live(handle)
    const { key } = gate
    if (isClosed()) throw closedError(key)
    const { deadlineMs } = settings
    const attempt: Attempt = { applied: 'no', lastError: null }
    const timedOut = (): Error => {
      const { applied, lastError } = attempt
      const outcome = this.#outcomes[applied]
      return timeoutError({ key, deadlineMs, applied, lastError: lastError ?? session.lastError, outcome })
    }
    const reply = calls.open<void>({ key, deadlineMs, timedOut })
    joined()
      .then(() => work(gate, { reply, attempt }))
      .catch((error: unknown) =>
        reply.reject(error instanceof StoreError ? permanentError(key, error, attempt.applied) : error),
      )
    return reply.promise
  }
}
