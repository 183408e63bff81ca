import { Worker } from 'node:worker_threads'
import type { WorkerTask, WorkerMessage } from '../simulation/worker-pool.ts'
import type { Canary } from './canary.ts'
import { plant } from './plant.ts'

/** The first seed is a crowd, and takes as long as fifty others. */
const FIRST_SEED = 2
/** Seeds that a canary may take at most. */
export const SEEDS_MAX = 1_000
/** A bug may make a run go round in circles: then it has been found as well. */
const SILENCE_MAX_MS = 60_000

/** How a canary was found. */
export interface Catch {
  readonly canary: Canary
  /** How many seeds it took; null when it survived all of them. */
  readonly seeds: number | null
  /** The law or rule that did not hold, and how that was seen. */
  readonly law: string
  readonly what: string
}

/** Plants the bug and runs seed after seed until a law does not hold. */
export async function hunt(canary: Canary, seedsMax: number): Promise<Catch> {
  const planted = plant(canary)
  try {
    return { canary, ...(await search(planted.folder, seedsMax)) }
  } finally {
    planted.remove()
  }
}

function search(folder: string, seedsMax: number): Promise<Omit<Catch, 'canary'>> {
  const order: WorkerTask = { folder, from: FIRST_SEED, count: seedsMax, step: 1, stop: new SharedArrayBuffer(4) }
  return new Promise((resolve) => {
    const worker = new Worker(new URL('../sim-worker.js', import.meta.url), { workerData: order, stderr: true })
    let done = 0
    const end = (result: Omit<Catch, 'canary'>): void => {
      clearTimeout(silence)
      resolve(result)
      worker.terminate().catch(() => undefined)
    }
    const circles = (): void => end({ seeds: done + 1, law: 'L8', what: `silent for ${SILENCE_MAX_MS} ms` })
    let silence = setTimeout(circles, SILENCE_MAX_MS)
    worker.on('message', (word: WorkerMessage) => {
      if (word.kind === 'progress') {
        done += word.seeds
        clearTimeout(silence)
        silence = setTimeout(circles, SILENCE_MAX_MS)
        return
      }
      const { totals, failure } = word.result
      if (failure === null) end({ seeds: null, law: '', what: '' })
      else end({ seeds: totals.seeds, law: failure.law, what: failure.what })
    })
    worker.on('error', (error) => end({ seeds: done + 1, law: 'bug', what: String(error) }))
  })
}
