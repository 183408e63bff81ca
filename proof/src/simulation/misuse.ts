import type { AdmitOptions } from 'vsa'
import { budgetAt, type OperationOf } from './operation.ts'
import { MISUSES } from './draw-script.ts'
import type { OwnerProcess } from './owner-process.ts'
import type { RunContext } from './run-context.ts'
import { must, Violation } from './violation.ts'

/** G1: invalid arguments throw, and change nothing. */
export function misuse(
  { setting, scenarios, fail }: RunContext,
  owner: OwnerProcess,
  operation: OperationOf<'misuse'>,
): void {
  const chosen = budgetAt(setting, operation.budget)
  if (chosen === undefined) return
  const units = MISUSES[operation.how] as number
  const budget = owner.budget(chosen)
  const before = JSON.stringify(owner.vsa.stats())
  if (!owner.isDurable(chosen)) assertThrows(() => budget.tryAdmit(units), units)
  assertThrows(() => budget.refund(units), units)
  const misspelt = { deadline: 5 } as AdmitOptions
  for (const promise of [
    budget.admit(units),
    budget.decide(units),
    owner.vsa.admitAll([[budget, units]]),
    budget.admit(1, misspelt),
  ]) {
    promise.then(
      () => fail(new Violation('G1', `${String(units)} units, or an unknown option, were accepted`)),
      (error: unknown) => {
        if (!isRefusal(error)) fail(error)
      },
    )
  }
  must(
    JSON.stringify(owner.vsa.stats()) === before,
    'G1',
    () => `the invalid cost ${String(units)} changed the statistics: ${before} ${JSON.stringify(owner.vsa.stats())}`,
  )
  scenarios.note('19 misuse')
}

function assertThrows(call: () => unknown, units: unknown): void {
  try {
    call()
  } catch (error) {
    if (isRefusal(error)) return
    throw error
  }
  must(false, 'G1', () => `${String(units)} was accepted as a number of units`)
}

/** The error names the argument. The messages of the language do not. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof TypeError || error instanceof RangeError)) return false
  return /^(units|needs\[0\]\[1\]) must be |^options\.deadline is not known/.test(error.message)
}
