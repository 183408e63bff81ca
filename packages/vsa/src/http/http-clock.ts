/** The parts of `Clock` that a middleware needs: that of `open`, where tests set one. */
export interface HttpClock {
  /** Wall time, ms since 1970. */
  now(): number
  /** Calls `fire` once after `delayMs`. It does not keep the process alive. */
  timer(delayMs: number, fire: () => void): { cancel(): void }
}

/** The machine's. */
export const MACHINE_CLOCK: HttpClock = {
  now: () => Date.now(),
  timer: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
