import { closedError, DELETION_LATE, deletionLostError, deletionUnsupportedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowView } from '../budget/row-view.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { Recollection } from '../exchange/recollection.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import { called } from '../session/store-call.ts'
import { asStoreError } from '../session/store-health.ts'
import { type BudgetCall, type BudgetCallParts, BudgetCalls } from './budget-calls.ts'

/** The pause before a call that failed is made again, in ms. */
const RETRY_MS = 100

export interface DeletionParts extends BudgetCallParts {
  readonly leases: LeaseTable
  readonly intake: ChangeIntake
  readonly recollection: Recollection
}

/** P6: all that there is of a key goes, in the store and in this process. */
export class Deletions {
  readonly #parts: DeletionParts
  readonly #calls: BudgetCalls

  constructor(parts: DeletionParts) {
    this.#parts = parts
    this.#calls = new BudgetCalls(parts, { no: 'nothing was deleted', unknown: DELETION_LATE })
  }

  /** Resolves when the key is gone, and this process knows nothing of it. */
  async delete(handle: Gate): Promise<void> {
    if (this.#parts.settings.store.delete === undefined) throw deletionUnsupportedError(handle.key)
    return this.#calls.make(handle, async ({ key }, call) => {
      await this.#deleteAll(key, call)
      if (!call.reply.settled) await this.#hear(handle)
      call.reply.resolve()
    })
  }

  /**
   * A call is made again only where the one before was surely not applied: one that arrived late would delete what came after the caller had its answer.
   */
  async #deleteAll(key: string, { reply, attempt }: BudgetCall): Promise<void> {
    const { clock, store } = this.#parts.settings
    while (!reply.settled) {
      if (this.#parts.isClosed()) throw closedError(key, attempt.applied)
      const before = attempt.applied
      attempt.applied = 'unknown'
      try {
        if (await called(async () => store.delete?.(key))) return
        // A store may answer within this turn: others have theirs (L8).
        await new Promise<void>((resolve) => clock.soon(resolve))
        continue
      } catch (cause) {
        const error = asStoreError(cause)
        attempt.lastError = error
        if (!error.transient) throw error
        if (error.applied === 'unknown') throw deletionLostError(key, error)
        attempt.applied = before
      }
      await new Promise<void>((resolve) => clock.timer(RETRY_MS, resolve))
    }
  }

  /** This owner hears as every other one does: by the answer to its next exchange of each row that it knows. */
  async #hear(handle: Gate): Promise<void> {
    const { recollection } = this.#parts
    const gate = handle.family.live(handle)
    const { row, upcoming } = gate
    if (row === null) gate.forgetRow()
    recollection.dropKey(gate.key)
    await Promise.all([row, upcoming].map(async (view) => view && this.#hearOf(view)))
  }

  async #hearOf({ key, window }: RowView): Promise<void> {
    const { calls, intake, leases, settings } = this.#parts
    const row = leases.find(key, window.start)
    // The answer under way may still bring a lease of the deleted row.
    if (row === undefined || row.isQuarantined || !(row.isKnown || row.isInFlight)) return
    const { deadlineMs } = settings
    const reply = calls.open<void>({ key, deadlineMs, timedOut: () => new Error('unheard'), isPart: true })
    intake.callRow(row, { kind: 'hear', reply })
    await reply.promise
  }
}
