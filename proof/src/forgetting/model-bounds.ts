import type { Ask, ModelBounds } from './model-world.ts'

/** One unit, two owners, three joins, one loss of up to two transactions: each trace T1 to T10 of stores.md fits in. */
const SMALL = {
  ...{ limit: 1, sends: [1, 1], joins: 3, losses: 1, depth: 2 },
  ...{ deliveries: [2, 2], reaps: true, begun: [] },
} as const satisfies Partial<ModelBounds>
const TAKE: Ask = { hold: 0, take: 1, refund: 0 }
const LEASE: Ask = { hold: 1, take: 0, refund: 0 }
const NOTHING: Ask = { hold: 0, take: 0, refund: 0 }
const REFUND: Ask = { hold: 0, take: 0, refund: 1 }

export type ConfigurationName = 'forgotten takes' | 'forgotten leases' | 'forgotten refunds'

/** The configurations of the model of a store that forgets, by name. */
export const FORGETTING_CONFIGURATIONS: Readonly<Record<ConfigurationName, ModelBounds>> = {
  'forgotten takes': { ...SMALL, asks: [[TAKE], [TAKE]] },
  'forgotten leases': {
    ...SMALL,
    asks: [
      [LEASE, NOTHING],
      [LEASE, NOTHING],
    ],
  },
  /** One owner has taken the unit and takes it again; the other one gives it back: T13 fits in. */
  'forgotten refunds': {
    ...{ limit: 1, sends: [1, 4], joins: 4, losses: 1, depth: 2, asks: [[REFUND], [TAKE]] },
    ...{ deliveries: [2, 1], reaps: false },
    begun: ['B joins', 'B sends hold 0, take 1', 'the store gets the batch of B', 'B hears applied'],
  },
}
