import { open, type Budget, type Store, type Vsa } from 'vsa'
import { memory } from 'vsa/memory'
import { allocationOf, type Allocation } from '../measure/allocation.ts'
import { interleaved, ratioTo, type Measured, type Schedule } from '../measure/interleaved.ts'
import { UNITS } from './cell.ts'
import { makeKeys } from './keys.ts'
import { withFixedLeases } from './fixed-lease-store.ts'
import { gateVariants } from './variants.ts'

/** Longer than a run, so that no flush falls into a measurement. */
const FLUSH_INTERVAL_MS = 3_600_000
const DEADLINE_MS = 600_000
const LEASE_TTL_MS = 86_400_000
/** With more keys a sample takes seconds, and the result is the same. */
const ALLOCATION_KEYS_MAX = 10_000
/** Budgets loaded by one exchange. */
const CHUNK = 1_000
const FAMILY = 'bench'

export interface GateFigure {
  readonly name: string
  readonly base: string | null
  readonly operationsPerSecond: Measured['operationsPerSecond']
  /** Speed divided by the speed of the base, median over all turns; null for base lines. */
  readonly ratio: number | null
  /** The ratio of the two medians. Less reliable beside other load. */
  readonly ratioOfMedians: number | null
  readonly floor: number | null
  readonly met: boolean | null
  /** Null for loops that await, and for more than 10,000 keys. */
  readonly bytesPerOperation: number | null
}

export interface GateBooks {
  /** Units admitted less units refunded, as the loops counted them. */
  readonly counted: number
  /** The same by `stats()`, after a flush. */
  readonly inMemory: number
  /** Units used in the store, after the close. */
  readonly used: number
  /** By `stats()`. Must be 0, or the loops have measured denials. */
  readonly denied: number
  /** Minted less used, pool and burned, after the close. Must be 0. */
  readonly missing: number
  readonly balanced: boolean
}

export interface GateRun {
  readonly keys: number
  readonly figures: readonly GateFigure[]
  readonly books: GateBooks
}

/** Measures all variants over that many keys, and compares the books with what the loops counted. */
export async function gateRun(keyCount: number, schedule: Schedule): Promise<GateRun> {
  const keys = makeKeys(keyCount)
  const store = memory({ leaseTtlMs: LEASE_TTL_MS })
  const vsa = open({
    store: withFixedLeases(store, UNITS),
    flushIntervalMs: FLUSH_INTERVAL_MS,
    deadlineMs: DEADLINE_MS,
  })
  const family = vsa.budgets(FAMILY, { initial: 4 * UNITS, atRisk: UNITS })
  const budgets = keys.ids.map((id) => family.of(id))
  await load(budgets)
  const measured = await interleaved(gateVariants(vsa, family, budgets, keys), schedule)
  const allocations = measured.map(({ variant }) =>
    variant.awaits || keyCount > ALLOCATION_KEYS_MAX ? null : allocationOf(variant.run, keyCount),
  )
  const counted = keyCount + sum(measured.map((one, at) => spentBy(one, allocations[at] ?? null)))
  const books = await booksOf(vsa, store, budgets, counted)
  return { keys: keyCount, figures: measured.map((one, at) => figureOf(one, measured, allocations[at] ?? null)), books }
}

async function load(budgets: readonly Budget[]): Promise<void> {
  for (let from = 0; from < budgets.length; from += CHUNK) {
    const loaded = await Promise.all(budgets.slice(from, from + CHUNK).map((budget) => budget.admit()))
    if (loaded.includes(false)) throw new Error('a budget could not be loaded')
  }
}

function spentBy({ variant, counted }: Measured, allocation: Allocation | null): number {
  if (!variant.spends) return 0
  return counted.admittedUnits - counted.refundedUnits + (allocation?.netUnits ?? 0)
}

function figureOf(measured: Measured, all: readonly Measured[], allocation: Allocation | null): GateFigure {
  const { operationsPerSecond } = measured
  const { name, base, floor } = measured.variant
  const against = all.find((other) => other.variant.name === base)
  const ratio = against === undefined ? null : ratioTo(measured, against)
  const ratioOfMedians = against === undefined ? null : operationsPerSecond.median / against.operationsPerSecond.median
  const met = floor === null || ratio === null ? null : ratio >= floor
  const bytesPerOperation = allocation?.bytesPerOperation ?? null
  return { name, base, operationsPerSecond, ratio, ratioOfMedians, floor, met, bytesPerOperation }
}

async function booksOf(vsa: Vsa, store: Store, budgets: readonly Budget[], counted: number): Promise<GateBooks> {
  await vsa.flush({ deadlineMs: DEADLINE_MS })
  const { admittedUnits, refundedUnits, deniedUnits: denied } = vsa.stats()
  const inMemory = admittedUnits - refundedUnits
  await vsa.close({ deadlineMs: DEADLINE_MS })
  const { used, missing } = await totalsOf(store, budgets)
  const balanced = denied === 0 && missing === 0 && inMemory === counted && used === counted
  return { counted, inMemory, used, denied, missing, balanced }
}

async function totalsOf(store: Store, budgets: readonly Budget[]): Promise<{ used: number; missing: number }> {
  const rows = await store.read(budgets.map(({ key }) => ({ key, period: 0 })))
  const used = sum(rows.map((row) => row.used))
  return { used, missing: sum(rows.map((row) => row.minted - row.used - row.pool - row.burned)) }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
