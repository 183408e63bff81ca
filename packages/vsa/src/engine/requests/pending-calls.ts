import type { VsaError } from '../../core/errors.ts'
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
  /** A part of a call that is counted already. */
  readonly isPart?: true
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
  readonly #open = new Set<{ reject(error: unknown): void }>()

  constructor(settings: Pick<Settings, 'clock' | 'waitersMax'>, metrics: Metrics) {
    this.#settings = settings
    this.#metrics = metrics
  }

  /** @throws VsaError `too_many_waiters` */
  open<T>({ key, deadlineMs, timedOut, isPart, onSettled }: CallTerms): Deferred<T> {
    const { clock, waitersMax } = this.#settings
    const metrics = this.#metrics
    const count = isPart === true ? 0 : 1
    if (count > 0 && metrics.waiting >= waitersMax) throw tooManyWaitersError(key, waitersMax)
    metrics.calls += count
    const call: Deferred<T> = new Deferred<T>(clock, deadlineMs, timedOut, () => {
      metrics.calls -= count
      this.#open.delete(call)
      onSettled?.()
    })
    this.#open.add(call)
    return call
  }

  /** Nothing is sent any more: every call that waits fails. */
  abandon(error: VsaError): void {
    for (const call of this.#open) call.reject(error)
  }
}
