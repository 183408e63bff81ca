import { keepOutside } from '../client/native-gate.ts'

/** The longest wait at the end of the process: for a commit on a slow disk. */
const WAIT_MS_MAX = 10_000

/** The gates of the threads that run. */
const gates = new Set<SharedArrayBuffer>()

/**
 * When this process ends, or this thread of it, its store's thread is first kept outside native code (see `native-gate.ts`).
 * @returns to be called when the store's thread has ended
 */
export function endWithProcess(gate: SharedArrayBuffer): () => void {
  if (gates.size === 0) process.on('exit', keepAllOutside)
  gates.add(gate)
  return () => {
    gates.delete(gate)
    if (gates.size === 0) process.off('exit', keepAllOutside)
  }
}

function keepAllOutside(): void {
  for (const gate of gates) keepOutside(gate, WAIT_MS_MAX)
}
