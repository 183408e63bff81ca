import type { Budget, Decision, Need } from '../../../packages/vsa/dist/index.js'
import { ofStore, type OwnerProcess, type StoreDecision } from './owner-process.ts'
import type { RunContext } from './run-context.ts'

/** The abort reason of callers that stop waiting. */
export const ABORTED: Error = new Error('the caller stopped waiting')
/** Calls that wait for an answer. A call that fails with an unexpected error is reported, and so is what `onValue` throws. */
export class PendingCalls {
  readonly #context: RunContext

  constructor(context: RunContext) {
    this.#context = context
  }

  /** A request that must be decided by its deadline. @param onDecision gets the decision where the store made it */
  decided(
    owner: OwnerProcess,
    budget: Budget,
    what: string,
    needs: readonly Need[],
    asked: Promise<Decision>,
    deadlineMs: number,
    onDecision: (decision: StoreDecision) => void,
  ): void {
    const { trace, scenarios } = this.#context
    const text = `${what} of ${budget.key}`
    const noteFailed = (): void => {
      for (const [{ key }, units] of needs) owner.totals.failed.add(key, units)
    }
    const dueAtMs = owner.machine.monotonic() + deadlineMs
    asked.catch(noteFailed)
    const onAnswer = (answer: Decision): void => {
      owner.decisions.add({ decision: answer, keys: needs.map(([{ key }]) => key) })
      // Refused at its deadline, it may be in flight (O10).
      const isLate = !answer.admitted && owner.machine.monotonic() >= dueAtMs
      if (isLate || answer.reason === 'unavailable' || answer.reason === 'reserved') noteFailed()
      const decision = ofStore(answer)
      if (decision === null) {
        // O10: without a record, it may be in flight.
        if (answer.admitted) noteFailed()
        return
      }
      trace(() => `${owner.name} ${text}: ${decision.admitted ? `admitted of ${decision.period}` : decision.reason}`)
      if (!decision.admitted && decision.reason === 'over-limit') scenarios.note('19 cost above the limit')
      onDecision(decision)
    }
    const keys = needs.map(([{ key }]) => key)
    this.waited(owner, text, asked, deadlineMs, onAnswer, keys)
  }

  /** A call with a deadline, which must be answered by then (O10). @param admits keys of the budgets that it asks to admit from */
  waited<T>(
    owner: OwnerProcess,
    what: string,
    promise: Promise<T>,
    deadlineMs: number,
    onValue: (value: T) => void = () => undefined,
    admits: readonly string[] = [],
  ): void {
    this.settled(owner, what, promise, onValue, owner.requests.add(what, deadlineMs, admits))
  }

  /** @param onSettled called when the call has resolved or rejected */
  settled<T>(
    owner: OwnerProcess,
    what: string,
    promise: Promise<T>,
    onValue: (value: T) => void,
    onSettled: () => void = () => undefined,
  ): void {
    const { trace, fail, isExpected } = this.#context
    this.#context.operations += 1
    trace(() => `${owner.name} ${what}`)
    promise
      .then(
        // In one step: a check in between would miss what the call was told.
        (value) => {
          onSettled()
          onValue(value)
        },
        (error: unknown) => {
          onSettled()
          trace(() => `${owner.name} ${what}: ${String(error)}`)
          if (error !== ABORTED && !isExpected(error)) throw error
        },
      )
      .catch(fail)
  }
}
