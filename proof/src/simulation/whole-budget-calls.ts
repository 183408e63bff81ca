import { budgetAt, type OperationOf } from './operation.ts'
import type { OwnerProcess } from './owner-process.ts'
import type { PendingCalls } from './pending-calls.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'

/** Callers that reset or delete a budget: P5, P6. */
export class WholeBudgetCalls {
  readonly #context: RunContext
  readonly #calls: PendingCalls

  constructor(context: RunContext, calls: PendingCalls) {
    this.#context = context
    this.#calls = calls
  }

  act(owner: OwnerProcess, operation: OperationOf<'reset' | 'delete'>): void {
    const setting = budgetAt(this.#context.setting, operation.budget)
    if (setting === undefined) return
    if (operation.kind === 'delete') return this.#delete(owner, setting)
    this.#calls.waited(owner, `reset ${setting.key}`, owner.budget(setting).reset(), owner.deadlineOf(null))
  }

  #delete(owner: OwnerProcess, setting: BudgetSetting): void {
    const { key } = setting
    const { deletions } = this.#context.audit
    const before = deletions.timesOf(key)
    owner.deletions.asked.push(key)
    const deleted = owner.budget(setting).delete()
    deleted.catch((error: unknown) => {
      if (isUncertain(error)) return this.#context.scenarios.note('16 a deletion of unknown fate')
      const { asked, answered } = owner.deletions
      // Of several calls of one process for one key it is not known whose answer came.
      const isDeleted = times(asked, key) === 1 && times(answered, key) > 0
      this.#context.attempt(() =>
        must(!isDeleted, 'P6', () => `${key} was deleted, and the caller was answered: ${String(error)}`),
      )
    })
    this.#calls.waited(owner, `delete ${key}`, deleted, owner.deadlineOf(null), () => {
      must(
        deletions.timesOf(key) > before,
        'P6',
        () => `${key}: a caller was answered that it is deleted, and the store deleted nothing`,
      )
    })
  }
}

function times(keys: readonly string[], key: string): number {
  return keys.filter((one) => one === key).length
}

/** All may be gone, or a part. */
function isUncertain(error: unknown): boolean {
  return error instanceof Error && 'applied' in error && error.applied === 'unknown'
}
