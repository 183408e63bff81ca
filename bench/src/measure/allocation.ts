import { median } from './median.ts'
import type { Counted } from './variant.ts'

/** Few enough that no garbage collection is due within a sample, at 100 bytes an operation. */
const OPERATIONS_PER_SAMPLE = 65_536
const SAMPLES = 31

export interface Allocation {
  readonly bytesPerOperation: number
  /** Units that the samples admitted, less units that they refunded. */
  readonly netUnits: number
}

/**
 * Bytes that one operation leaves on the heap, to about a hundredth of a byte: the growth of the heap over a sample, median of many, so
 * that a garbage collection in one sample does not count. The loop must be warm, because compiling allocates.
 * @param keys keys in one round
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
