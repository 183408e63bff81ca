import { seededRandom, type Random } from 'vsa/testing'

/** Draws from one stream of a seed. Streams have names, so that what is drawn in one place changes nothing in another. */
export class Dice {
  readonly random: Random

  constructor(seed: number, ...names: readonly (string | number)[]) {
    let mixed = seed | 0
    for (const name of names) mixed = Math.imul(mixed ^ hashOf(String(name)), 0x9e3779b1) ^ (mixed >>> 15)
    this.random = seededRandom(mixed)
  }

  /** Whether something of this probability, 0 to 1, happens. */
  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1))
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.random() * choices.length)] ?? choices[0]
  }

  /** One of `choices`; undefined when there are none. */
  pickAny<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.random() * choices.length)]
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash
}
