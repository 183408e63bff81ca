import type { BudgetAnswer } from '../core/exchange.ts'
import type { Account, Figures } from './account.ts'
import type { Announce } from './announcer.ts'

/** Compares what the store says of a row with what it said before, and tells whoever listens. */
export class Watch {
  readonly #announce: Announce
  readonly #thresholds: readonly number[]

  constructor(announce: Announce, thresholds: readonly number[]) {
    this.#announce = announce
    this.#thresholds = thresholds
  }

  compare(account: Account, before: Figures | null, after: BudgetAnswer): void {
    const { gate, window } = account
    const row = { key: gate.key, period: window.start }
    if (before === null) {
      if (after.limit !== gate.plan.limit) {
        this.#announce({ type: 'policy_conflict', key: row.key, declared: gate.plan.limit, holds: after.limit })
      }
      return
    }
    if (before.limit !== after.limit && after.limit !== gate.plan.limit) {
      this.#announce({ type: 'policy_conflict', key: row.key, declared: gate.plan.limit, holds: after.limit })
    }
    if (after.burned > before.burned) {
      this.#announce({ type: 'burned', ...row, units: after.burned - before.burned, burned: after.burned })
      const { burnMax } = gate.plan
      if (before.burned < burnMax && after.burned >= burnMax) this.#announce({ type: 'burn_limit', ...row, burned: after.burned })
    }
    for (const fraction of this.#thresholds) {
      const mark = fraction * after.minted
      if (before.used < mark && after.used >= mark) {
        this.#announce({ type: 'threshold', ...row, fraction, used: after.used, limit: after.limit })
      }
    }
  }
}
