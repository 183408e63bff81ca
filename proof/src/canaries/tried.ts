import type { Reported } from '../simulation/violations.ts'

/** One attempt to find a canary: a seed, or a check by its number. */
export interface Tried {
  readonly seed: number
  readonly reported: readonly Reported[]
}
