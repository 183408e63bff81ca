import { median } from './median.ts'
import type { Counted } from './variant.ts'

/** Few enough that no collection is due within a sample, even at a hundred bytes an operation. */
const OPERATIONS_PER_SAMPLE = 65_536
const SAMPLES = 31

export interface Allocation {
  readonly bytesPerOperation: number
  /** What the samples admitted, less what they gave back. */
  readonly netUnits: number
}

/**
 * Bytes that one operation leaves on the heap, to about a hundredth of a byte: how much the heap grows over a sample, median of many, so that
 * a collection in between (which shrinks it) does not count. The loop must be warm: code that is not compiled yet allocates.
 * @param keys over which one round goes
 */
export function allocationOf(run: (rounds: number) => Counted, keys: number): Allocation {
  const rounds = Math.max(1, Math.round(OPERATIONS_PER_SAMPLE / keys))
  const growth: number[] = []
  let netUnits = 0
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const before = process.memoryUsage().heapUsed
    const counted = run(rounds)
    growth.push((process.memoryUsage().heapUsed - before) / counted.operations)
    netUnits += counted.admittedUnits - counted.refundedUnits
  }
  return { bytesPerOperation: Math.max(0, median(growth)), netUnits }
}
