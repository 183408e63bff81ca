import type { Budget } from '../../../packages/vsa/dist/index.js'
import type { BudgetSetting } from './script.ts'
import { Violation } from './violation.ts'

/**
 * Hands `record` the period that the budget admits from now. `tryAdmit` and `refund` do not say which period they used; a look (a cost of 0) made in
 * the same turn does. It is decided at the call, and only its promise resolves later: records keep the order of the calls, within one event.
 * @param fail called when the look fails (G2), and with what `record` throws
 */
export function withCurrentPeriod(
  budget: Budget,
  { windowed, key }: BudgetSetting,
  record: (period: number) => void,
  fail: (error: unknown) => void,
): void {
  if (!windowed) return attempt(() => record(0), fail)
  budget.decide(0).then(
    ({ period }) => attempt(() => record(period), fail),
    (error: unknown) => fail(new Violation('G2', `${key}: a look failed: ${String(error)}`)),
  )
}

function attempt(work: () => void, fail: (error: unknown) => void): void {
  try {
    work()
  } catch (error) {
    fail(error)
  }
}
