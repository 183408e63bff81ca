import type { Clock, Timer } from '../../core/clock.ts'

/** The longest delay that a timer of the platform takes; a longer one fires at once. */
const DELAY_MAX_MS = 2_147_483_647

/** The machine's clock. The only place in the engine that reads it. */
export function realClock(): Clock {
  // Looked up once: Node's getter of the global costs as much as the clock itself.
  const { performance } = globalThis
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    timer: startTimer,
    soon: (run) => void setImmediate(run),
  }
}

/** A delay of any length, in steps that the platform takes (a month is longer than 24.8 days). */
function startTimer(delayMs: number, fire: () => void, keepAlive = false): Timer {
  let handle: NodeJS.Timeout
  const arm = (leftMs: number): void => {
    const stepMs = Math.min(Math.max(leftMs, 0), DELAY_MAX_MS)
    handle = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : fire()), stepMs)
    if (!keepAlive) handle.unref()
  }
  arm(delayMs)
  return { cancel: () => clearTimeout(handle) }
}
