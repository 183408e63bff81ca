import { assertUnits } from '../../core/units.ts'
import { windowOf } from '../api/arguments.ts'
import { closedError } from '../api/errors.ts'
import type { PastDecision } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'
import type { Decisions } from './decisions.ts'

export interface RefundParts {
  readonly settings: Pick<Settings, 'emit'>
  readonly metrics: Metrics
  readonly session: Session
  readonly leases: LeaseTable
  readonly scheduler: FlushScheduler
  readonly intake: ChangeIntake
  readonly decisions: Decisions
}

/** The slow path of refunds (O4): checks the arguments, and finds the row of the period that the units go back into. */
export class Refunds {
  readonly #parts: RefundParts

  constructor(parts: RefundParts) {
    this.#parts = parts
  }

  refund(handle: Gate, units: number, decision: PastDecision | undefined): void {
    assertUnits('units', units)
    const { session, leases, scheduler, intake, decisions } = this.#parts
    const gate = handle.family.live(handle)
    const given = decision === undefined ? undefined : decisions.givenBack(decision, gate.key)
    const window = given?.kind === 'units' ? windowOf(gate, given.period) : undefined
    if (scheduler.ended) throw closedError(gate.key)
    if (units === 0 || given?.kind === 'nothing') return
    if (given?.kind === 'foreign') return this.#refuse(gate, given.period, units)
    if (window === undefined && !session.hasJoined) intake.deferUntilJoined(gate, units)
    else intake.refund(window === undefined ? leases.current(gate) : leases.ofWindow(gate, window), units)
    this.#count(units)
  }

  #count(units: number): void {
    this.#parts.metrics.refunds += 1
    this.#parts.metrics.refundedUnits += units
  }

  #refuse({ key }: Gate, period: number, units: number): void {
    const { metrics, settings } = this.#parts
    this.#count(units)
    metrics.refundsRefused += units
    settings.emit({ type: 'refunds_refused', key, period, units })
  }
}
