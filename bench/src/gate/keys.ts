import { seededRandom } from 'vsa/testing'

/** The same keys in the same order for every variant. */
export interface Keys {
  readonly ids: readonly string[]
  /** Indexes into `ids`, each once, shuffled as requests come. */
  readonly order: readonly number[]
}

const SEED = 1

export function makeKeys(count: number): Keys {
  const ids = Array.from({ length: count }, (_, index) => `tenant-${index}`)
  return { ids, order: shuffled(count) }
}

/** The items in the shuffled order of their keys. */
export function inOrder<T>(items: readonly T[], { order }: Keys): readonly T[] {
  return order.map((at) => {
    const item = items[at]
    if (item === undefined) throw new RangeError(`no item ${at}`)
    return item
  })
}

/** Fisher-Yates, seeded, so that every run has the same order. */
function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index)
  const random = seededRandom(SEED)
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1))
    const moved = order[last] ?? 0
    order[last] = order[other] ?? 0
    order[other] = moved
  }
  return order
}
