import type { Random } from 'vsa/testing'
import { wholeBetween } from './random.ts'

/** From a moment of the machine's monotonic clock on, a wall clock is wrong by so much. In ms. */
export type ClockStep = readonly [atMs: number, offsetMs: number]

const HOUR_MS = 3_600_000
const SECONDS_MS = 5_000
const LEAP_MOST_MS = 600_000
const JUMPS_MOST = 3

/**
 * Draws what the wall clocks of the children show: right, seconds or up to an hour off, either way, and jumping while they run.
 *
 * All owners of a file share the highest time that it has seen, and that never goes back (S1). Were offsets drawn freely, the first clock an hour
 * ahead would stop store time for the rest of the run, and nothing would ever expire or end. So the lead grows to an hour over the run, and every
 * third clock is in the lead: store time flows while one of those lives, leaps when the lead grows, and stands still in between.
 */
export class Clocks {
  readonly #random: Random
  #leadMs = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** @param part how much of the run is over, 0 to 1 */
  schedule(nowMs: number, lifeMostMs: number, part: number): ClockStep[] {
    const steps: ClockStep[] = [[0, this.#offset(part)]]
    const jumps = wholeBetween(this.#random, 0, JUMPS_MOST)
    for (let jump = 0; jump < jumps; jump += 1)
      steps.push([nowMs + wholeBetween(this.#random, 0, lifeMostMs), this.#offset(part)])
    return steps.sort(([one], [other]) => one - other)
  }

  #offset(part: number): number {
    const random = this.#random
    const kind = random()
    if (kind < 0.35) return this.#leadMs
    if (kind < 0.45) return this.#lead(SECONDS_MS, part)
    if (kind < 0.5) return this.#lead(LEAP_MOST_MS, part)
    if (kind < 0.7) return wholeBetween(random, -SECONDS_MS, SECONDS_MS)
    if (kind < 0.9) return wholeBetween(random, -HOUR_MS, this.#leadMs)
    return 0
  }

  #lead(byMs: number, part: number): number {
    const mostMs = Math.max(this.#leadMs, Math.floor(HOUR_MS * Math.min(1, part)))
    this.#leadMs = Math.min(mostMs, this.#leadMs + wholeBetween(this.#random, 1, byMs))
    return this.#leadMs
  }
}
