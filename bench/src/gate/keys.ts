/** The same keys in the same order for every variant. */
export interface Keys {
  readonly ids: readonly string[]
  /** In a shuffled order, as requests come; each id once. */
  readonly order: readonly number[]
}

const MODULUS = 2_147_483_647
const MULTIPLIER = 48_271

export function makeKeys(count: number): Keys {
  const ids = Array.from({ length: count }, (_, index) => `tenant-${index}`)
  return { ids, order: shuffled(count) }
}

/** What belongs to each key, in the shuffled order. */
export function inOrder<T>(items: readonly T[], { order }: Keys): readonly T[] {
  return order.map((at) => {
    const item = items[at]
    if (item === undefined) throw new RangeError(`no item ${at}`)
    return item
  })
}

/** Fisher and Yates, with a generator of its own so that every run has the same order. */
function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index)
  let random = 1
  for (let last = count - 1; last > 0; last -= 1) {
    random = (random * MULTIPLIER) % MODULUS
    const other = random % (last + 1)
    const moved = order[last] ?? 0
    order[last] = order[other] ?? 0
    order[other] = moved
  }
  return order
}
