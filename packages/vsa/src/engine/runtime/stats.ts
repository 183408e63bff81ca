/** Figures of one engine since it was opened. */
export interface Stats {
  /** N: admissions decided, refunds and counter additions. A look (0 units) is none. */
  readonly operations: number
  readonly admittedUnits: number
  readonly deniedUnits: number
  readonly refundedUnits: number
  /** Units that no store accepted within a lease's life. */
  readonly refundsRefused: number
  /** Units admitted without account, under `onStoreUnavailable: 'allow'`. */
  readonly unaccountedUnits: number
  /** Store calls: exchanges that were answered, and those sent again. */
  readonly exchanges: number
  /** I: budget and counter rows written by exchanges. */
  readonly records: number
  /** Lease rows written, and budget rows written only because units moved between pool and lease. */
  readonly leaseRecords: number
  /** Budgets in memory. */
  readonly budgets: number
  readonly counters: number
  /** Requests waiting for an answer. */
  readonly waiters: number
  /** Units leased to this owner, as of the last exchange. */
  readonly leasedUnits: number
  /** The owner's epoch; null before the first join. */
  readonly epoch: number | null
}
