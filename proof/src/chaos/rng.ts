import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/** Seeded random numbers: the same seed gives the same numbers on every machine. */
export class Rng {
  readonly #generator: RandomGenerator

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed)
  }

  /** At least 0 and below 1. */
  fraction(): number {
    return uniformFloat64(this.#generator)
  }

  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return uniformInt(this.#generator, min, max)
  }

  /** @throws RangeError when there is nothing to choose from */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.whole(0, choices.length - 1)]
    if (choice === undefined) throw new RangeError('nothing to choose from')
    return choice
  }
}
