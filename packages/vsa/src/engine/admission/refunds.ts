import { assertUnits } from '../../core/units.ts'
import { windowOf } from '../api/arguments.ts'
import { closedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'

export interface RefundParts {
  readonly metrics: Metrics
  readonly session: Session
  readonly leases: LeaseTable
  readonly scheduler: FlushScheduler
  readonly intake: ChangeIntake
}

/** The slow path of refunds (O4): checks the arguments, and finds the row of the period that the units go back into. */
export class Refunds {
  readonly #parts: RefundParts

  constructor(parts: RefundParts) {
    this.#parts = parts
  }

  refund(handle: Gate, units: number, decision: { readonly period: number } | undefined): void {
    assertUnits('units', units)
    const { metrics, session, leases, scheduler, intake } = this.#parts
    const gate = handle.family.live(handle)
    const window = decision === undefined ? undefined : windowOf(gate, decision)
    if (scheduler.ended) throw closedError(gate.key)
    if (units === 0) return
    if (window === undefined && !session.hasJoined) intake.deferUntilJoined(gate, units)
    else intake.refund(window === undefined ? leases.current(gate) : leases.ofWindow(gate, window), units)
    metrics.refunds += 1
    metrics.refundedUnits += units
  }
}
