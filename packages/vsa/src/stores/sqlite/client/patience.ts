import { isBusy } from '../errors.ts'

/** Pauses between attempts: the first, and the longest. Other processes hold the file's lock for the time of one commit. */
const FIRST_PAUSE_MS = 0.5
const PAUSE_MS_MAX = 50
const GROWTH = 1.5
/** Nothing wakes a wait on it. */
const CELL = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/**
 * Repeats `work` while it fails because the file is locked, until the pauses add up to `patienceMs`. SQLite's own wait (`busy_timeout`) is not
 * used, because it keeps the thread inside native code, where neither an exit of the process nor the end of the thread can interrupt it.
 * Blocks this thread, which has no other work.
 * @param work may be run again after it failed
 */
export function patiently<T>(patienceMs: number, work: () => T): T {
  let waitedMs = 0
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * GROWTH, PAUSE_MS_MAX)) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || waitedMs >= patienceMs) throw error
    }
    const nextMs = Math.min(pauseMs, patienceMs - waitedMs)
    Atomics.wait(CELL, 0, 0, nextMs)
    waitedMs += nextMs
  }
}
