import { type Budget, open, type Vsa } from '../../index.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { readTotals } from '../store-totals.ts'
import { count } from '../format.ts'
import type { LiveLine } from '../progress.ts'

/** Part (b): many keys at full speed. */
export interface FullSpeed {
  readonly keys: number
  readonly durationMs: number
  /** N: admissions and refunds, denied ones included. */
  readonly operations: number
  /** I: rows written. */
  readonly records: number
  readonly leaseRecords: number
  readonly storeCalls: number
  readonly operationsPerSecond: number
  readonly operationsPerStoreCall: number
  /** Units admitted, as the loop counted them. */
  readonly admitted: number
  /** Units used, as the store has them. */
  readonly used: number
  readonly isTrue: boolean
}

const FAMILY = 'demo-speed'
const KEYS = 128
/** Rounds over all keys between two turns of the event loop: about a millisecond. */
const ROUNDS = 1_000

/** Admits one unit at a time from each key in turn, for `seconds`, and compares its count with the store. */
export async function fullSpeed(storePath: string, seconds: number, live: LiveLine): Promise<FullSpeed> {
  const vsa = open({ store: sqlite(storePath), label: 'vsa demo' })
  try {
    const family = vsa.budgets(FAMILY, { limit: 1_000_000_000_000, per: 'year' })
    const budgets = Array.from({ length: KEYS }, (_, index) => family.of(`tenant-${index}`))
    const first = await Promise.all(budgets.map((budget) => budget.admit()))
    const startedAt = performance.now()
    let admitted = first.filter(Boolean).length
    for (const endsAt = startedAt + seconds * 1_000; performance.now() < endsAt;) {
      admitted += admitFrom(budgets)
      live.show(() => liveText(vsa, performance.now() - startedAt))
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    const durationMs = performance.now() - startedAt
    await vsa.close()
    const { operations, records, leaseRecords, exchanges: storeCalls } = vsa.stats()
    const { used, faulty } = await readTotals(storePath, (key) => key.startsWith(`${FAMILY}:`))
    return {
      keys: KEYS,
      durationMs,
      operations,
      records,
      leaseRecords,
      storeCalls,
      operationsPerSecond: operations / (durationMs / 1_000),
      operationsPerStoreCall: operations / storeCalls,
      admitted,
      used,
      isTrue: used === admitted && faulty.length === 0,
    }
  } finally {
    live.done()
    await vsa.close()
  }
}

function admitFrom(budgets: readonly Budget[]): number {
  let admitted = 0
  for (let round = 0; round < ROUNDS; round++) for (const budget of budgets) if (budget.tryAdmit()) admitted++
  return admitted
}

function liveText(vsa: Vsa, elapsedMs: number): string {
  const { operations, records, exchanges } = vsa.stats()
  const perCall = operations / Math.max(1, exchanges)
  return `${(elapsedMs / 1_000).toFixed(1)} s  N ${count(operations)}  I ${count(records)}  ${count(exchanges)} store calls  ${count(perCall)} N per call`
}
