import type { Store } from '../../core/store.ts'
import { closedError } from '../api/errors.ts'
import type { Peek } from '../api/public-types.ts'
import type { Gate } from '../budget/gate.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { Session } from '../session/session.ts'

export interface PeekParts {
  readonly store: Store
  readonly session: Session
  readonly scheduler: FlushScheduler
  /** Resolves once an epoch is open. */
  readonly ready: () => Promise<void>
}

/** Reads one row from the store, and subtracts what this owner has not sent. Changes nothing. */
export class Peeks {
  readonly #parts: PeekParts

  constructor(parts: PeekParts) {
    this.#parts = parts
  }

  async peek(handle: Gate): Promise<Peek> {
    const { store, session, scheduler, ready } = this.#parts
    const gate = handle.family.live(handle)
    // A store that was closed would be opened again for it.
    if (scheduler.ended) throw closedError(gate.key)
    if (!session.hasJoined) await ready()
    const window = gate.row?.window ?? gate.plan.windowAt(session.time)
    const [stored] = await store.read([{ key: gate.key, period: window.start }])
    // While the store was read, an exchange may have made the row, and the gate may have gone on to the next period.
    const row = gate.row?.window.start === window.start ? gate.row : null
    const leased = row?.held ?? 0
    const reset = window.end === Infinity ? {} : { resetAtMs: window.end }
    const seen = stored ?? row?.figures
    if (seen === undefined || seen === null) {
      const { limit } = gate.plan
      return { limit, minted: limit, used: 0, remaining: limit, leased, burned: 0, ...reset }
    }
    const { limit, minted, used, burned } = seen
    const delta = row?.delta ?? 0
    return { limit, minted, used, remaining: Math.max(0, minted - used - burned - delta), leased, burned, ...reset }
  }
}
