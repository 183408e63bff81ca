import type { Clock } from '../../core/clock.ts'

/** A promise with a deadline, for the rare calls that wait for the store: mints, counter reads, flushes. */
export class Deferred<T> {
  readonly promise: Promise<T>
  readonly #timer: { cancel(): void }
  #settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | null = null

  /** @param timedOut makes the error of the deadline, when it passes */
  constructor(clock: Clock, deadlineMs: number, timedOut: () => unknown) {
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
    this.#timer.cancel()
    this.#settle?.resolve(value)
    this.#settle = null
  }

  reject(error: unknown): void {
    this.#timer.cancel()
    this.#settle?.reject(error)
    this.#settle = null
  }
}
