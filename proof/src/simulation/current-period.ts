import type { Budget } from '../../../packages/vsa/dist/index.js'
import type { BudgetSetting } from './script.ts'
import { Violation } from './violation.ts'

/**
 * Calls `record` with the period that the budget admits from now. `tryAdmit` and `refund` do not return the period that they used. A `decide` with cost 0
 * in the same turn does: it is decided at the call, and only its promise resolves later. Records keep the order of the calls within one event.
 * @param fail called when that `decide` fails (G2), and with what `record` throws
 */
export function withCurrentPeriod(
  budget: Budget,
  { windowed, key }: BudgetSetting,
  record: (period: number) => void,
  fail: (error: unknown) => void,
): void {
  if (!windowed) return attempt(() => record(0), fail)
  budget.decide(0).then(
    ({ period }) => {
      // Before the first join nothing was admitted, and a refund waits for its period.
      if (period !== undefined) attempt(() => record(period), fail)
    },
    (error: unknown) => fail(new Violation('G2', `${key}: a cost of 0 failed: ${String(error)}`)),
  )
}

function attempt(work: () => void, fail: (error: unknown) => void): void {
  try {
    work()
  } catch (error) {
    fail(error)
  }
}
