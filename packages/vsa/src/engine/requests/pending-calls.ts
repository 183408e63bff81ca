import { tooManyWaitersError } from '../api/errors.ts'
import type { Settings } from '../api/settings.ts'
import { Deferred } from '../runtime/deferred.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** How a call waits. */
export interface CallTerms {
  /** The budget; undefined where the call names none. */
  readonly key?: string
  readonly deadlineMs: number
  /** The error of the deadline. */
  readonly timedOut: () => unknown
  /** Called once, when the call is over. */
  readonly onSettled?: () => void
}

/**
 * Calls that wait for the store by themselves: mints, counter reads, flushes, peeks, `ready`. They are waiters, too:
 * together with the admissions that wait there are at most `waitersMax`.
 */
export class PendingCalls {
  readonly #settings: Pick<Settings, 'clock' | 'waitersMax'>
  readonly #metrics: Metrics

  constructor(settings: Pick<Settings, 'clock' | 'waitersMax'>, metrics: Metrics) {
    this.#settings = settings
    this.#metrics = metrics
  }

  /** @throws VsaError `too_many_waiters` */
  open<T>({ key, deadlineMs, timedOut, onSettled }: CallTerms): Deferred<T> {
    const { clock, waitersMax } = this.#settings
    const metrics = this.#metrics
    if (metrics.waiting >= waitersMax) throw tooManyWaitersError(key, waitersMax)
    metrics.calls += 1
    return new Deferred<T>(clock, deadlineMs, timedOut, () => {
      metrics.calls -= 1
      onSettled?.()
    })
  }
}
