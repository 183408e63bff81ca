import type { Clock } from '../../core/clock.ts'

/** The clock, whose callbacks report what they throw: nothing calls them that could catch it, so it would end the process. */
export function guardedClock(clock: Clock, report: (error: unknown) => void): Clock {
  const guarded = (run: () => void) => (): void => {
    try {
      run()
    } catch (error) {
      report(error)
    }
  }
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    timer: (delayMs, fire, keepAlive) => clock.timer(delayMs, guarded(fire), keepAlive),
    soon: (run) => clock.soon(guarded(run)),
  }
}
