/** The only source of time and scheduling for an engine. Injected; `realClock()` in production, `manualClock()` in tests. */
export interface Clock {
  /** Wall time, ms since 1970. Stores take their time from it; the engine only checks that a store does. */
  now(): number
  /** Monotonic time, ms from any origin. */
  monotonic(): number
  /**
   * Calls `fire` once after `delayMs` (0 to any length).
   * @param keepAlive keeps the process alive until then: only where a promise waits for the outcome. Default false.
   */
  timer(delayMs: number, fire: () => void, keepAlive?: boolean): Timer
  /** Calls `run` after the current turn of the event loop and the promises that it settled. */
  soon(run: () => void): void
}

/** What every clock has, for checks. */
export const CLOCK_METHODS: readonly string[] = Object.keys({
  now: true,
  monotonic: true,
  timer: true,
  soon: true,
} satisfies Record<keyof Clock, true>)

export interface Timer {
  cancel(): void
}
