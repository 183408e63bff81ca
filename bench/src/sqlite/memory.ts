import { join } from 'node:path'
import { open, type Family, type Vsa } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { DRIVER } from './hand-written.ts'
import { isBalanced, type Totals, totalsOf } from '../measure/totals.ts'

/** Budgets loaded by one exchange. */
const CHUNK = 1_000
const DEADLINE_MS = 600_000
const IDLE_WITHIN_MS = 600_000
const POLL_MS = 100
const POLICY = { limit: 1_000_000, per: 'month' } as const
/** Longer than the benchmark: leases stay until the close. */
const NO_FLUSH_MS = 3_600_000

export interface Memory {
  readonly budgets: number
  readonly keyLength: number
  /** Heap of the engine per budget, key included, when every budget was loaded and is idle: its lease returned, its state dropped. */
  readonly bytesPerIdleBudget: number
  /** The same while each budget holds a lease and has a delta that is not sent. */
  readonly bytesPerBudgetInUse: number
  readonly loadSeconds: number
  readonly idleSeconds: number
  readonly closeSeconds: number
  /** Units admitted in memory and not sent when the close began. */
  readonly unsent: number
  readonly admitted: number
  readonly used: number
  readonly balanced: boolean
}

/**
 * Two engines on two files. One loads that many budgets and waits until all are idle. The other, which flushes only at its close, loads as
 * many, holds a lease on each, and spends from each. @param collect collects garbage
 */
export async function memory(folder: string, budgets: number, collect: () => void): Promise<Memory> {
  const idle = await idleBudgets(join(folder, 'idle.db'), budgets, collect)
  const used = await usedBudgets(join(folder, 'used.db'), budgets, collect)
  return {
    budgets,
    ...idle.figures,
    ...used.figures,
    admitted: idle.admitted + used.admitted,
    used: idle.totals.used + used.totals.used,
    balanced: [idle, used].every(({ totals, admitted }) => isBalanced(totals, admitted) && totals.rows === budgets),
  }
}

interface Part<Figures> {
  readonly figures: Figures
  readonly admitted: number
  readonly totals: Totals
}

type IdleFigures = Pick<Memory, 'keyLength' | 'bytesPerIdleBudget' | 'loadSeconds' | 'idleSeconds'>

async function idleBudgets(path: string, budgets: number, collect: () => void): Promise<Part<IdleFigures>> {
  const vsa = open({ store: sqlite(path, { driver: DRIVER }), deadlineMs: DEADLINE_MS })
  const family = vsa.budgets('tenants', POLICY)
  await vsa.ready()
  const heapBefore = heapUsed(collect)
  const [admitted, loadSeconds] = await timed(() => admitFromEach(family, budgets))
  const [, idleSeconds] = await timed(() => allIdle(vsa))
  const bytesPerIdleBudget = (heapUsed(collect) - heapBefore) / budgets
  const keyLength = family.of(idOf(budgets - 1)).key.length
  await vsa.close({ deadlineMs: DEADLINE_MS })
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  return { figures: { keyLength, bytesPerIdleBudget, loadSeconds, idleSeconds }, admitted, totals }
}

type UsedFigures = Pick<Memory, 'bytesPerBudgetInUse' | 'unsent' | 'closeSeconds'>

async function usedBudgets(path: string, budgets: number, collect: () => void): Promise<Part<UsedFigures>> {
  const store = sqlite(path, { driver: DRIVER })
  const vsa = open({ store, deadlineMs: DEADLINE_MS, flushIntervalMs: NO_FLUSH_MS })
  const family = vsa.budgets('tenants', POLICY)
  await vsa.ready()
  const heapBefore = heapUsed(collect)
  const loaded = await admitFromEach(family, budgets)
  const unsent = tryEach(family, budgets)
  const bytesPerBudgetInUse = (heapUsed(collect) - heapBefore) / budgets
  const [, closeSeconds] = await timed(() => vsa.close({ deadlineMs: DEADLINE_MS }))
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  return { figures: { bytesPerBudgetInUse, unsent, closeSeconds }, admitted: loaded + unsent, totals }
}

/** A new string for each call, as in a request, so that the benchmark keeps none. */
function idOf(index: number): string {
  return String(1_000_000_000 + index)
}

async function admitFromEach(family: Family, budgets: number): Promise<number> {
  let admitted = 0
  for (let from = 0; from < budgets; from += CHUNK) {
    const asked = Array.from({ length: Math.min(CHUNK, budgets - from) }, (_, index) =>
      family.of(idOf(from + index)).admit(),
    )
    admitted += (await Promise.all(asked)).filter(Boolean).length
  }
  return admitted
}

function tryEach(family: Family, budgets: number): number {
  let admitted = 0
  for (let index = 0; index < budgets; index += 1) if (family.of(idOf(index)).tryAdmit()) admitted += 1
  return admitted
}

/** Waits until no lease is left, and then for more flushes, in which idle budgets are dropped. */
async function allIdle(vsa: Vsa): Promise<void> {
  const endsAtMs = performance.now() + IDLE_WITHIN_MS
  while (vsa.stats().leasedUnits > 0) {
    if (performance.now() > endsAtMs)
      throw new Error(`after ${IDLE_WITHIN_MS} ms ${vsa.stats().leasedUnits} units are still leased`)
    await pause(POLL_MS)
  }
  await pause(10 * POLL_MS)
}

function heapUsed(collect: () => void): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const startedAtMs = performance.now()
  const result = await work()
  return [result, (performance.now() - startedAtMs) / 1_000]
}
