import { errorFrom } from './request-error.ts'
import type { Outcome } from './request-limiter.ts'

/**
 * Prepares for the outcome and goes on, in this turn where it is there already, else when it is.
 * @param prepare answers what comes after it: the handler, whose errors are not ours to catch
 * @param fail gets whatever `check` and `prepare` throw, always as an Error
 */
export function whenChecked(
  check: () => Outcome | Promise<Outcome>,
  prepare: (outcome: Outcome) => () => void,
  fail: (error: Error) => void,
): void {
  const failed = (thrown: unknown): void => fail(errorFrom(thrown))
  let proceed: () => void
  try {
    const outcome = check()
    // What `proceed` throws then is an unhandled rejection, as of any callback that nothing waits for.
    if (outcome instanceof Promise) return void outcome.then(prepare).then((later) => later(), failed)
    proceed = prepare(outcome)
  } catch (error) {
    return failed(error)
  }
  proceed()
}

/**
 * Lets a function of the user's answer a denial.
 * @param fail gets whatever it throws or rejects with, always as an Error
 * @param send gets what it answers
 */
export function whenAnswered(
  answer: () => unknown,
  fail: (error: Error) => void,
  send: (answered: unknown) => void = () => undefined,
): void {
  const failed = (thrown: unknown): void => fail(errorFrom(thrown))
  try {
    Promise.resolve(answer()).then(send).then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}
