import type { Window } from '../../core/plan.ts'
import { assertUnits } from '../../core/units.ts'
import { assertAbout, assertAdmitted, assertDecision, assertWithoutId, periodError } from '../api/arguments.ts'
import { closedError } from '../api/errors.ts'
import type { PastDecision } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { CounterState } from '../budget/counter-state.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'
import type { Decisions } from './decisions.ts'
import { sharesBack } from './shares-back.ts'

export interface RefundParts {
  readonly settings: Pick<Settings, 'emit'>
  readonly metrics: Metrics
  readonly session: Session
  readonly leases: LeaseTable
  readonly scheduler: FlushScheduler
  readonly intake: ChangeIntake
  readonly decisions: Decisions
  /** The budget with this key; undefined where this process knows of none. */
  readonly find: (key: string) => Gate | undefined
  readonly counterOf: (key: string) => CounterState
  /** Adds to a counter. */
  readonly book: (overage: CounterState, units: number) => void
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
    if (decision?.from !== undefined) return this.#refundShares(gate, units, decision)
    const period = decision === undefined ? undefined : this.#periodOf(decision, gate.key, units)
    const window = typeof period === 'number' ? decisions.windowIn(gate, period) : undefined
    // A policy that has changed since may have no such period.
    const isPast = typeof period === 'number' && window === undefined
    if (isPast && decision?.admitted !== true) throw periodError(gate.key, period)
    if (scheduler.ended) throw closedError(gate.key)
    if (units === 0 || period === null) return
    if (isPast) return this.#refuse(gate, period, units)
    if (window === undefined && !session.hasJoined) intake.deferUntilJoined(gate, units)
    else intake.refund(window === undefined ? leases.current(gate) : leases.ofWindow(gate, window), units)
    this.#count(gate, units)
  }

  /** Units of a period that this process has charged, whatever has become of the policy since. */
  giveBack(handle: Gate, units: number, window: Window): void {
    const { leases, scheduler, intake } = this.#parts
    const gate = handle.family.live(handle)
    if (scheduler.ended) throw closedError(gate.key)
    intake.refund(leases.ofWindow(gate, window), units)
    this.#count(gate, units)
  }

  /** Null: nothing goes back. @throws TypeError for what is no decision, and where units are to go back of one that denied or is about other budgets */
  #periodOf(decision: PastDecision, key: string, units: number): number | null {
    assertDecision(decision)
    const period = this.#parts.decisions.periodOf(decision, key)
    if (units > 0) {
      assertAdmitted(decision)
      assertWithoutId(this.#parts.decisions.isGivenBackById(decision, key))
      assertAbout(period !== undefined, decision, key)
    }
    return period ?? null
  }

  /** V3: to the last source first, each into the period that it came from. */
  #refundShares(gate: Gate, units: number, decision: PastDecision): void {
    const { scheduler, decisions, find, book, counterOf, intake } = this.#parts
    assertDecision(decision)
    const { unaccounted, repeated, key: asked, from = [] } = decision
    if (units > 0) {
      assertAdmitted(decision)
      assertWithoutId(decisions.isGivenBackById(decision, gate.key))
      assertAbout(asked === gate.key || from.some(({ key }) => key === gate.key), decision, gate.key)
    }
    if (scheduler.ended) throw closedError(gate.key)
    if (units === 0 || unaccounted === true || repeated === true) return
    const shares = sharesBack(from, units).map((share) => {
      const source = share.period === null ? undefined : (decisions.sourceOf(decision, share.key) ?? find(share.key))
      return {
        share,
        source,
        row: share.period === null || source === undefined ? undefined : this.#rowOf(source, share.period),
      }
    })
    // All of it or nothing: the caller may make the call again.
    const rows = shares.flatMap(({ row }) => row ?? [])
    const counters = shares.filter(({ share: { key, period } }) => period === null && !counterOf(key).dirty)
    intake.assertRefunds(rows, counters.length)
    for (const { share, source, row } of shares) {
      if (share.period === null) book(counterOf(share.key), -share.units)
      else if (source === undefined || row === undefined)
        this.#refuse({ key: share.key, metrics: gate.metrics }, share.period, share.units)
      else this.giveBack(source, share.units, row.window)
    }
  }

  /** Undefined where its policy has no such period any more. */
  #rowOf(source: Gate, period: number): LeasedRow | undefined {
    const { decisions, leases } = this.#parts
    const gate = source.family.live(source)
    const window = decisions.windowIn(gate, period)
    return window && leases.ofWindow(gate, window)
  }

  #count({ metrics }: Pick<Gate, 'metrics'>, units: number): void {
    metrics.refunds += 1
    metrics.refundedUnits += units
  }

  #refuse({ key, metrics: counted }: Pick<Gate, 'key' | 'metrics'>, period: number, units: number): void {
    const { metrics, settings } = this.#parts
    this.#count({ metrics: counted }, units)
    metrics.refundsRefused += units
    settings.emit({ type: 'refunds_refused', key, period, units })
  }
}
