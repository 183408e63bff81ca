/** The highest load factor of the table. */
const FULL = 0.6

/**
 * The visited states, by the 64-bit hash of their name, in 12 bytes per slot. With N states, the probability that two different ones
 * share a hash, so that one is skipped, is about N² / 2^65: 1 in 9 million for two million states.
 */
export class Seen {
  #high: Uint32Array
  #low: Uint32Array
  /** The state's number plus 1; 0 in an empty slot. */
  #number: Uint32Array
  #size = 0

  constructor(places = 1 << 16) {
    this.#high = new Uint32Array(places)
    this.#low = new Uint32Array(places)
    this.#number = new Uint32Array(places)
  }

  get size(): number {
    return this.#size
  }

  /** The state's number, counted from 0 in order of first sight; the highest so far when it is new. */
  numberOf(name: string): number {
    if (this.#size >= FULL * this.#number.length) this.#grow()
    const [high, low] = hashOf(name)
    const place = this.#placeOf(high, low)
    const known = this.#number[place] ?? 0
    if (known > 0) return known - 1
    this.#high[place] = high
    this.#low[place] = low
    this.#size += 1
    this.#number[place] = this.#size
    return this.#size - 1
  }

  #placeOf(high: number, low: number): number {
    const mask = this.#number.length - 1
    let place = low & mask
    while (this.#number[place] !== 0 && (this.#high[place] !== high || this.#low[place] !== low))
      place = (place + 1) & mask
    return place
  }

  #grow(): void {
    const [high, low, number] = [this.#high, this.#low, this.#number]
    const places = 2 * number.length
    this.#high = new Uint32Array(places)
    this.#low = new Uint32Array(places)
    this.#number = new Uint32Array(places)
    for (let at = 0; at < number.length; at += 1) {
      if (number[at] === 0) continue
      const place = this.#placeOf(high[at] ?? 0, low[at] ?? 0)
      this.#high[place] = high[at] ?? 0
      this.#low[place] = low[at] ?? 0
      this.#number[place] = number[at] ?? 0
    }
  }
}

/** Two lanes of 32 bits, mixed with each other at the end (as murmur3 finishes). */
function hashOf(name: string): readonly [high: number, low: number] {
  let high = 0x9e3779b9
  let low = 0x85ebca6b
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at)
    high = Math.imul(high ^ code, 0x01000193)
    high = (high << 13) | (high >>> 19)
    low = Math.imul(low + code, 0x5bd1e995)
    low ^= low >>> 15
  }
  const mixed = finish(high ^ finish(low))
  return [mixed, finish(low + Math.imul(mixed, 0x27d4eb2f))]
}

function finish(lane: number): number {
  let hash = lane ^ (lane >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
