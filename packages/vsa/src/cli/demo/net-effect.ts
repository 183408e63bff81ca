import type { Stats } from '../../engine/stats.ts'
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

/** Admits and refunds one unit, over and over, on one key, and looks at what was written. */
export async function netEffect(storePath: string): Promise<NetEffect> {
  const vsa = open({ store: sqlite(storePath), label: 'vsa demo' })
  try {
    const budget = vsa.budget(KEY, { limit: 1_000_000, per: 'year' })
    // The first request loads the budget; refunded, it leaves a lease and no trace in what is measured.
    await budget.admit(NET_UNITS)
    budget.refund(NET_UNITS)
    await vsa.flush()
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
