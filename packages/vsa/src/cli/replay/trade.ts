import type { ReplayRun } from './replay-run.ts'

/** What one flush interval costs and risks. */
export interface Trade {
  readonly flushIntervalMs: number
  readonly storeCalls: number
  readonly records: number
  readonly leaseRecords: number
  /** The part of a per-request design's records that VSA did not write, lease records counted against it: 1 is all, below 0 is more. */
  readonly recordsSaved: number
  /** The part of all requests that were the only one of their key in their interval. */
  readonly alone: number
  /** The most units that were leased at any one time: what a crash burns at the worst moment. */
  readonly unitsAtRisk: number
  /** Whether it spares a good part of the records. */
  readonly isOfUse: boolean
}

/** Below this part of records saved, VSA is a detour. */
const OF_USE_FROM = 0.2

/** The trade that one replay shows. */
export function tradeOf({ flushIntervalMs, log, company, stats, leasedMost }: ReplayRun): Trade {
  const recordsSaved = 1 - (stats.records + stats.leaseRecords) / log.requests
  return {
    flushIntervalMs,
    storeCalls: stats.exchanges,
    records: stats.records,
    leaseRecords: stats.leaseRecords,
    recordsSaved,
    alone: company.alone / log.requests,
    unitsAtRisk: leasedMost,
    isOfUse: recordsSaved >= OF_USE_FROM,
  }
}
