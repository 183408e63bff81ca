import type { OperationOf } from './operation.ts'
import type { OwnerProcess } from './owner-process.ts'
import type { PendingCalls } from './pending-calls.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'

/**
 * Equal durable `admit` calls of one turn, which the engine keeps as one request. `admit` tells no period and not whether the store decided, so
 * only budgets without windows are asked in this way, and only where an outage throws.
 */
export class CrowdCalls {
  readonly #context: RunContext
  readonly #calls: PendingCalls

  constructor(context: RunContext, calls: PendingCalls) {
    this.#context = context
    this.#calls = calls
  }

  canAsk(owner: OwnerProcess, setting: BudgetSetting, operation: OperationOf<'ask'>): boolean {
    const isDurable = operation.durable ?? owner.isDurable(setting)
    const { onStoreUnavailable } = this.#context.setting
    return operation.times > 1 && isDurable && !setting.windowed && onStoreUnavailable === 'throw'
  }

  ask(owner: OwnerProcess, setting: BudgetSetting, { units, durable, deadlineMs, times }: OperationOf<'ask'>): void {
    const { key } = setting
    const budget = owner.budget(setting)
    const options = deadlineMs === null && durable === null ? undefined : optionsOf(durable, deadlineMs)
    const noteFailed = (): void => owner.totals.failed.add(key, units)
    for (let time = 0; time < times; time += 1) {
      const asked = budget.admit(units, options)
      asked.catch(noteFailed)
      const onAnswer = (admitted: boolean): void => {
        // A request that was denied as reserved may have been in flight.
        if (admitted) this.#admitted(owner, key, units)
        else noteFailed()
      }
      this.#calls.waited(owner, `admit ${units} of ${key}`, asked, owner.deadlineOf(deadlineMs), onAnswer, [key])
    }
  }

  #admitted(owner: OwnerProcess, key: string, units: number): void {
    const { admissions, audit } = this.#context
    admissions.addAdmitted(owner.totals, { key, period: 0, units, durable: true }, audit.latestTime)
  }
}

function optionsOf(durable: boolean | null, deadlineMs: number | null) {
  return { ...(durable === null ? {} : { durable }), ...(deadlineMs === null ? {} : { deadlineMs }) }
}
