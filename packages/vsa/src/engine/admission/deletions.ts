import { type Applied, StoreError } from '../../core/errors.ts'
import { closedError, DELETION_LATE, deletionUnsupportedError, permanentError, timeoutError } from '../api/errors.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowView } from '../budget/row-view.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Deferred } from '../runtime/deferred.ts'
import { called } from '../session/store-call.ts'
import type { Session } from '../session/session.ts'
import { asStoreError } from '../session/store-health.ts'

/** The pause before a call that failed is made again, in ms. */
const RETRY_MS = 100

export interface DeletionParts {
  readonly settings: Settings
  readonly session: Session
  readonly leases: LeaseTable
  readonly intake: ChangeIntake
  readonly calls: PendingCalls
  /** Resolves once the store has been joined. */
  readonly joined: () => Promise<void>
  /** O13 */
  readonly isClosed: () => boolean
}

/** P6: all that there is of a key goes, in the store and in this process. */
export class Deletions {
  readonly #parts: DeletionParts

  constructor(parts: DeletionParts) {
    this.#parts = parts
  }

  /** Resolves when the key is gone, and this process knows nothing of it. The caller hears of the deadline, whatever is waited for. */
  async delete(handle: Gate): Promise<void> {
    const { calls, isClosed, joined, session, settings } = this.#parts
    const { key } = handle
    if (isClosed()) throw closedError(key)
    if (settings.store.delete === undefined) throw deletionUnsupportedError(key)
    const { deadlineMs } = settings
    const attempt: Attempt = { applied: 'no', lastError: null }
    const timedOut = (): Error => {
      const { applied, lastError } = attempt
      const outcome = applied === 'unknown' ? DELETION_LATE : 'nothing was deleted'
      return timeoutError({ key, deadlineMs, applied, lastError: lastError ?? session.lastError, outcome })
    }
    const reply = calls.open<void>({ key, deadlineMs, timedOut })
    joined()
      .then(() => this.#deleteAll(key, reply, attempt))
      .then(() => this.#hear(handle))
      .then(() => reply.resolve())
      .catch((error: unknown) =>
        reply.reject(error instanceof StoreError ? permanentError(key, error, attempt.applied) : error),
      )
    return reply.promise
  }

  /** A deletion may be repeated, so that one that failed is tried again while its caller waits. */
  async #deleteAll(key: string, reply: Deferred<void>, attempt: Attempt): Promise<void> {
    const { clock, store } = this.#parts.settings
    for (;;) {
      if (reply.settled) return
      if (this.#parts.isClosed()) throw closedError(key, attempt.applied)
      try {
        attempt.applied = 'unknown'
        if (await called(async () => store.delete?.(key))) return
        continue
      } catch (cause) {
        attempt.lastError = asStoreError(cause)
        if (!attempt.lastError.transient) throw attempt.lastError
      }
      await new Promise<void>((resolve) => clock.timer(RETRY_MS, resolve))
    }
  }

  /** This owner hears as every other one does: by the answer to its next exchange of each row that it knows. */
  async #hear(handle: Gate): Promise<void> {
    const gate = handle.family.live(handle)
    const { row, upcoming } = gate
    if (row === null) gate.forgetRow()
    await Promise.all([row, upcoming].map(async (view) => view && this.#hearOf(view)))
  }

  async #hearOf({ key, window }: RowView): Promise<void> {
    const { calls, intake, leases, settings } = this.#parts
    const row = leases.find(key, window.start)
    if (row === undefined || !row.isKnown || row.isQuarantined) return
    const reply = calls.open<void>({ key, deadlineMs: settings.deadlineMs, timedOut: () => new Error('unheard') })
    intake.callRow(row, { kind: 'hear', reply })
    await reply.promise
  }
}

/** What a call has come to. */
interface Attempt {
  applied: Applied
  lastError: StoreError | null
}
