import type { ModelBounds } from './model-world.ts'

/** One unit, two owners, three joins, one loss of up to two transactions: each trace T1 to T10 of stores.md fits in. */
const SMALL = { limit: 1, sends: 1, joins: 3, losses: 1, depth: 2 } as const

/** The configurations of the model of a store that forgets, by name. */
export const FORGETTING_CONFIGURATIONS: Readonly<Record<'forgotten takes' | 'forgotten leases', ModelBounds>> = {
  'forgotten takes': { ...SMALL, asks: [{ hold: 0, take: 1 }] },
  'forgotten leases': {
    ...SMALL,
    asks: [
      { hold: 1, take: 0 },
      { hold: 0, take: 0 },
    ],
  },
}
