import type { BudgetAnswer } from '../../core/exchange.ts'
import type { Account, Figures } from '../rows/row-lease.ts'
import type { Announce } from '../runtime/event-sink.ts'

/** What was known of a row before its answer came. */
interface Before {
  /** Null when it was not kept: the budget was idle. */
  readonly figures: Figures | null
  /** Units used before this exchange, as far as this owner can tell. */
  readonly used: number
  /** The row had been seen. */
  readonly known: boolean
}

/** Compares what the store says of a row with what it said before, and tells whoever listens. */
export class Watch {
  readonly #announce: Announce
  readonly #thresholds: readonly number[]

  constructor(announce: Announce, thresholds: readonly number[]) {
    this.#announce = announce
    this.#thresholds = thresholds
  }

  compare(account: Account, before: Before, after: BudgetAnswer): void {
    const { gate, window } = account
    const row = { key: gate.key, period: window.start }
    const { figures } = before
    const limitIsNews = figures === null ? !before.known : figures.limit !== after.limit
    if (limitIsNews && after.limit !== gate.plan.limit) {
      this.#announce({ type: 'policy_conflict', key: row.key, declared: gate.plan.limit, holds: after.limit })
    }
    if (figures !== null && after.burned > figures.burned) {
      this.#announce({ type: 'burned', ...row, units: after.burned - figures.burned, burned: after.burned })
      const { burnMax } = gate.plan
      if (figures.burned < burnMax && after.burned >= burnMax)
        this.#announce({ type: 'burn_limit', ...row, burned: after.burned })
    }
    for (const fraction of this.#thresholds) {
      const mark = fraction * after.minted
      if (before.used < mark && after.used >= mark) {
        this.#announce({ type: 'threshold', ...row, fraction, used: after.used, limit: after.limit })
      }
    }
  }
}
