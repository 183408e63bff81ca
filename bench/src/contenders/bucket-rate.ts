import type { Trace } from '../workloads/trace.ts'

const YEAR_MS = 365 * 86_400_000

/** Units that flow back into (or out of) a bucket of this size, a millisecond. A stock does not come back. */
export function ratePerMs(trace: Trace, capacity: number): number {
  return trace.workload.limit.kind === 'stock' ? 0 : capacity / YEAR_MS
}
