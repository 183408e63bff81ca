import type { Admitted, DenialReason, Denied } from '../../core/decision.ts'
import type { Account } from '../rows/row-lease.ts'
import type { Gate } from '../budget/gate.ts'
import type { Session } from '../session/session.ts'
import type { GateNeed } from '../requests/pending-request.ts'

type Shown = Omit<Admitted, 'admitted' | 'unaccounted'>

/** Turns what an owner knows of a budget into decisions for headers and reasons: for display, never for deciding. */
export class FiguresDesk {
  readonly #session: Session
  readonly #flushIntervalMs: number

  constructor(session: Session, flushIntervalMs: number) {
    this.#session = session
    this.#flushIntervalMs = flushIntervalMs
  }

  /** @param account the row that the units came from: the gate may be in the next period already */
  admitted({ gate, units }: GateNeed, account: Account | null, unaccounted: boolean): Admitted {
    const shown = this.#shown(gate, units, account)
    return unaccounted ? { admitted: true, unaccounted, ...shown } : { admitted: true, ...shown }
  }

  denied({ gate, units }: GateNeed, account: Account | null): Denied {
    const reason = reasonOf(account, units)
    const retryAfterMs = this.#retryAfterMs(gate, account, reason)
    const shown = this.#shown(gate, units, account)
    return retryAfterMs === undefined
      ? { admitted: false, reason, ...shown }
      : { admitted: false, reason, retryAfterMs, ...shown }
  }

  #shown(gate: Gate, units: number, account: Account | null): Shown {
    const { plan } = gate
    const window = account?.window ?? plan.windowAt(this.#session.time)
    const limit = account?.figures?.limit ?? plan.limit
    const shown = { key: gate.key, units, limit, remaining: remainingOf(account, plan.limit), period: window.start }
    return window.end === Infinity ? shown : { ...shown, resetAtMs: window.end }
  }

  #retryAfterMs(gate: Gate, account: Account | null, reason: DenialReason): number | undefined {
    if (reason === 'over-limit') return undefined
    if (reason === 'reserved') return this.#flushIntervalMs
    const window = gate.plan.windowAt(this.#session.time)
    // The gate may be in the next period already, by a few ms (O11).
    const end = Math.max(window.end, account?.window.end ?? 0)
    return end === Infinity ? undefined : Math.max(1, end - this.#session.time)
  }
}

/** Units of the row that are neither used, burned nor spent by this owner, as of the last exchange. */
function remainingOf(account: Account | null, limit: number): number {
  const figures = account?.figures
  if (account === null || figures === null || figures === undefined) return limit
  const delta = account.spentSince + (account.sent?.spent ?? 0)
  return Math.max(0, figures.minted - figures.used - figures.burned - delta)
}

function reasonOf(account: Account | null, units: number): DenialReason {
  const figures = account?.figures
  if (account === null || figures === null || figures === undefined) return 'exhausted'
  if (units > figures.minted) return 'over-limit'
  return units <= account.reach ? 'reserved' : 'exhausted'
}
