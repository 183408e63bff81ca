import type { Rng } from '../simulation/rng.ts'

/** From this moment of the machine's monotonic clock on, a wall clock is off by `offsetMs`. */
export type ClockStep = readonly [atMs: number, offsetMs: number]

const HOUR_MS = 3_600_000
const SMALL_OFFSET_MAX_MS = 5_000
const LEAP_MAX_MS = 600_000
const JUMPS_MAX = 3

/**
 * Draws the offsets of the children's wall clocks: correct, off by seconds or by up to an hour in either direction, and jumping during the run.
 *
 * All owners of a file share the highest time that it has seen (S1). With freely drawn offsets, the first clock an hour ahead would stop store
 * time for the rest of the run, and nothing would expire. So the largest offset grows to an hour over the run, and about every third clock has
 * it: store time flows while such a process lives, leaps when the largest offset grows, and stops in between.
 */
export class ClockSchedule {
  readonly #rng: Rng
  #leadMs = 0

  constructor(rng: Rng) {
    this.#rng = rng
  }

  /** @param fraction how much of the run is over, 0 to 1 */
  draw(nowMs: number, lifeMaxMs: number, fraction: number): ClockStep[] {
    const steps: ClockStep[] = [[0, this.#offset(fraction)]]
    for (let jumps = this.#rng.whole(0, JUMPS_MAX); jumps > 0; jumps -= 1)
      steps.push([nowMs + this.#rng.whole(0, lifeMaxMs), this.#offset(fraction)])
    return steps.sort(([one], [other]) => one - other)
  }

  #offset(fraction: number): number {
    const rng = this.#rng
    const kind = rng.random()
    if (kind < 0.35) return this.#leadMs
    if (kind < 0.45) return this.#advanceLead(SMALL_OFFSET_MAX_MS, fraction)
    if (kind < 0.5) return this.#advanceLead(LEAP_MAX_MS, fraction)
    if (kind < 0.7) return rng.whole(-SMALL_OFFSET_MAX_MS, SMALL_OFFSET_MAX_MS)
    if (kind < 0.9) return rng.whole(-HOUR_MS, this.#leadMs)
    return 0
  }

  #advanceLead(byMaxMs: number, fraction: number): number {
    const limitMs = Math.max(this.#leadMs, Math.floor(HOUR_MS * Math.min(1, fraction)))
    this.#leadMs = Math.min(limitMs, this.#leadMs + this.#rng.whole(1, byMaxMs))
    return this.#leadMs
  }
}

/** What the wall clocks did in the run. */
export interface ClockCounts {
  jumps: number
  jumpsBack: number
  /** The largest offsets, in ms. */
  aheadMaxMs: number
  behindMaxMs: number
}

/** Adds the steps that happened before `nowMs`. */
export function countClockSteps(counts: ClockCounts, steps: readonly ClockStep[], nowMs: number): void {
  let before: number | undefined
  for (const [atMs, offsetMs] of steps) {
    if (atMs > nowMs) continue
    counts.aheadMaxMs = Math.max(counts.aheadMaxMs, offsetMs)
    counts.behindMaxMs = Math.max(counts.behindMaxMs, -offsetMs)
    if (before !== undefined && before !== offsetMs) counts.jumps += 1
    if (before !== undefined && offsetMs < before) counts.jumpsBack += 1
    before = offsetMs
  }
}
