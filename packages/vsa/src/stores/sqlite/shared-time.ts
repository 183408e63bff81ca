import type { Clock } from '../../core/clock.ts'
import { invariant } from '../../core/errors.ts'

/** A clock that two threads read: `buffer` holds one double, ms since 1970, which only its owner writes. For tests. */
export interface SharedTime {
  readonly buffer: SharedArrayBuffer
}

/** A {@link SharedTime} that shows the time of an engine's clock as of the last `tick`. */
export class TickedTime implements SharedTime {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  readonly #cell: Float64Array = new Float64Array(this.buffer)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  tick(): void {
    this.#cell[0] = this.#now()
  }
}

/** The machine's clocks. */
export const MACHINE: Pick<Clock, 'now' | 'monotonic'> = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

/** @param time null: the machine's wall clock */
export function nowOf(time: SharedTime | null): () => number {
  if (time === null) return () => MACHINE.now()
  const cell = new Float64Array(time.buffer)
  return () => {
    const now = cell[0]
    invariant(now !== undefined, 'a shared time holds one number')
    return now
  }
}
