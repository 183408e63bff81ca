import type { Ended } from './ended.ts'

/** What an admitted request has spent, until it is known what stays spent. */
export interface Spent {
  /** Whether `end` is to be called when the response has ended. */
  readonly isWatched: boolean
  /** The handler does not run: everything goes back. */
  abandon(): void
  /** The response has ended. Again: nothing happens. */
  end(ended: Ended): void
}

/** Whether the units go back. What the user's function throws is printed: the response is out, so no caller can get it. */
export type IsRefunded = (ended: Ended) => boolean | Promise<boolean>

/**
 * Gets the answer in this turn where it is there, else later. It may be a promise of any library. What throws or rejects is printed, and the answer
 * is false, as is everything but `true`.
 */
export function whenAsked(ask: () => unknown, go: (isBack: boolean) => void): void {
  const failed = (error: unknown): void => {
    printError(error)
    go(false)
  }
  let answer: unknown
  try {
    answer = ask()
  } catch (error) {
    return failed(error)
  }
  if (typeof answer === 'boolean') go(answer)
  else
    Promise.resolve(answer)
      .then((later) => go(later === true), failed)
      .then(undefined, printError)
}

/** Errors after the response: a log is all there is. */
export function printError(error: unknown): void {
  console.error('vsa: after the response:', error)
}
