import type { Trace } from '../workloads/trace.ts'

/** What the callers of one process were told, counted by the benchmark itself. */
export class Ledger {
  /** Of each key: admitted, less what was given back. */
  readonly net: Float64Array
  admitted = 0
  denied = 0
  refunds = 0
  /** Refunds of the trace that were left out, because what they give back was denied or is still being asked for. */
  skipped = 0

  constructor(trace: Trace) {
    this.net = new Float64Array(trace.names.length)
  }

  decided(key: number, units: number, isAdmitted: boolean): void {
    if (isAdmitted) {
      this.net[key] = (this.net[key] ?? 0) + units
      this.admitted += 1
    } else this.denied += 1
  }

  /** False where there is nothing to give back. */
  gaveBack(key: number, units: number): boolean {
    const net = this.net[key] ?? 0
    if (net < units) {
      this.skipped += 1
      return false
    }
    this.net[key] = net - units
    this.refunds += 1
    return true
  }
}
