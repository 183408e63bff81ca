import type { Clock, Timer } from '../core/clock.ts'
import { invariant } from '../core/errors.ts'
import { assertOptions } from '../core/options.ts'
import { describe } from '../core/units.ts'

/** Turns of the event loop without a use of the clock after which the program counts as idle. A store may need a few to answer. */
const QUIET_TURNS = 4
/** A program that is still busy after so many turns is in a loop, such as callbacks of `soon` that start each other. */
const TURNS_MAX = 100_000

/** A clock that stands still until a test moves it. Wall time and monotonic time are in ms. */
export interface ManualClock extends Clock {
  /**
   * Moves wall and monotonic time forward by `ms`, 0 or more. Timers that fall due fire at their own times, in order of time and then of
   * creation. After each timer, work that it started may finish before time moves on: promises, `soon` callbacks, and stores that answer
   * within four turns of the event loop. Resolves when the program is idle.
   *
   * Rejects with a RangeError for a negative or infinite `ms`, and with an Error when an earlier call has not finished, or when the
   * program is still busy after 100,000 turns of the event loop.
   */
  advance(ms: number): Promise<void>
  /** The same as `advance(0)`: lets work finish that needs no time to pass. */
  settle(): Promise<void>
  /** Moves wall time alone by `ms`, forward or back, as when the clock of the machine is set. Fires no timer. */
  jumpWall(ms: number): void
  /** How many timers are pending. */
  readonly timers: number
}

export interface ManualClockOptions {
  /** Wall time at the start, ms since 1970. Default 1,735,689,600,000: 2025-01-01T00:00:00Z. Monotonic time starts at 0. */
  readonly start?: number
}

/**
 * A clock for tests, so that they need no sleeps. Give it to the engine: a store takes its time from the engine's clock, unless it has a
 * source of its own. Calls that need no time to pass, such as a first `admit`, need no `advance`. Pending timers do not keep the process alive.
 *
 * ```ts
 * import { open } from 'vsa'
 * import { memory } from 'vsa/memory'
 * import { manualClock } from 'vsa/testing'
 *
 * const clock = manualClock()
 * const vsa = open({ store: memory(), clock })
 * const calls = vsa.budget('calls', { limit: 1, per: 'minute' })
 *
 * console.log(await calls.admit(), await calls.admit()) // true false
 * await clock.advance(60_000)
 * console.log(await calls.admit()) // true
 * ```
 * @throws TypeError that names the option
 */
export function manualClock(options: ManualClockOptions = {}): ManualClock {
  assertOptions('options', options, ['start'] satisfies (keyof ManualClockOptions)[])
  const { start = 1_735_689_600_000 } = options
  assertTime('options.start', start)
  return new SteppedClock(start)
}

/** @throws TypeError that names the argument */
function assertTime(name: string, value: unknown): void {
  if (!Number.isFinite(value)) throw new TypeError(`${name} must be a finite number of ms, got ${describe(value)}`)
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
  /** Every use of the clock counts, so that `quiet` sees whether the program is still busy. */
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
    assertTime('ms', ms)
    this.#wall += ms
  }

  settle(): Promise<void> {
    return this.advance(0)
  }

  async advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`ms must be 0 or more, got ${describe(ms)}`)
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
    // Both by the same difference, so that a jump of the wall clock is kept.
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
