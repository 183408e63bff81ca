import { join } from 'node:path'
import { open, type Family, type Vsa } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { DRIVER } from './hand-written.ts'
import { isBalanced, totalsOf } from './totals.ts'

/** Budgets loaded by one exchange. */
const CHUNK = 1_000
const DEADLINE_MS = 600_000
const IDLE_WITHIN_MS = 600_000
const POLL_MS = 100
const LIMIT = 1_000_000

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

/** Loads that many budgets, waits until all are idle, uses each again, and closes. @param collect collects garbage */
export async function memory(folder: string, budgets: number, collect: () => void): Promise<Memory> {
  const path = join(folder, 'memory.db')
  const vsa = open({ store: sqlite(path, { driver: DRIVER }), deadlineMs: DEADLINE_MS })
  const family = vsa.budgets('tenants', { limit: LIMIT, per: 'month' })
  await vsa.ready()
  const heapBefore = heapUsed(collect)
  const [loaded, loadSeconds] = await timed(() => admitFromEach(family, budgets))
  const [, idleSeconds] = await timed(() => allIdle(vsa))
  const idle = heapUsed(collect)
  // Twice: after a lease was returned unused, the next lease is taken at the second request.
  const touched = (await admitFromEach(family, budgets)) + (await admitFromEach(family, budgets))
  const inUse = heapUsed(collect)
  const unsent = tryEach(family, budgets)
  const [, closeSeconds] = await timed(() => vsa.close({ deadlineMs: DEADLINE_MS }))
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  const admitted = loaded + touched + unsent
  return {
    budgets,
    keyLength: family.of(idOf(budgets - 1)).key.length,
    bytesPerIdleBudget: (idle - heapBefore) / budgets,
    bytesPerBudgetInUse: (inUse - heapBefore) / budgets,
    loadSeconds,
    idleSeconds,
    closeSeconds,
    unsent,
    admitted,
    used: totals.used,
    balanced: isBalanced(totals, admitted) && totals.rows === budgets,
  }
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
