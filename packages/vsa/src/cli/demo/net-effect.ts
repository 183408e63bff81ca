import type { Budget, Vsa } from '../../engine/api/public-types.ts'
import type { Stats } from '../../engine/runtime/stats.ts'
import { open } from '../../index.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { readBooks } from '../books.ts'

/** Part (a): what one budget's million operations cost. */
export interface NetEffect {
  readonly operations: number
  /** Admitted less refunded: what the operations come to, in units. */
  readonly netUnits: number
  readonly records: number
  readonly storeCalls: number
  readonly leaseRecords: number
  readonly durationMs: number
  /** What the store says was used. */
  readonly used: number
  readonly isTrue: boolean
}

const KEY = 'demo-net'
const OPERATIONS = 1_000_000
const NET_UNITS = 200
const WARM_UP_UNITS = 4_000
const WARM_UPS_MAX = 20

/** Admits and refunds one unit, over and over, on one key, and looks at what was written. */
export async function netEffect(storePath: string): Promise<NetEffect> {
  const vsa = open({ store: sqlite(storePath), label: 'vsa demo' })
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
    const { used, faulty } = await readBooks(storePath, (key) => key === KEY)
    return { ...cost, netUnits: NET_UNITS, durationMs, used, isTrue: used === NET_UNITS && faulty.length === 0 }
  } finally {
    await vsa.close()
  }
}

/** Loads the budget, and spends and refunds until its lease is of a size for what is to come: of this no trace is left. */
async function warmUp(vsa: Vsa, budget: Budget): Promise<void> {
  for (let time = 0; time < WARM_UPS_MAX && (await budget.peek()).leased < 5 * NET_UNITS; time++) {
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
