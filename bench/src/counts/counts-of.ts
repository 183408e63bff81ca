import { open, type Budget, type OpenOptions, type Policy, type Store, type Vsa } from 'vsa'
import { memory } from 'vsa/memory'
import { manualClock, type ManualClock } from 'vsa/testing'
import { countedStore, type StoreCounts } from '../measure/counted-store.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import { until } from '../measure/until.ts'
import { operationsOf } from '../workloads/operations.ts'
import { limitOf, traceOf, type Trace } from '../workloads/trace.ts'
import { Callers } from './callers.ts'
import type { CountCase, Strength } from './count-case.ts'

/** Operations arrive in portions, this far apart, in ms of the clock. */
const PORTION_EVERY_MS = 10
/** 10 flush intervals. */
const DURATION_MS = 1_000
const PORTIONS = DURATION_MS / PORTION_EVERY_MS

/** The exact figures of a case: the same on every machine. Everything from the join to the close is in them. */
export interface Counts extends Readonly<StoreCounts> {
  readonly operations: number
}

/** What a test plants. */
export interface CountsOptions {
  /** Wraps the store behind the count of the calls. */
  readonly wrap?: (store: Store) => Store
  readonly engine?: Partial<OpenOptions>
  /** Every key has been used, and that was flushed, before the count begins. Default false. */
  readonly isWarm?: boolean
}

/**
 * Runs a case on a clock that stands still but for portions of 10 ms, over the store in memory: no figure depends on real time.
 * @throws Error when the books of the store do not say what the callers were told
 */
export async function countsOf(countCase: CountCase, options: CountsOptions = {}): Promise<Counts> {
  const { operations, strength, workload } = countCase
  const clock = manualClock()
  const books = memory()
  const { store, counts } = countedStore(options.wrap?.(books) ?? books)
  const vsa = open({ store, clock, random: () => 0.5, label: 'counts', onEvent: () => undefined, ...options.engine })
  const trace = traceOf(workload, operations)
  const budgetOf = budgetsOf(vsa, trace, strength)
  const callers = new Callers(budgetOf, operationsOf(trace), strength)
  const warmed = options.isWarm === true ? await warm(vsa, trace, budgetOf, clock) : 0
  const before = { ...counts }
  for (let portion = 0; portion < PORTIONS; portion += 1) {
    const upTo = (at: number): number => Math.floor((operations * at) / PORTIONS)
    await until(callers.allow(upTo(portion + 1) - upTo(portion)), clock)
    await clock.advance(PORTION_EVERY_MS)
  }
  const after = { ...counts }
  await until(vsa.close(), clock)
  const totals = await totalsOf(books)
  if (!isBalanced(totals, warmed + callers.tally.units))
    throw new Error(`${countCase.name}: told ${callers.tally.units}, books ${JSON.stringify(totals)}`)
  return { operations, ...(options.isWarm === true ? difference(before, after) : counts) }
}

function budgetsOf(vsa: Vsa, trace: Trace, strength: Strength): (key: string) => Budget {
  const atRisk = strength === 'durable' ? { atRisk: 0 } : {}
  const policyOf = (index: number): Policy => {
    const units = limitOf(trace, index)
    return trace.workload.limit.kind === 'stock'
      ? { initial: units, ...atRisk }
      : { limit: units, per: 'year', ...atRisk }
  }
  if (trace.workload.keys.kind !== 'scarce') {
    const family = vsa.budgets('counts', policyOf(0))
    return (key) => family.of(key)
  }
  const indexes = new Map(trace.names.map((name, index) => [name, index]))
  const family = vsa.budgets('counts', (id) => policyOf(indexes.get(id) ?? 0))
  return (key) => family.of(key)
}

/** @returns units admitted */
async function warm(
  vsa: Vsa,
  { names }: Trace,
  budgetOf: (key: string) => Budget,
  clock: ManualClock,
): Promise<number> {
  const asked = names.map((name) => budgetOf(name).admit())
  await until(
    Promise.all(asked).then(() => vsa.flush()),
    clock,
  )
  return (await Promise.all(asked)).filter(Boolean).length
}

function difference(before: StoreCounts, after: StoreCounts): StoreCounts {
  return {
    exchanges: after.exchanges - before.exchanges,
    reads: after.reads - before.reads,
    records: after.records - before.records,
    leaseRecords: after.leaseRecords - before.leaseRecords,
    bytes: after.bytes - before.bytes,
  }
}
