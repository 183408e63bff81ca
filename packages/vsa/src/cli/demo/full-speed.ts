import { type Budget, open, type Vsa } from '../../index.ts'
import type { Store } from '../../core/store.ts'
import { isBalanced, readTotals } from '../store-totals.ts'
import { count } from '../format.ts'
import type { LiveLine } from '../progress.ts'
import type { StorePlace } from '../stores/store-place.ts'

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
export function fullSpeed(place: StorePlace, seconds: number, live: LiveLine): Promise<FullSpeed> {
  return place.withStore({}, (store) => fullSpeedOn(store, { place, seconds, live }))
}

interface Run {
  readonly place: StorePlace
  readonly seconds: number
  readonly live: LiveLine
}

async function fullSpeedOn(store: Store, { place, seconds, live }: Run): Promise<FullSpeed> {
  const vsa = open({ store, label: 'vsa demo' })
  try {
    const family = vsa.budgets(FAMILY, { limit: 1_000_000_000_000, per: 'year' })
    const budgets = Array.from({ length: KEYS }, (_, index) => family.of(`tenant-${index}`))
    const first = await Promise.all(budgets.map((budget) => budget.admit()))
    const startedAt = performance.now()
    let admitted = first.filter(Boolean).length
    for (const endsAt = startedAt + seconds * 1_000; performance.now() < endsAt;) {
      const { units, waiting } = admitFrom(budgets)
      admitted += units + (await admitFromStore(waiting))
      live.show(() => liveText(vsa, performance.now() - startedAt))
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    const durationMs = performance.now() - startedAt
    await vsa.close()
    const { operations, records, leaseRecords, exchanges: storeCalls } = vsa.stats()
    const totals = await readTotals(place, (key) => key.startsWith(`${FAMILY}:`))
    const { used } = totals
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
      isTrue: used === admitted && isBalanced(totals),
    }
  } finally {
    live.done()
    await vsa.close()
  }
}

/** @returns the units admitted from memory, and the budgets whose leases were used up: they end the turn */
function admitFrom(budgets: readonly Budget[]): { readonly units: number; readonly waiting: readonly Budget[] } {
  const waiting: Budget[] = []
  let units = 0
  for (let round = 0; round < ROUNDS && waiting.length === 0; round++) {
    for (const budget of budgets) {
      if (budget.tryAdmit()) units++
      else waiting.push(budget)
    }
  }
  return { units, waiting }
}

/** One store call for all of them, which also gives them larger leases. */
async function admitFromStore(budgets: readonly Budget[]): Promise<number> {
  const answers = await Promise.all(budgets.map((budget) => budget.admit()))
  return answers.filter(Boolean).length
}

function liveText(vsa: Vsa, elapsedMs: number): string {
  const { operations, records, exchanges } = vsa.stats()
  const perCall = operations / Math.max(1, exchanges)
  return `${(elapsedMs / 1_000).toFixed(1)} s  N ${count(operations)}  I ${count(records)}  ${count(exchanges)} store calls  ${count(perCall)} N per call`
}
