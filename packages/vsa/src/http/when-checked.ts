import { errorFrom } from './request-error.ts'
import type { Outcome, RequestLimiter } from './request-limiter.ts'

/** The decision of a request: there already, or later. */
export type Checked = Outcome | Promise<Outcome> | { readonly kind: 'failed'; readonly error: Error }

/** What `check` throws is an outcome too, always as an Error, so that what comes after it is not ours to catch. */
export function checked<Request>(limiter: RequestLimiter<Request>, request: Request): Checked {
  try {
    return limiter.check(request)
  } catch (error) {
    return { kind: 'failed', error: errorFrom(error) }
  }
}

/**
 * Goes on when the outcome is there. What the handler throws then is an unhandled rejection, as of any callback that nothing waits for.
 * @param prepare answers what comes after it: the handler, whose errors are not ours to catch
 * @param fail gets whatever `later` rejects with and `prepare` throws, always as an Error
 */
export function whenChecked(
  later: Promise<Outcome>,
  prepare: (outcome: Outcome) => () => void,
  fail: (error: Error) => void,
): void {
  later.then(prepare).then(
    (proceed) => proceed(),
    (error: unknown) => fail(errorFrom(error)),
  )
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
