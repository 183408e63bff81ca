import type { Metrics } from './metrics.ts'

/**
 * Figures of one engine since it was opened, exact at the moment of the call. The hot path counts no unit, so each budget that was spent from
 * since its last send is looked at, and no other.
 */
export interface Stats {
  /** N: admissions decided, refunds and counter additions. A look (0 units) is none. */
  readonly operations: number
  readonly admittedUnits: number
  readonly deniedUnits: number
  /** Units of policies with `shadow` that would have been denied, or would have failed. They are in no other figure of units. */
  readonly shadowDeniedUnits: number
  readonly refundedUnits: number
  /** Units given back that the store did not accept within one lease lifetime. */
  readonly refundsRefused: number
  /** Units admitted without a record in the store, under `onStoreUnavailable: 'allow'`. */
  readonly unaccountedUnits: number
  /** Units used beyond a reservation that its budget did not have: see `Settled`. */
  readonly uncoveredUnits: number
  /** Store calls: exchanges that were answered, and those sent again. */
  readonly exchanges: number
  /** Store calls that only read: those of `peek`, and one per flush interval at most for all budgets that are asked for and exhausted. */
  readonly reads: number
  /** I: budget and counter rows written by exchanges. */
  readonly records: number
  /** Lease rows written, and budget rows written only because units moved between pool and lease. */
  readonly leaseRecords: number
  /** Budgets in memory. */
  readonly budgets: number
  readonly counters: number
  /** Requests waiting for an answer: admissions, mints, counter reads, flushes, peeks. */
  readonly waiters: number
  /** Units leased to this owner, as of the last exchange. */
  readonly leasedUnits: number
  /** The owner's epoch; null before the first join. */
  readonly epoch: number | null
}

/** What is read from the other parts when the figures are asked for. */
export interface StatsNow extends Pick<Stats, 'budgets' | 'counters' | 'leasedUnits' | 'epoch'> {
  /** Units spent from leases and not sent yet. */
  readonly unsentUnits: number
}

export function statsOf(metrics: Metrics, { unsentUnits, ...now }: StatsNow): Stats {
  const spentUnits = metrics.spentUnits + unsentUnits + metrics.unspentUnits
  const spends = spentUnits - metrics.surplusUnits
  return {
    operations: spends + metrics.takes + metrics.denials + metrics.refunds + metrics.counterAdds + metrics.unaccounted,
    admittedUnits: spentUnits + metrics.takenUnits,
    deniedUnits: metrics.deniedUnits,
    shadowDeniedUnits: metrics.shadowDeniedUnits,
    refundedUnits: metrics.refundedUnits,
    refundsRefused: metrics.refundsRefused,
    unaccountedUnits: metrics.unaccountedUnits,
    uncoveredUnits: metrics.uncoveredUnits,
    exchanges: metrics.exchanges,
    records: metrics.records,
    leaseRecords: metrics.leaseRecords,
    reads: metrics.reads,
    waiters: metrics.waiting,
    ...now,
  }
}
