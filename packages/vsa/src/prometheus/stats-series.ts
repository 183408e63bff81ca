import type { PolicyStats, Stats } from '../index.ts'

/** One value of a metric, with its labels. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** A metric that is read from `stats()` when it is scraped. */
export interface StatsSeries {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  readonly samples: (stats: Stats) => readonly Sample[]
}

const NO_LABELS = {}

export const STATS_SERIES: readonly StatsSeries[] = [
  {
    name: 'vsa_decisions_total',
    type: 'counter',
    help: 'Requests decided, by policy, outcome and reason.',
    labels: ['policy', 'outcome', 'reason'],
    samples: ({ policies }) => policies.flatMap(decisionsOf),
  },
  byPolicy('vsa_admitted_units_total', 'Units admitted.', (policy) => policy.admittedUnits),
  byPolicy('vsa_denied_units_total', 'Units denied.', (policy) => policy.deniedUnits),
  byPolicy('vsa_refunded_units_total', 'Units given back.', (policy) => policy.refundedUnits),
  byPolicy(
    'vsa_shadow_denied_units_total',
    'Units that policies on trial would have denied.',
    (policy) => policy.shadowDeniedUnits,
  ),
  byPolicy(
    'vsa_unaccounted_units_total',
    'Units admitted without a record while the store was away.',
    (policy) => policy.unaccountedUnits,
  ),
  single(
    'counter',
    'vsa_refunds_refused_units_total',
    'Units given back that the store did not accept.',
    (stats) => stats.refundsRefused,
  ),
  single(
    'counter',
    'vsa_uncovered_units_total',
    'Units used beyond a reservation that were not there.',
    (stats) => stats.uncoveredUnits,
  ),
  single(
    'counter',
    'vsa_operations_total',
    'Admissions decided, refunds and counter additions.',
    (stats) => stats.operations,
  ),
  single('counter', 'vsa_records_total', 'Budget and counter rows written.', (stats) => stats.records),
  single('counter', 'vsa_lease_records_total', 'Rows written because leases changed.', (stats) => stats.leaseRecords),
  single('counter', 'vsa_reads_total', 'Store calls that only read.', (stats) => stats.reads),
  single(
    'gauge',
    'vsa_records_per_million_operations',
    'Rows written per million operations since the start.',
    perMillion,
  ),
  single('gauge', 'vsa_lease_held_units', 'Units leased to this process.', (stats) => stats.leasedUnits),
  single('gauge', 'vsa_budgets', 'Budgets in memory.', (stats) => stats.budgets),
  single('gauge', 'vsa_counters', 'Counters in memory.', (stats) => stats.counters),
  single('gauge', 'vsa_waiters', 'Requests that wait for the store.', (stats) => stats.waiters),
]

function byPolicy(name: string, help: string, valueOf: (policy: PolicyStats) => number): StatsSeries {
  const samples = ({ policies }: Stats): readonly Sample[] =>
    policies.map((one) => [{ policy: one.policy }, valueOf(one)])
  return { name, type: 'counter', help, labels: ['policy'], samples }
}

function single(type: StatsSeries['type'], name: string, help: string, valueOf: (stats: Stats) => number): StatsSeries {
  return { name, type, help, labels: [], samples: (stats) => [[NO_LABELS, valueOf(stats)]] }
}

function decisionsOf(one: PolicyStats): readonly Sample[] {
  const { policy } = one
  const admitted = { policy, outcome: 'admitted' }
  const denied = Object.entries(one.denials).map(([reason, count]): Sample => [
    { policy, outcome: 'denied', reason },
    count,
  ])
  return [
    [{ ...admitted, reason: '' }, one.admissions],
    [{ ...admitted, reason: 'shadow' }, one.shadowAdmissions],
    [{ ...admitted, reason: 'unaccounted' }, one.unaccountedAdmissions],
    ...denied,
    [{ policy, outcome: 'error', reason: '' }, one.failures],
  ]
}

function perMillion({ records, operations }: Stats): number {
  return operations === 0 ? 0 : (records / operations) * 1e6
}
