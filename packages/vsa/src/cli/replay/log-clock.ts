import type { Clock, Timer } from '../../core/clock.ts'

/** After this many turns of the event loop without work nothing more happens by itself. */
const QUIET_TURNS = 2

interface Pending {
  readonly dueAt: number
  readonly fire: () => void
}

/** A clock that shows the time of a log, and moves when the replay moves it. Timers fire on the way, each at its own time. */
export class LogClock implements Clock {
  readonly #start: number
  #time: number
  /** In the order in which they fall due. */
  readonly #timers: Pending[] = []
  /** Store calls under way and callbacks of `soon` that have not run: time stands still until they are done. */
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
    // Whole ms, as a real timer: a fraction would be lost in a time since 1970, and whoever waits for it would wait again, for ever.
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
    this.#work++
    setImmediate(() => {
      this.#work--
      run()
    })
  }

  /** Counts `work` as under way until it settles: time stands still meanwhile. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#work++
    try {
      return await work
    } finally {
      this.#work--
    }
  }

  /** Moves time forward to `time`; undefined when there was nothing to wait for, which is nearly always. */
  moveTo(time: number): Promise<void> | undefined {
    if (this.#work === 0 && (this.#timers[0]?.dueAt ?? Number.POSITIVE_INFINITY) > time) {
      this.#time = Math.max(this.#time, time)
      return undefined
    }
    return this.#advance(time)
  }

  /** Waits for `wanted`; time moves from timer to timer for as long as that takes. */
  async until<T>(wanted: Promise<T>): Promise<T> {
    let isSettled = false
    const noted = wanted.finally(() => (isSettled = true))
    noted.catch(() => undefined) // whoever awaits it below gets the error
    for (await this.#settle(); !isSettled; await this.#settle()) this.#fireNext(Number.POSITIVE_INFINITY)
    return noted
  }

  async #advance(time: number): Promise<void> {
    do await this.#settle()
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

  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = this.#work === 0 ? quiet + 1 : 0) {
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
}
