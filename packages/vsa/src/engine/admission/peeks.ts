import type { Timer } from '../../core/clock.ts'
import { InvariantError, type StoreError } from '../../core/errors.ts'
import type { Window } from '../../core/plan.ts'
import { closedError, permanentError, quarantinedError, timeoutError } from '../api/errors.ts'
import type { Peek } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowView } from '../budget/row-view.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import type { Deferred } from '../runtime/deferred.ts'
import type { Session } from '../session/session.ts'
import { asStoreError } from '../session/store-health.ts'
import type { StoreReads } from '../session/store-reads.ts'

/** The pause before a read that failed is made again, in ms. */
const RETRY_MS = 50

export interface PeekParts {
  readonly settings: Settings
  readonly session: Session
  readonly scheduler: FlushScheduler
  readonly reads: StoreReads
  readonly calls: PendingCalls
}

/** One call that waits. */
interface Look {
  readonly gate: Gate
  readonly reply: Deferred<Peek>
  /** Why its last read failed. */
  lastError: StoreError | null
  pause: Timer | null
  isStarted: boolean
}

/** What a row holds, by the store or by the last answer. */
type Amounts = Pick<Peek, 'minted' | 'used' | 'burned'> & { readonly reserved?: number }

/** Reads one row from the store, and adds what this owner has not sent: the figures of one moment. Changes nothing. */
export class Peeks {
  readonly #parts: PeekParts
  readonly #looks = new Set<Look>()

  constructor(parts: PeekParts) {
    this.#parts = parts
  }

  async peek(handle: Gate): Promise<Peek> {
    const { calls, scheduler, session, settings } = this.#parts
    const gate = handle.family.live(handle)
    const { key } = gate
    // A store that was closed would be opened again for it.
    if (scheduler.ended) throw closedError(key)
    const { deadlineMs } = settings
    const timedOut = (): Error =>
      timeoutError({ key, deadlineMs, applied: 'no', lastError: look.lastError ?? session.lastError })
    const onSettled = (): void => this.#forget(look)
    const reply = calls.open<Peek>({ key, deadlineMs, timedOut, onSettled })
    const look: Look = { gate, reply, lastError: null, pause: null, isStarted: false }
    this.#looks.add(look)
    if (session.hasJoined) this.#start(look)
    return reply.promise
  }

  /** The session has an epoch: periods are known. */
  opened(): void {
    for (const look of this.#looks) if (!look.isStarted) this.#start(look)
  }

  /** The store failed for good: waiting does not help. */
  failed(error: StoreError): void {
    for (const { gate, reply } of this.#looks) reply.reject(permanentError(gate.key, error, 'no'))
  }

  /** The engine has closed. */
  close(): void {
    for (const { gate, reply } of this.#looks) reply.reject(closedError(gate.key))
  }

  #forget(look: Look): void {
    look.pause?.cancel()
    this.#looks.delete(look)
  }

  #start(look: Look): void {
    look.isStarted = true
    const gate = look.gate.family.live(look.gate)
    const { reads, session } = this.#parts
    const window = gate.row?.window ?? gate.plan.windowAt(session.time)
    const before = rowOf(gate, window)
    const figures = before?.figures ?? null
    reads.rows([{ key: gate.key, period: window.start }]).then(
      ([stored]) => {
        const row = rowOf(gate, window)
        // What was kept of it has been forgotten, or its period is over.
        if (before !== null && row === null && !look.reply.settled) return this.#start(look)
        // The read may or may not have seen an exchange that is in flight, or was answered meanwhile: what the last answer said is of one moment.
        const isUnsure = row !== null && (row.isInFlight || row.figures !== figures)
        const seen = isUnsure ? (row.figures ?? stored) : (stored ?? row?.figures)
        look.reply.resolve(peekOf(gate, window, seen ?? null, row))
      },
      (cause: unknown) => {
        const error = asStoreError(cause)
        // S6: one row was read, and reading it again does not help.
        if (error.cause instanceof InvariantError || rowOf(gate, window)?.isQuarantined === true)
          look.reply.reject(quarantinedError(gate.key))
        else this.#retry(look, error)
      },
    )
  }

  #retry(look: Look, error: StoreError): void {
    const { settings } = this.#parts
    look.lastError = error
    if (!error.transient) look.reply.reject(permanentError(look.gate.key, error, 'no'))
    if (look.reply.settled) return
    look.pause = settings.clock.timer(RETRY_MS, () => this.#start(look))
  }
}

/** What is kept of the row, if the gate is still in its period. */
function rowOf({ row }: Gate, window: Window): RowView | null {
  return row?.window.start === window.start ? row : null
}

function peekOf({ plan }: Gate, { end }: Window, seen: Amounts | null, row: RowView | null): Peek {
  const reset = end === Infinity ? {} : { resetAtMs: end }
  const { minted, used: settled, reserved = 0, burned } = seen ?? { minted: plan.limit, used: 0, burned: 0 }
  const delta = row?.delta ?? 0
  const used = Math.max(0, settled + delta - (row?.owed ?? 0))
  const leased = Math.max(0, (row?.held ?? 0) - delta)
  const remaining = Math.max(0, minted - used - reserved - burned)
  return { limit: minted, minted, used, reserved, remaining, leased, burned, ...reset }
}
