import type { Budget, Decision, Need } from '../../../packages/vsa/dist/index.js'
import { isUnaccounted, type OwnerProcess } from './owner-process.ts'
import type { RunContext } from './run-context.ts'

/** The reason of a signal: its caller has gone, and hears nothing. */
export const ABORTED: Error = new Error('the caller has gone')
/** Instead of a value: the call failed as calls may. */
const FAILED = Symbol('failed')

/** Calls that wait for an answer. One that fails otherwise than calls may ends the run, and so does whatever `heard` throws. */
export class WatchedCalls {
  readonly #context: RunContext

  constructor(context: RunContext) {
    this.#context = context
  }

  /** A request, to be decided within its deadline. @param heard told of the decision, unless nobody has accounted for it */
  decided(
    owner: OwnerProcess,
    budget: Budget,
    what: string,
    needs: readonly Need[],
    asked: Promise<Decision>,
    deadlineMs: number,
    heard: (decision: Decision) => void,
  ): void {
    const text = `${what} of ${budget.key}`
    this.waited(owner, text, asked, deadlineMs, (decision) => {
      if (isUnaccounted(decision)) {
        for (const [{ key }, units] of needs) owner.books.doubtful.add(key, units)
        return
      }
      this.#context.trace(
        () => `${owner.name} ${text}: ${decision.admitted ? `admitted of ${decision.period}` : decision.reason}`,
      )
      if (!decision.admitted && decision.reason === 'over-limit') this.#context.reached.note('19 cost above the limit')
      heard(decision)
    })
  }

  /** A call with a deadline: answered by then, or a law is broken. */
  waited<T>(
    owner: OwnerProcess,
    what: string,
    promise: Promise<T>,
    deadlineMs: number,
    heard: (value: T) => void = () => undefined,
  ): void {
    this.settled(owner, what, promise, heard, owner.requests.add(what, deadlineMs))
  }

  /** @param told the call has come to an end, either way */
  settled<T>(
    owner: OwnerProcess,
    what: string,
    promise: Promise<T>,
    heard: (value: T) => void,
    told: () => void = () => undefined,
  ): void {
    const { trace, fail, isExpected } = this.#context
    this.#context.operations += 1
    trace(() => `${owner.name} ${what}`)
    promise
      .then<T, typeof FAILED>(
        (value) => {
          told()
          return value
        },
        (error: unknown) => {
          told()
          trace(() => `${owner.name} ${what}: ${String(error)}`)
          if (error !== ABORTED && !isExpected(error)) throw error
          return FAILED
        },
      )
      .then((value) => {
        if (value !== FAILED) heard(value)
      })
      .catch(fail)
  }
}
