import type { StoreTime } from './adapter.ts'
import type { Writes } from './written-rows.ts'
import type { Leap } from './rows.ts'

/** A store time that is this much later than the one before has leapt: a clock is wrong, or the store was not used for long. */
export const LEAP_MIN_MS = 3_600_000

export const NO_LEAP: Leap = { from: 0, at: 0, until: 0 }

/** The leap that a transaction at this time makes when it is saved; null when it makes none. */
export function leapOf({ time, timeSeen }: StoreTime, leaseTtlMs: number): Leap | null {
  const isLeap = timeSeen > 0 && time - timeSeen > LEAP_MIN_MS
  return isLeap ? { from: timeSeen, at: time, until: time + leaseTtlMs } : null
}

/** Every transaction that is saved records its leap. */
export function withLeap(writes: Writes, at: StoreTime, leaseTtlMs: number): Writes {
  const leap = leapOf(at, leaseTtlMs)
  return leap === null ? writes : { ...writes, leap }
}

/** This handle's clock contradicts store time: another clock has taken store time ahead, or this one is behind. */
export function isDoubtful({ time, clock }: StoreTime): boolean {
  return time - clock > LEAP_MIN_MS
}

/** The time by which rows are old enough: store time, or this handle's clock where that is behind it. */
export function pruneTimeOf({ time, clock }: StoreTime): number {
  return Math.min(time, Math.floor(clock))
}
