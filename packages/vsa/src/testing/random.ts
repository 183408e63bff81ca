import { describe } from '../core/units.ts'

/** Gives the next number of a sequence, 0 to below 1. */
export type Random = () => number

/**
 * A seeded generator (mulberry32): the same seed gives the same sequence on every machine. For faults and workloads, not for secrets.
 * @param seed a whole number; its lowest 32 bits count
 * @throws TypeError that names the seed
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new TypeError(`seed must be a whole number, got ${describe(seed)}`)
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A whole number from `min` to `max`, both included, each as likely as the others. */
export function wholeBetween(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1))
}

/** One of `choices`, each as likely as the others. */
export function oneOf<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0]
}
