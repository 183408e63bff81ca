import type { VsaEvent } from './events.ts'

/** Two readings of one clock are closer, also when the store answers slowly. */
const DIFFERENCE_MAX_MS = 60_000

/** The event for an engine whose clock is not the one of its store; null when the two agree. Both times are ms since 1970. */
export function clockDifference(storeTime: number, clockTime: number): VsaEvent | null {
  if (Math.abs(storeTime - clockTime) <= DIFFERENCE_MAX_MS) return null
  const detail =
    'periods begin and end by the time of the store, which is not that of options.clock: give both one clock, as in `now: () => clock.now()`'
  return { type: 'clock_differs', storeTime, clockTime, detail }
}
