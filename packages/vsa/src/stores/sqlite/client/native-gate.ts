/*
 * One cell of memory that the store's thread shares with the thread that started it. A client's native code must not be left by a thread that is
 * being ended: libsql and better-sqlite3 then abort the whole process when they return a value or an error. So a process that exits waits until
 * the store's thread is outside native code, and keeps it outside.
 */

const OUTSIDE = 0
const INSIDE = 1
/** The process exits, and waits for the thread to leave native code. */
const LEAVING = 2
/** The thread must not enter native code again. */
const STOPPED = 3

export const GATE_BYTES: number = Int32Array.BYTES_PER_ELEMENT

/** The side of the thread that runs native code. */
export interface NativeGate {
  /** Called before native code is entered. Does not return once the process exits. */
  enter(): void
  /** Called after native code is left. Does not return once the process exits. */
  leave(): void
}

/** For native code on a thread that nothing ends while it runs. */
export const OPEN_GATE: NativeGate = { enter: () => undefined, leave: () => undefined }

export function nativeGate(buffer: SharedArrayBuffer): NativeGate {
  const cell = new Int32Array(buffer)
  /** Until the thread is ended. */
  const stop = (): void => {
    Atomics.store(cell, 0, STOPPED)
    Atomics.notify(cell, 0)
    for (;;) Atomics.wait(cell, 0, STOPPED)
  }
  return {
    enter: () => {
      if (Atomics.compareExchange(cell, 0, OUTSIDE, INSIDE) !== OUTSIDE) stop()
    },
    leave: () => {
      if (Atomics.compareExchange(cell, 0, INSIDE, OUTSIDE) !== INSIDE) stop()
    },
  }
}

/**
 * Keeps the thread outside native code from now on. Blocks the calling thread until the other has left it.
 * @param waitMs the longest wait
 * @returns false when the thread was still inside after that
 */
export function keepOutside(buffer: SharedArrayBuffer, waitMs: number): boolean {
  const cell = new Int32Array(buffer)
  if (Atomics.compareExchange(cell, 0, OUTSIDE, STOPPED) === OUTSIDE) return true
  // Unless it left in this moment, the thread is inside.
  if (Atomics.compareExchange(cell, 0, INSIDE, LEAVING) === OUTSIDE) return keepOutside(buffer, waitMs)
  return Atomics.wait(cell, 0, LEAVING, waitMs) !== 'timed-out'
}
