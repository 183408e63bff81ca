import { Worker } from 'node:worker_threads'
import type { Failure, SeedsResult } from './run-seeds.ts'
import { addTotals, noTotals, type Totals } from './totals.ts'

/** What a worker is started with. */
export interface WorkerTask {
  /** The built library that it runs. */
  readonly folder: string
  /** Its first seed, and how many seeds there are from there; it runs every `step`-th. */
  readonly from: number
  readonly count: number
  readonly step: number
  /** Shared: 1 once a worker has found a failure. */
  readonly stop: SharedArrayBuffer
}

export type WorkerMessage =
  | { readonly kind: 'progress'; readonly seeds: number }
  | { readonly kind: 'ended'; readonly result: SeedsResult }

export interface PoolResult {
  readonly totals: Totals
  /** The failure with the lowest seed; null when every seed held. */
  readonly failure: Failure | null
}

/** Runs `count` seeds from `from` on several threads, until all have run or one has failed. */
export async function runPool(
  options: { readonly folder: string; readonly from: number; readonly count: number; readonly workers: number },
  onProgress: (seeds: number) => void,
): Promise<PoolResult> {
  const { folder, from, count, workers } = options
  const stop = new SharedArrayBuffer(4)
  const results = await Promise.all(
    Array.from({ length: Math.min(workers, count) }, (_, index) =>
      runWorker({ folder, from: from + index, count: count - index, step: workers, stop }, onProgress),
    ),
  )
  const totals = noTotals()
  for (const result of results) addTotals(totals, result.totals, result.totals.seeds)
  const failures = results.flatMap(({ failure }) => failure ?? []).toSorted((a, b) => a.seed - b.seed)
  return { totals, failure: failures[0] ?? null }
}

function runWorker(task: WorkerTask, onProgress: (seeds: number) => void): Promise<SeedsResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('../sim-worker.js', import.meta.url), { workerData: task })
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'progress') onProgress(message.seeds)
      else resolve(message.result)
    })
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`a worker ended with code ${code}, and no result`)))
  })
}
