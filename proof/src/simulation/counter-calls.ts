import { hasNoRoom } from './no-room.ts'
import type { OperationOf } from './operation.ts'
import type { OwnerProcess } from './owner-process.ts'
import type { PendingCalls } from './pending-calls.ts'
import type { RunContext } from './run-context.ts'
import { must } from './violation.ts'

/** Callers that add to counters and read them. */
export class CounterCalls {
  readonly #context: RunContext
  readonly #calls: PendingCalls

  constructor(context: RunContext, calls: PendingCalls) {
    this.#context = context
    this.#calls = calls
  }

  add(owner: OwnerProcess, { counter, units }: OperationOf<'add'>): void {
    const key = this.#context.setting.counters[counter]
    if (key === undefined) return
    this.#context.operations += 1
    this.#context.trace(() => `${owner.name} add ${units} to ${key}`)
    try {
      owner.vsa.counter(key).add(units)
    } catch (error) {
      // The sum would leave the safe integers, or the closing batch has been sent, or the store is away and too much waits for it.
      const isRefused = this.#context.isExpected(error) && (owner.closing || hasNoRoom(error))
      const isExpected = error instanceof RangeError || isRefused
      must(isExpected, 'O13', () => `a counter threw ${String(error)}`)
      return
    }
    owner.totals.added.add(key, units)
  }

  read(owner: OwnerProcess, { counter }: OperationOf<'count'>): void {
    const key = this.#context.setting.counters[counter]
    if (key === undefined) return
    this.#calls.waited(owner, `read ${key}`, owner.vsa.counter(key).read(), owner.deadlineOf(null))
  }
}
