import { invariant } from '../../core/errors.ts'

/** A clock that two threads read: `buffer` holds one double, ms since 1970, which only its owner writes. For tests. */
export interface SharedTime {
  readonly buffer: SharedArrayBuffer
}

/** @param time null: the machine's wall clock */
export function nowOf(time: SharedTime | null): () => number {
  if (time === null) return () => Date.now()
  const cell = new Float64Array(time.buffer)
  return () => {
    const now = cell[0]
    invariant(now !== undefined, 'a shared time holds one number')
    return now
  }
}
