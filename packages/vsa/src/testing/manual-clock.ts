import type { Clock, Timer } from '../core/clock.ts'
import { invariant } from '../core/errors.ts'

/** Quiet turns of the event loop after which nothing more is expected to happen: a store may answer in a macrotask or two. */
const QUIET_TURNS = 4
/** A program that is still busy after this many turns never stops: timers of 0 ms that make each other, say. */
const TURNS_MAX = 100_000

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves wall and monotonic time by `ms` (0 to any length), and fires the timers that fall due on the way, in the order of their
   * times, then of their creation, each at its own time. After each one, whatever it started gets the time to finish: promises,
   * `soon` callbacks, and stores that answer within a few turns of the event loop. Resolves when all is quiet.
   * @throws RangeError for a negative or infinite `ms`; Error when an earlier call has not finished
   */
  advance(ms: number): Promise<void>
  /** Lets everything happen that needs no time to pass: `advance(0)`. */
  settle(): Promise<void>
  /** Moves wall time alone, forwards or back: somebody set the machine's clock. Fires nothing. */
  jumpWall(ms: number): void
  /** Timers that wait. */
  readonly timers: number
}

export interface ManualClockOptions {
  /** Wall time at first, ms since 1970. Default 2025-01-01T00:00:00Z. */
  readonly start?: number
}

/**
 * A clock for tests: `open({ store, clock: manualClock() })`. What needs no time needs no driving: `await budget.admit()` works as it
 * stands. Nothing here keeps a process alive.
 */
export function manualClock(options: ManualClockOptions = {}): ManualClock {
  return new SteppedClock(options.start ?? 1_735_689_600_000)
}

interface Pending {
  readonly dueAt: number
  readonly fire: () => void
}

class SteppedClock implements ManualClock {
  #wall: number
  #monotonic = 0
  /** In the order in which they fall due. */
  readonly #pending: Pending[] = []
  /** Counts every use of the clock, so that `quiet` sees whether the program still does something. */
  #uses = 0
  #advancing = false

  constructor(start: number) {
    this.#wall = start
  }

  get timers(): number {
    return this.#pending.length
  }

  now(): number {
    return this.#wall
  }

  monotonic(): number {
    return this.#monotonic
  }

  timer(delayMs: number, fire: () => void): Timer {
    this.#uses++
    const pending: Pending = { dueAt: this.#monotonic + Math.max(0, delayMs), fire }
    this.#pending.splice(this.#placeFor(pending.dueAt), 0, pending)
    return {
      cancel: () => {
        const at = this.#pending.indexOf(pending)
        if (at >= 0) this.#pending.splice(at, 1)
      },
    }
  }

  soon(run: () => void): void {
    this.#uses++
    setImmediate(() => {
      this.#uses++
      run()
    })
  }

  jumpWall(ms: number): void {
    this.#wall += ms
  }

  settle(): Promise<void> {
    return this.advance(0)
  }

  async advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`ms must be 0 or more, got ${ms}`)
    invariant(!this.#advancing, 'the clock is being advanced already: await each call')
    this.#advancing = true
    try {
      const target = this.#monotonic + ms
      await this.#quiet()
      for (let next = this.#takeDue(target); next !== undefined; next = this.#takeDue(target)) {
        this.#moveTo(next.dueAt)
        next.fire()
        await this.#quiet()
      }
      this.#moveTo(target)
    } finally {
      this.#advancing = false
    }
  }

  #takeDue(target: number): Pending | undefined {
    const first = this.#pending[0]
    return first !== undefined && first.dueAt <= target ? this.#pending.shift() : undefined
  }

  #moveTo(monotonic: number): void {
    // Both by the same difference: a jump of the wall clock in between must not be undone.
    this.#wall += monotonic - this.#monotonic
    this.#monotonic = monotonic
  }

  /** Behind every timer that is due no later: equal times fire in the order of creation. */
  #placeFor(dueAt: number): number {
    let low = 0
    let high = this.#pending.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const there = this.#pending[middle]
      if (there !== undefined && there.dueAt <= dueAt) low = middle + 1
      else high = middle
    }
    return low
  }

  async #quiet(): Promise<void> {
    let seen = this.#uses
    for (let quiet = 0, turns = 0; quiet < QUIET_TURNS; turns++) {
      invariant(turns < TURNS_MAX, `still busy after ${TURNS_MAX} turns of the event loop`)
      await new Promise<void>((resolve) => setImmediate(resolve))
      quiet = seen === this.#uses ? quiet + 1 : 0
      seen = this.#uses
    }
  }
}
