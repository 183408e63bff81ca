import { errorFrom } from './request-error.ts'
import type { Outcome } from './request-limiter.ts'

/**
 * Goes on with the outcome, in this turn where it is there already, else when it is.
 * @param proceed what comes after it is not ours to catch
 * @param fail gets whatever `check` throws, always as an Error
 */
export function whenChecked(
  check: () => Outcome | Promise<Outcome>,
  proceed: (outcome: Outcome) => void,
  fail: (error: Error) => void,
): void {
  const failed = (thrown: unknown): void => fail(errorFrom(thrown))
  let outcome: Outcome | Promise<Outcome>
  try {
    outcome = check()
  } catch (error) {
    return failed(error)
  }
  if (outcome instanceof Promise) outcome.then(proceed).then(undefined, failed)
  else proceed(outcome)
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
