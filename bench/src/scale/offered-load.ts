import { open, type Budget, type Vsa } from 'vsa'
import { memory } from 'vsa/memory'
import { manualClock } from 'vsa/testing'
import { countedStore } from '../measure/counted-store.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import { until } from '../measure/until.ts'

/** Requests arrive in portions, this far apart, in ms of the clock. */
const PORTION_EVERY_MS = 10
/** Never spent within a run. */
const LIMIT = 1_000_000_000_000

/** What is asked, all of it evenly: over the time, over the keys in turn, and over the owners by rounds. */
export interface Load {
  readonly operations: number
  readonly keys: number
  readonly owners: number
  /** Of the clock. */
  readonly durationMs: number
  readonly flushIntervalMs: number
  readonly strength: 'leased' | 'durable'
}

/** What a load costs the store, from the joins to the closes. */
export interface LoadCost extends Load {
  readonly exchanges: number
  readonly records: number
  readonly leaseRecords: number
  /** All operations were admitted, and the books say so. */
  readonly balanced: boolean
}

/** Runs a load on a clock that stands still but for portions, over the store in memory: the same figures on every machine. */
export async function costOf(load: Load): Promise<LoadCost> {
  const { operations, keys, durationMs, strength } = load
  const clock = manualClock()
  const books = memory()
  const { store, counts } = countedStore(books, { sizes: false })
  const engines = Array.from({ length: load.owners }, () =>
    open({ store, clock, flushIntervalMs: load.flushIntervalMs, random: () => 0.5, onEvent: () => undefined }),
  )
  await until(Promise.all(engines.map((vsa) => vsa.ready())), clock)
  const budgets = engines.map((vsa) => budgetsOf(vsa, load))
  const ask = strength === 'leased' ? askLeased : askDurable
  const portions = durationMs / PORTION_EVERY_MS
  let admitted = 0
  for (let portion = 0; portion < portions; portion += 1) {
    const from = Math.floor((operations * portion) / portions)
    const upTo = Math.floor((operations * (portion + 1)) / portions)
    admitted += await until(ask(budgets, keys, from, upTo), clock)
    await clock.advance(PORTION_EVERY_MS)
  }
  for (const vsa of engines) await until(vsa.close(), clock)
  const { exchanges, records, leaseRecords } = counts
  const balanced = admitted === operations && isBalanced(await totalsOf(books), admitted)
  return { ...load, exchanges, records, leaseRecords, balanced }
}

function budgetsOf(vsa: Vsa, { keys, strength }: Load): readonly Budget[] {
  const family = vsa.budgets('scale', { limit: LIMIT, per: 'year', ...(strength === 'durable' ? { atRisk: 0 } : {}) })
  return Array.from({ length: keys }, (_, index) => family.of(`tenant-${index}`))
}

type Ask = (budgets: readonly (readonly Budget[])[], keys: number, from: number, upTo: number) => Promise<number>

/** From memory where that is possible; else as a request that waits. */
const askLeased: Ask = async (budgets, keys, from, upTo) => {
  const waiting: Promise<boolean>[] = []
  let admitted = 0
  for (let at = from; at < upTo; at += 1) {
    const budget = budgets[Math.floor(at / keys) % budgets.length]?.[at % keys]
    if (budget === undefined) continue
    if (budget.tryAdmit()) admitted += 1
    else waiting.push(budget.admit())
  }
  return admitted + (await Promise.all(waiting)).filter(Boolean).length
}

const askDurable: Ask = async (budgets, keys, from, upTo) => {
  const waiting: Promise<boolean>[] = []
  for (let at = from; at < upTo; at += 1) {
    const budget = budgets[Math.floor(at / keys) % budgets.length]?.[at % keys]
    if (budget !== undefined) waiting.push(budget.admit())
  }
  return (await Promise.all(waiting)).filter(Boolean).length
}
