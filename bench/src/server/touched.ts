import { open, type Family } from 'vsa'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import type { BenchServer } from './bench-server.ts'

/** Budgets that are asked for together. Some batches of them: none leaves half empty. */
const WAVE = 10_000
const DEADLINE_MS = 600_000
const POLICY = { limit: 1_000_000, per: 'month' } as const

export interface Touched {
  readonly budgets: number
  readonly admitted: number
  readonly batchMax: number
  readonly touchSeconds: number
  readonly closeSeconds: number
  /** Statements or scripts as the server counted them, close included. */
  readonly calls: number
  /** Store calls of the engine. */
  readonly exchanges: number
  /** Against as many as carry each budget once. */
  readonly timesFullBatches: number
  /** When the last one was admitted. */
  readonly budgetsInMemory: number
  /** Of the heap of this process, garbage collected, when the last one was admitted. */
  readonly heapBytesPerBudget: number
  /** The growth of this process, at most. */
  readonly rssMaxBytes: number
  /** Memory of Redis, or tables and indexes of Postgres. */
  readonly serverBytesPerBudget: number
  readonly balanced: boolean
}

/** One owner that admits one unit from each of that many budgets, and closes. @param collect collects garbage */
export async function touched(server: BenchServer, budgets: number, collect: () => void): Promise<Touched> {
  const name = 'touched'
  // The schema is made before.
  await totalsOf(server.client.store(name))
  const store = server.client.store(name)
  const { batchMax } = store.capabilities
  const [callsBefore, bytesBefore] = [await server.calls(name), await server.bytes(name)]
  const vsa = open({ store, deadlineMs: DEADLINE_MS })
  const family = vsa.budgets('tenants', POLICY)
  await vsa.ready()
  const [heapBefore, rssBefore] = [heapUsed(collect), process.memoryUsage.rss()]
  const startedAtMs = performance.now()
  let [admitted, rssMax] = [0, rssBefore]
  for (let from = 0; from < budgets; from += WAVE) {
    admitted += await admitWave(family, from, Math.min(budgets, from + WAVE))
    rssMax = Math.max(rssMax, process.memoryUsage.rss())
  }
  const touchedAtMs = performance.now()
  const heapBytesPerBudget = (heapUsed(collect) - heapBefore) / budgets
  const budgetsInMemory = vsa.stats().budgets
  const closingAtMs = performance.now()
  await vsa.close({ deadlineMs: DEADLINE_MS })
  const closedAtMs = performance.now()
  const { exchanges } = vsa.stats()
  const calls = (await server.calls(name)) - callsBefore
  const serverBytesPerBudget = ((await server.bytes(name)) - bytesBefore) / budgets
  const totals = await totalsOf(server.client.store(name))
  return {
    budgets,
    admitted,
    batchMax,
    touchSeconds: (touchedAtMs - startedAtMs) / 1_000,
    closeSeconds: (closedAtMs - closingAtMs) / 1_000,
    calls,
    exchanges,
    timesFullBatches: calls / Math.ceil(budgets / batchMax),
    budgetsInMemory,
    heapBytesPerBudget,
    rssMaxBytes: rssMax - rssBefore,
    serverBytesPerBudget,
    balanced: isBalanced(totals, admitted) && totals.rows === budgets && admitted === budgets,
  }
}

/** New strings each time, as in requests: the benchmark keeps none. */
async function admitWave(family: Family, from: number, to: number): Promise<number> {
  const asked = Array.from({ length: to - from }, (_, index) => family.of(String(1_000_000_000 + from + index)).admit())
  return (await Promise.all(asked)).filter(Boolean).length
}

function heapUsed(collect: () => void): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
