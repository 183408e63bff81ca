import type { AskOp, CreditOp } from '../src/credits/books.ts'
import type { Rng } from '../src/simulation/rng.ts'
import type { ProductionOp, Setup } from './credit-production.ts'

export const KEYS = ['plan', 'extra', 'more'] as const
export const IDS = ['a', 'b', 'c'] as const

interface Scene {
  readonly setup: Setup
  /** What the lease still holds. */
  readonly held: number
}

/** A batch of one to three operations, in the order in which it is applied: entries, changes, takes. */
export function drawOps(rng: Rng, scene: Scene): readonly ProductionOp[] {
  const { lease } = scene.setup
  // By itself: production moves leases behind all takes, the model at once.
  if (scene.held > 0 && rng.chance(0.05)) return [{ kind: 'flush', key: lease.key, spent: rng.whole(0, scene.held) }]
  const entries = rng.chance(0.25) ? [drawEntry(rng)] : []
  const changes = Array.from({ length: rng.pick([0, 0, 1, 1, 2]) }, () => drawChange(rng))
  const takes = Array.from({ length: rng.pick([0, 1, 1, 2]) }, () => drawTake(rng, scene))
  return [...entries, ...changes, ...takes]
}

function drawEntry(rng: Rng): ProductionOp {
  const key = rng.pick(KEYS)
  if (rng.chance(0.2)) return { kind: 'reset', key }
  if (rng.chance(0.4)) return { kind: 'give back', key, units: rng.whole(1, 6) }
  return { kind: 'mint', key, id: `m${rng.whole(1, 4)}`, units: rng.chance(0.9) ? 5 : 6 }
}

/** By its first key or another one. */
function drawChange(rng: Rng): CreditOp {
  const [key, id, units] = [rng.pick(KEYS), rng.pick(IDS), rng.whole(0, 12)]
  const kind = rng.pick<'settle' | 'extend' | 'refund'>(['settle', 'extend', 'refund'])
  return kind === 'extend' ? { kind, key, id, units, ttl: rng.whole(0, 4) } : { kind, key, id, units }
}

function drawTake(rng: Rng, { setup: { counter } }: Scene): CreditOp {
  const id = rng.pick(IDS)
  if (rng.chance(0.2)) return { kind: 'take', keys: withCounter(rng, drawKeys(rng), counter), units: rng.whole(1, 9) }
  const ask = askOf(id, counter)
  if (rng.chance(0.8)) return { ...ask, ttl: rng.whole(1, 4), onExpire: rng.pick(['return', 'capture']) }
  // Without the counter: in the model it names a request, too, and so another one of this id that has no budget of this one.
  const keys = drawKeys(rng)
  const form = rng.pick<AskOp['form']>(['all', 'first'])
  return {
    ...{ ...ask, kind: rng.pick(['admit', 'reserve']), form, ttl: rng.whole(1, 4) },
    keys,
    units: form === 'first' ? [rng.whole(1, 9)] : keys.map(() => rng.whole(1, 5)),
  }
}

/** The usual request of an id, which most takes with it repeat. */
function askOf(id: (typeof IDS)[number], counter: string): AskOp {
  const rest = { id, ttl: 1, onExpire: 'return' } as const
  switch (id) {
    case 'a':
      return { ...rest, kind: 'reserve', form: 'first', keys: ['plan', 'extra', counter], units: [7] }
    case 'b':
      return { ...rest, kind: 'reserve', form: 'all', keys: ['extra', 'more'], units: [3, 2] }
    case 'c':
      return { ...rest, kind: 'admit', form: 'first', keys: ['more', 'plan'], units: [4] }
  }
}

function drawKeys(rng: Rng): readonly string[] {
  return KEYS.map((key) => [rng.random(), key] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, key]) => key)
    .slice(0, rng.whole(1, 3))
}

function withCounter(rng: Rng, keys: readonly string[], counter: string): readonly string[] {
  return rng.chance(0.4) ? [...keys, counter] : keys
}
