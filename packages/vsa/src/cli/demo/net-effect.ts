import { type Budget, open, type Stats, type Vsa } from '../../index.ts'
import type { Store } from '../../core/store.ts'
import { isBalanced, readTotals } from '../store-totals.ts'
import type { StorePlace } from '../stores/store-place.ts'

/** Part (a): what a million operations on one budget cost. */
export interface NetEffect {
  readonly operations: number
  /** Units admitted less units refunded. */
  readonly netUnits: number
  readonly records: number
  readonly storeCalls: number
  readonly leaseRecords: number
  readonly durationMs: number
  /** Units used, as the store has them. */
  readonly used: number
  readonly isTrue: boolean
}

const KEY = 'demo-net'
const OPERATIONS = 1_000_000
const NET_UNITS = 200
const WARM_UP_UNITS = 4_000
const WARM_UPS_MAX = 20

/** Admits and refunds one unit again and again on one key, and counts what was written. */
export function netEffect(place: StorePlace): Promise<NetEffect> {
  return place.withStore({}, (store) => netEffectOn(store, place))
}

async function netEffectOn(store: Store, place: StorePlace): Promise<NetEffect> {
  const vsa = open({ store, label: 'vsa demo' })
  try {
    const budget = vsa.budget(KEY, { limit: 1_000_000, per: 'year' })
    await warmUp(vsa, budget)
    const before = vsa.stats()
    const startedAt = performance.now()
    for (let pair = 0; pair < (OPERATIONS - NET_UNITS) / 2; pair++) {
      if (!budget.tryAdmit()) await budget.admit()
      budget.refund()
    }
    for (let unit = 0; unit < NET_UNITS; unit++) if (!budget.tryAdmit()) await budget.admit()
    const durationMs = performance.now() - startedAt
    await vsa.flush()
    const cost = costBetween(before, vsa.stats())
    await vsa.close()
    const totals = await readTotals(place, (key) => key === KEY)
    const { used } = totals
    return { ...cost, netUnits: NET_UNITS, durationMs, used, isTrue: used === NET_UNITS && isBalanced(totals) }
  } finally {
    await vsa.close()
  }
}

/** Loads the budget, and admits and refunds until its lease is large enough. Leaves no net effect. */
async function warmUp(vsa: Vsa, budget: Budget): Promise<void> {
  for (let warmUp = 0; warmUp < WARM_UPS_MAX && (await budget.peek()).leased < 5 * NET_UNITS; warmUp++) {
    await budget.admit(WARM_UP_UNITS)
    budget.refund(WARM_UP_UNITS)
    await vsa.flush()
  }
}

function costBetween(
  before: Stats,
  after: Stats,
): Pick<NetEffect, 'operations' | 'records' | 'storeCalls' | 'leaseRecords'> {
  return {
    operations: after.operations - before.operations,
    records: after.records - before.records,
    storeCalls: after.exchanges - before.exchanges,
    leaseRecords: after.leaseRecords - before.leaseRecords,
  }
}
