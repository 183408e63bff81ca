import type { Clock } from '../../core/clock.ts'

/** A promise with a deadline, for the rare calls that wait for the store: mints, counter reads, flushes, peeks. */
export class Deferred<T> {
  readonly promise: Promise<T>
  readonly #timer: { cancel(): void }
  readonly #onSettled: () => void
  #settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | null = null

  /**
   * @param timedOut makes the error of the deadline, when it passes
   * @param onSettled called once, before the promise is resolved or rejected
   */
  constructor(clock: Clock, deadlineMs: number, timedOut: () => unknown, onSettled: () => void = () => undefined) {
    this.#onSettled = onSettled
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.#timer = clock.timer(deadlineMs, () => this.reject(timedOut()), true)
  }

  /** The promise is resolved or rejected. */
  get settled(): boolean {
    return this.#settle === null
  }

  resolve(value: T): void {
    this.#take()?.resolve(value)
  }

  reject(error: unknown): void {
    this.#take()?.reject(error)
  }

  #take(): { resolve: (value: T) => void; reject: (error: unknown) => void } | null {
    const settle = this.#settle
    if (settle === null) return null
    this.#settle = null
    this.#timer.cancel()
    this.#onSettled()
    return settle
  }
}
