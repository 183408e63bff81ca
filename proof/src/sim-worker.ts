import { parentPort, workerData } from 'node:worker_threads'
import { loadLibrary } from './simulation/library.ts'
import { runSeeds } from './simulation/run-seeds.ts'
import type { WorkerOrder, WorkerWord } from './simulation/pool.ts'

/* One worker of a simulation: runs every so-manieth seed, tells how far it is, and how it ended. */

const TELL_EVERY = 10

const { folder, from, count, step, stop } = workerData as WorkerOrder
const stopped = new Int32Array(stop)

function* seeds(): Generator<number> {
  for (let seed = from; seed < from + count; seed += step) {
    if (Atomics.load(stopped, 0) === 1) return
    yield seed
  }
}

function say(word: WorkerWord): void {
  parentPort?.postMessage(word)
}

const library = await loadLibrary(folder)
const result = await runSeeds(library, seeds(), ({ seeds: done }) => {
  if (done % TELL_EVERY === 0) say({ kind: 'progress', seeds: TELL_EVERY })
})
if (result.failure !== null) Atomics.store(stopped, 0, 1)
say({ kind: 'ended', result })
