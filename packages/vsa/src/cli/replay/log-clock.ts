import type { Clock, Timer } from '../../core/clock.ts'

interface Pending {
  readonly dueAt: number
  readonly fire: () => void
}

/** A clock that runs on the time of a log. The replay moves it forward; timers fire on the way, each at its own time. */
export class LogClock implements Clock {
  readonly #start: number
  #time: number
  /** In order of the times at which they are due. */
  readonly #timers: Pending[] = []
  /** Callbacks of `soon`. `settle` alone runs them: how the log is read must not change what happens. */
  #soon: (() => void)[] = []
  /** Pending store calls. Time stands still until they, and the callbacks of `soon`, are done. */
  #work = 0

  constructor(start: number) {
    this.#start = start
    this.#time = start
  }

  now(): number {
    return this.#time
  }

  monotonic(): number {
    return this.#time - this.#start
  }

  timer(delayMs: number, fire: () => void): Timer {
    // Whole ms, as real timers: a fraction is lost in ms since 1970, and a caller that waits for it would set its timer for ever.
    const pending: Pending = { dueAt: this.#time + Math.ceil(Math.max(0, delayMs)), fire }
    const behind = this.#timers.findLastIndex(({ dueAt }) => dueAt <= pending.dueAt)
    this.#timers.splice(behind + 1, 0, pending)
    return {
      cancel: () => {
        const at = this.#timers.indexOf(pending)
        if (at >= 0) this.#timers.splice(at, 1)
      },
    }
  }

  soon(run: () => void): void {
    this.#soon.push(run)
  }

  /** Time stands still until `work` settles. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#work++
    try {
      return await work
    } finally {
      this.#work--
    }
  }

  /** Moves time forward to `time`. Returns undefined when nothing has to be waited for, as when time stands still. */
  moveTo(time: number): Promise<void> | undefined {
    if (time <= this.#time) return undefined
    if (!this.#isBusy && (this.#timers[0]?.dueAt ?? Number.POSITIVE_INFINITY) > time) {
      this.#time = time
      return undefined
    }
    return this.#advance(time)
  }

  /** Waits for `wanted`, and moves time from timer to timer until it settles. */
  async until<T>(wanted: Promise<T>): Promise<T> {
    let isSettled = false
    const noted = wanted.finally(() => (isSettled = true))
    noted.catch(() => undefined) // the error is thrown below
    for (await this.settle(); !isSettled; await this.settle()) this.#fireNext(Number.POSITIVE_INFINITY)
    return noted
  }

  async #advance(time: number): Promise<void> {
    do await this.settle()
    while (this.#fireNext(time))
    this.#time = Math.max(this.#time, time)
  }

  #fireNext(latest: number): boolean {
    const next = this.#timers[0]
    if (next === undefined || next.dueAt > latest) return false
    this.#timers.shift()
    this.#time = Math.max(this.#time, next.dueAt)
    next.fire()
    return true
  }

  /** Runs what is to run now, and waits for it. Time stands still. */
  async settle(): Promise<void> {
    do {
      const soon = this.#soon
      this.#soon = []
      for (const run of soon) run()
      // Every promise that can settle without time or a store call has settled after one turn of the event loop.
      await new Promise<void>((resolve) => setImmediate(resolve))
    } while (this.#isBusy)
  }

  get #isBusy(): boolean {
    return this.#work > 0 || this.#soon.length > 0
  }
}
