import type { Admitted, Decision, DenialReason, Denied } from '../../core/decision.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowView } from '../budget/row-view.ts'
import type { GateNeed, Verdict } from '../requests/pending-request.ts'
import type { Session } from '../session/session.ts'

type Shown = Omit<Admitted, 'admitted' | 'unaccounted' | 'reason' | 'retryAfterMs'>

/** Turns verdicts into decisions with the figures for headers and reasons: for display, never for deciding. */
export class Decisions {
  readonly #session: Pick<Session, 'time'>
  readonly #flushIntervalMs: number

  constructor(session: Pick<Session, 'time'>, flushIntervalMs: number) {
    this.#session = session
    this.#flushIntervalMs = flushIntervalMs
  }

  /** @param asked the first need: it is shown where none refused */
  of(verdict: Exclude<Verdict, { kind: 'failed' }>, asked: GateNeed): Decision {
    switch (verdict.kind) {
      case 'denied':
        return this.#denied(verdict, verdict.row)
      case 'unaccounted':
        return { admitted: true, unaccounted: true, ...this.#shown(asked, this.#rowOf(asked.gate)) }
      case 'admitted':
        // The row that the units came from: the gate may be in the next period already.
        return { admitted: true, ...this.#shown(asked, verdict.row ?? this.#rowOf(asked.gate)) }
    }
  }

  /** What the gate admits from: until its next request that may still be the row fetched ahead, whose period has begun. */
  #rowOf({ row, upcoming }: Gate): RowView | null {
    if (row !== null || upcoming === null) return row
    return upcoming.window.start <= this.#session.time ? upcoming : null
  }

  #denied(need: GateNeed, row: RowView | null): Denied {
    const reason = reasonOf(row, need.units)
    const retryAfterMs = this.#retryAfterMs(need.gate, row, reason)
    const shown = this.#shown(need, row)
    return retryAfterMs === undefined
      ? { admitted: false, reason, ...shown }
      : { admitted: false, reason, retryAfterMs, ...shown }
  }

  #shown({ gate, units }: GateNeed, row: RowView | null): Shown {
    const { plan } = gate
    const window = row?.window ?? plan.windowAt(this.#session.time)
    const limit = row?.figures?.limit ?? plan.limit
    const shown = { key: gate.key, units, limit, remaining: remainingOf(row, plan.limit), period: window.start }
    return window.end === Infinity ? shown : { ...shown, resetAtMs: window.end }
  }

  #retryAfterMs(gate: Gate, row: RowView | null, reason: DenialReason): number | undefined {
    if (reason === 'over-limit') return undefined
    if (reason === 'reserved') return this.#flushIntervalMs
    const window = gate.plan.windowAt(this.#session.time)
    // The gate may be in the next period already, by a few ms (O11).
    const end = Math.max(window.end, row?.window.end ?? 0)
    return end === Infinity ? undefined : Math.max(1, end - this.#session.time)
  }
}

/** Units of the row that are neither used, burned nor spent by this owner, as of the last exchange. */
function remainingOf(row: RowView | null, limit: number): number {
  const figures = row?.figures
  if (row === null || figures === null || figures === undefined) return limit
  return Math.max(0, figures.minted - figures.used - figures.burned - row.delta)
}

function reasonOf(row: RowView | null, units: number): DenialReason {
  const figures = row?.figures
  if (row === null || figures === null || figures === undefined) return 'exhausted'
  if (units > figures.minted) return 'over-limit'
  return units <= row.reach ? 'reserved' : 'exhausted'
}
