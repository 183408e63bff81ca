import { join } from 'node:path'
import { open, type Family, type Vsa } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { DRIVER } from './hand-written.ts'
import { isTrue, totalsOf } from './totals.ts'

/** Budgets asked at a time: one exchange. */
const CHUNK = 1_000
const DEADLINE_MS = 600_000
const IDLE_WITHIN_MS = 600_000
const POLL_MS = 100
const LIMIT = 1_000_000

export interface Memory {
  readonly budgets: number
  readonly keyLength: number
  /** Of the engine's heap, key included, when every budget is loaded and idle: its lease returned, its account dropped. */
  readonly bytesPerIdleBudget: number
  /** The same while each holds a lease and has something unsent. */
  readonly bytesPerBudgetInUse: number
  readonly loadSeconds: number
  readonly idleSeconds: number
  readonly closeSeconds: number
  /** Units that were admitted in memory alone when the close began. */
  readonly unsent: number
  readonly admitted: number
  readonly used: number
  readonly balanced: boolean
}

/** Loads that many budgets, waits until all are idle, touches each again, and closes. @param collect garbage */
export async function memory(folder: string, budgets: number, collect: () => void): Promise<Memory> {
  const path = join(folder, 'memory.db')
  const vsa = open({ store: sqlite(path, { driver: DRIVER }), deadlineMs: DEADLINE_MS })
  const family = vsa.budgets('tenants', { limit: LIMIT, per: 'month' })
  await vsa.ready()
  const heapBefore = heapUsed(collect)
  const [loaded, loadSeconds] = await timed(() => admitFromEach(family, budgets))
  const [, idleSeconds] = await timed(() => allIdle(vsa))
  const idle = heapUsed(collect)
  // Twice: a lease that went back untouched makes the next one wait for a second request.
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
    balanced: isTrue(totals, admitted) && totals.rows === budgets,
  }
}

/** Made anew at each call, as a request brings it: the benchmark itself keeps none. */
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

/** No lease is left; then three flushes more, in which accounts are dropped. */
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
