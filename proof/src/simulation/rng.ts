import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/** Random numbers of one stream of a seed. Streams are named and independent: draws from one do not change another. */
export class Rng {
  /** A number in [0, 1). */
  readonly random: () => number
  readonly #generator: RandomGenerator

  constructor(seed: number, ...names: readonly (string | number)[]) {
    let mixed = seed | 0
    for (const name of names) mixed = Math.imul(mixed ^ hashOf(String(name)), 0x9e3779b1) ^ (mixed >>> 15)
    this.#generator = xoroshiro128plus(mixed)
    this.random = () => uniformFloat64(this.#generator)
  }

  /** Whether something of this probability, 0 to 1, happens. */
  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return uniformInt(this.#generator, min, max)
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return this.pickAny(choices) ?? choices[0]
  }

  /** One of `choices`; undefined when there are none. */
  pickAny<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : choices[this.whole(0, choices.length - 1)]
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash
}
