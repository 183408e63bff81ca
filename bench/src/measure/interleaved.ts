import { median, quantile } from './median.ts'
import { turn } from './turn.ts'
import type { Counted, Variant } from './variant.ts'

export interface Measured {
  readonly variant: Variant
  readonly operationsPerSecond: { readonly median: number; readonly low: number; readonly high: number }
  /** Operations per second by turn. The same turn of two variants is milliseconds apart. */
  readonly speeds: readonly number[]
  /** Everything that this variant did, including the warm-up. */
  readonly counted: Counted
}

interface Lane {
  readonly variant: Variant
  rounds: number
  readonly speeds: number[]
  operations: number
  admittedUnits: number
  refundedUnits: number
}

export interface Schedule {
  /** How many times each variant is measured. */
  readonly turns: number
  /** The approximate length of each measurement, in ms. */
  readonly sliceMs: number
}

/**
 * Measures all variants in turns, one slice of each, every other turn in reverse order. Other load on the machine then affects all of
 * them alike: absolute figures drift, ratios hold.
 */
export async function interleaved(variants: readonly Variant[], schedule: Schedule): Promise<readonly Measured[]> {
  const lanes = variants.map((variant): Lane => {
    return { variant, rounds: 1, speeds: [], operations: 0, admittedUnits: 0, refundedUnits: 0 }
  })
  for (const lane of lanes) await calibrate(lane, schedule.sliceMs)
  for (let at = 0; at < schedule.turns; at += 1) {
    for (const lane of at % 2 === 0 ? lanes : lanes.toReversed()) lane.speeds.push(await speedOf(lane))
  }
  return lanes.map(({ variant, speeds, operations, admittedUnits, refundedUnits }) => ({
    variant,
    speeds,
    operationsPerSecond: { median: median(speeds), low: quantile(speeds, 0.1), high: quantile(speeds, 0.9) },
    counted: { operations, admittedUnits, refundedUnits },
  }))
}

/** Speed divided by that of `base`: the median over the turns, each compared with the same turn. */
export function ratioTo(measured: Measured, base: Measured): number {
  return median(measured.speeds.map((speed, at) => speed / (base.speeds[at] ?? Number.NaN)))
}

/** Warms up, and finds the number of rounds in a slice. */
async function calibrate(lane: Lane, sliceMs: number): Promise<void> {
  const endsAtMs = performance.now() + 4 * sliceMs
  for (let tookMs = 0; performance.now() < endsAtMs || tookMs < sliceMs;) {
    const startedAtMs = performance.now()
    await runOnce(lane)
    tookMs = performance.now() - startedAtMs
    if (tookMs < sliceMs / 2) lane.rounds *= 2
    else if (tookMs < sliceMs) lane.rounds = Math.ceil((lane.rounds * sliceMs) / tookMs)
  }
}

async function speedOf(lane: Lane): Promise<number> {
  await turn()
  const startedAtMs = performance.now()
  const operations = await runOnce(lane)
  return operations / ((performance.now() - startedAtMs) / 1_000)
}

async function runOnce(lane: Lane): Promise<number> {
  const { variant, rounds } = lane
  const counted = variant.awaits ? await variant.run(rounds) : variant.run(rounds)
  lane.operations += counted.operations
  lane.admittedUnits += counted.admittedUnits
  lane.refundedUnits += counted.refundedUnits
  return counted.operations
}
