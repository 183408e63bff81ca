import { parentPort, workerData } from 'node:worker_threads'
import { loadLibrary } from './simulation/library.ts'
import { runSeeds } from './simulation/run-seeds.ts'
import type { WorkerMessage, WorkerTask } from './simulation/worker-pool.ts'

/* One worker of a simulation: runs every `step`-th seed, and reports its progress and its result. */

const PROGRESS_EVERY = 10

const { folder, from, count, step, stop } = workerData as WorkerTask
const stopped = new Int32Array(stop)

function* seeds(): Generator<number> {
  for (let seed = from; seed < from + count; seed += step) {
    if (Atomics.load(stopped, 0) === 1) return
    yield seed
  }
}

function post(message: WorkerMessage): void {
  parentPort?.postMessage(message)
}

let done = 0
const library = await loadLibrary(folder)
const result = await runSeeds(library, seeds(), () => {
  done += 1
  if (done % PROGRESS_EVERY === 0) post({ kind: 'progress', seeds: PROGRESS_EVERY })
})
if (result.failure !== null) Atomics.store(stopped, 0, 1)
post({ kind: 'ended', result })
