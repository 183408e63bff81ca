import { nextHold } from '../../core/lease-sizing.ts'
import type { Settings } from '../api/settings.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { Session } from '../session/session.ts'
import type { RowOrder } from './batch-entries.ts'

/** What a row's entry asks for: the next lease (O6, O7), and whether the row is marked as wanted (O12). */
export class LeasePlan {
  readonly #settings: Settings
  readonly #session: Session

  constructor(settings: Settings, session: Session) {
    this.#settings = settings
    this.#session = session
  }

  /** @param isReturned the lease goes back */
  orderFor(row: LeasedRow, isReturned: boolean, nowMs: number): RowOrder {
    const { flushIntervalMs } = this.#settings
    return {
      hold: isReturned ? 0 : this.#holdFor(row, nowMs),
      wantMs: row.schedule.takeWant(nowMs, flushIntervalMs),
      policy: row.isKnown ? undefined : row.plan.rowPolicy(row.window, this.#versionOf(row)),
    }
  }

  /** P1: of the policy that the process has for the budget now. P3: the row of a policy of before keeps its terms: every version is higher than 0. */
  #versionOf({ gate, plan, window: { start, end } }: LeasedRow): number {
    const window = plan.windowAt(start)
    if (window.start !== start || window.end !== end) return 0
    return Math.max(this.#session.version, gate.history?.changed?.version ?? 0)
  }

  #holdFor(row: LeasedRow, nowMs: number): number {
    const { flushIntervalMs } = this.#settings
    const { plan, figures, lease, schedule } = row
    if (row.isRetired || schedule.yields || plan.atRisk === 0 || nowMs < schedule.recalledUntilMs) return 0
    // P4: the limit was lowered below what is spent and leased.
    if (row.isBurned || (figures !== null && figures.pool < 0)) return 0
    const isFirstRequest = figures === null && row.takers === 1
    if (row.gate.isSparse && isFirstRequest) return 0
    const spent = lease.spentSince + schedule.demand
    if (spent === 0 && row.isUnused(nowMs, flushIntervalMs)) return 0
    return nextHold({
      hold: lease.hold,
      spent,
      least: schedule.demandMost,
      elapsedMs: nowMs - schedule.sentAtMs,
      flushIntervalMs,
      exchangeMs: this.#session.exchangeMs,
      atRisk: plan.atRisk,
      available: figures === null ? Infinity : Math.max(figures.pool, 0) + lease.held,
      others: figures?.others ?? 0,
    })
  }
}
