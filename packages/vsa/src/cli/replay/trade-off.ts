import type { ReplayRun } from './replay-run.ts'

/** What one flush interval writes and risks. */
export interface TradeOff {
  readonly flushIntervalMs: number
  readonly storeCalls: number
  readonly records: number
  readonly leaseRecords: number
  /** The share of the records of a per-request design that VSA did not write, lease records included. 1 is all; below 0 VSA wrote more. */
  readonly recordsSaved: number
  /** The share of requests that were the only one of their key in their interval. */
  readonly alone: number
  /** The most units leased at any one time: what a crash burns at worst. */
  readonly unitsAtRisk: number
  /** Whether VSA saves at least a fifth of the records. */
  readonly isOfUse: boolean
}

/** The least share of records saved at which VSA is of use. */
const OF_USE_FROM = 0.2

/** The trade-off that one replay shows. */
export function tradeOffOf({ flushIntervalMs, log, keyIntervals, stats, leasedMost }: ReplayRun): TradeOff {
  const recordsSaved = 1 - (stats.records + stats.leaseRecords) / log.requests
  return {
    flushIntervalMs,
    storeCalls: stats.exchanges,
    records: stats.records,
    leaseRecords: stats.leaseRecords,
    recordsSaved,
    alone: keyIntervals.alone / log.requests,
    unitsAtRisk: leasedMost,
    isOfUse: recordsSaved >= OF_USE_FROM,
  }
}
