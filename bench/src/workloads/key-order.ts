import { addressesIn } from './access-log.ts'
import type { Keys } from './workload.ts'

export interface KeyOrder {
  readonly names: readonly string[]
  /** For each operation, an index into `names`. */
  readonly order: Uint32Array
}

/** @param length operations; of `each-once` the number of keys too, of a log the lines are repeated */
export function keyOrder(keys: Keys, length: number, random: () => number): KeyOrder {
  switch (keys.kind) {
    case 'uniform':
      return { names: namesOf(keys.count), order: filled(length, () => Math.floor(random() * keys.count)) }
    case 'zipf':
      return { names: namesOf(keys.count), order: filled(length, zipf(keys.count, keys.exponent, random)) }
    case 'each-once':
      return { names: namesOf(length), order: filled(length, (at) => at) }
    case 'scarce':
      return { names: namesOf(keys.count), order: filled(length, scarce(keys.count, keys.scarceShare, random)) }
    case 'log':
      return logged(keys.path, length)
  }
}

function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `tenant-${index}`)
}

function filled(length: number, keyAt: (at: number) => number): Uint32Array {
  const order = new Uint32Array(length)
  for (let at = 0; at < length; at += 1) order[at] = keyAt(at)
  return order
}

/** Key `n` (from 1) has a share in proportion to `n ** -exponent`. By inversion of the sums. */
function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank += 1) {
    sum += (rank + 1) ** -exponent
    sums[rank] = sum
  }
  return () => firstAbove(sums, random() * sum)
}

/** The index of the first of ascending numbers that is above `value`. */
function firstAbove(numbers: Float64Array, value: number): number {
  let [low, high] = [0, numbers.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}

function scarce(count: number, share: number, random: () => number): () => number {
  const half = count / 2
  return () => Math.floor(random() * half) + (random() < share ? 0 : half)
}

function logged(path: string, length: number): KeyOrder {
  const addresses = addressesIn(path)
  const indexes = new Map<string, number>()
  for (const address of addresses) if (!indexes.has(address)) indexes.set(address, indexes.size)
  const order = filled(length, (at) => indexes.get(addresses[at % addresses.length] ?? '') ?? 0)
  return { names: [...indexes.keys()], order }
}
