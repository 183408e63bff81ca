import type { CountedReason, Metrics } from './metrics.ts'
import type { MetricsTable } from './metrics-table.ts'

/**
 * Figures of one engine since it was opened. A call takes the same time whatever the number of budgets.
 *
 * All of them are of this moment while at most 256 budgets have changed since the last flush. With more, `operations` and `admittedUnits` may lack
 * what was admitted from leases since then: the hot path counts nothing, so that is counted when a budget is sent to the store, at most one flush interval
 * later while the store answers. Each of the two lacks at most `leasedUnits`, and never falls. After `flush`, and after `close`, both have all that was
 * admitted before the call.
 */
export interface Stats {
  /** N: admissions decided, refunds and counter additions. A look (0 units) is none. May lack what was not sent: see {@link Stats}. */
  readonly operations: number
  /** May lack what was not sent: see {@link Stats}. */
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
  /** By policy, at most 66: see {@link PolicyStats}. */
  readonly policies: readonly PolicyStats[]
}

/**
 * Figures of one family since `open`, as of the last flush: they lack what was admitted from leases since then; `admissions` lacks more where costs are
 * above 1, as its units are counted before. They may fall, by what a settlement asked for in vain, and by what was spent too late for its caller. A request
 * for several budgets counts with the one that refused; else with the first one, or with each where all came from leases.
 */
export interface PolicyStats {
  /** The name of the family; `:single` for all budgets declared one by one, `:other` for families declared after the first 64. */
  readonly policy: string
  /** Requests that were admitted and are in the books. */
  readonly admissions: number
  readonly admittedUnits: number
  /** Requests that were denied, by reason. `lease`: `tryAdmit` found no lease that covers them, and does not know why. */
  readonly denials: Readonly<Record<CountedReason, number>>
  readonly deniedUnits: number
  /** Requests that a policy with `shadow` admitted, and that would have been denied, or would have failed. */
  readonly shadowAdmissions: number
  readonly shadowDeniedUnits: number
  /** Requests admitted without a record in the store, under `onStoreUnavailable: 'allow'`. */
  readonly unaccountedAdmissions: number
  readonly unaccountedUnits: number
  /** Requests that were answered with an error of VSA or of the store, but not those with a mistake in their arguments. */
  readonly failures: number
  readonly refunds: number
  readonly refundedUnits: number
}

/** What is read from the other parts when the figures are asked for. */
export interface StatsNow extends Pick<Stats, 'budgets' | 'counters' | 'leasedUnits' | 'epoch'> {
  /** Units spent from leases and not sent yet; 0 where they were not counted. */
  readonly unsentUnits: number
}

export function statsOf(table: MetricsTable, { unsentUnits, ...now }: StatsNow): Stats {
  const { engine } = table
  const metrics = table.total()
  // Both figures may be less than was told before, where what was not sent is not counted any more.
  metrics.spentTold = engine.spentTold
  metrics.spendsTold = engine.spendsTold
  metrics.tellSpends(unsentUnits)
  engine.spentTold = metrics.spentTold
  engine.spendsTold = metrics.spendsTold
  return {
    operations:
      metrics.spendsTold + metrics.takes + metrics.denials + metrics.refunds + engine.counterAdds + metrics.unaccounted,
    admittedUnits: metrics.spentTold + metrics.takenUnits,
    deniedUnits: metrics.deniedUnits,
    shadowDeniedUnits: metrics.shadowDeniedUnits,
    refundedUnits: metrics.refundedUnits,
    refundsRefused: engine.refundsRefused,
    unaccountedUnits: metrics.unaccountedUnits,
    uncoveredUnits: engine.uncoveredUnits,
    exchanges: engine.exchanges,
    records: engine.records,
    leaseRecords: engine.leaseRecords,
    reads: engine.reads,
    waiters: engine.waiting,
    policies: table.entries().map(([policy, counted]) => policyStats(policy, counted)),
    ...now,
  }
}

function policyStats(policy: string, metrics: Metrics): PolicyStats {
  metrics.tellSpends(0)
  return {
    policy,
    admissions: metrics.spendsTold + metrics.takes,
    admittedUnits: metrics.spentTold + metrics.takenUnits,
    denials: { ...metrics.denied },
    deniedUnits: metrics.deniedUnits,
    shadowAdmissions: metrics.shadows,
    shadowDeniedUnits: metrics.shadowDeniedUnits,
    unaccountedAdmissions: metrics.unaccounted,
    unaccountedUnits: metrics.unaccountedUnits,
    failures: metrics.failures,
    refunds: metrics.refunds,
    refundedUnits: metrics.refundedUnits,
  }
}
