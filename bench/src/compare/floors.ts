import { atLeast, atMost, type Floor } from '../report/floor.ts'
import type { LatencyRow } from './result.ts'
import type { Row } from './row.ts'

/** The best hot row of a SQL database that was published. */
const PUBLISHED_HOT_ROW_PER_SECOND = 31_000
const STORES = ['sqlite', 'postgres', 'redis'] as const
const NAMES = { sqlite: 'SQLite', postgres: 'Postgres', redis: 'Redis' }

/** The figures that this project wants to reach, as far as the rows tell. */
export function floorsOf(rows: readonly Row[], latencies: readonly LatencyRow[]): readonly Floor[] {
  const on = (workload: string): readonly Row[] => rows.filter((row) => row.workload === workload)
  const speed = (found: Row | undefined): number | undefined => found?.decisionsPerSecond.median
  const ratios = STORES.flatMap((store) => {
    const hot = on('hot-key').filter((row) => row.store === store)
    const best = Math.max(
      ...hot.filter(({ group }) => group === 'per-request').map((row) => row.decisionsPerSecond.median),
    )
    const leased = speed(hot.find(({ group }) => group === 'vsa-leased'))
    const durable = speed(hot.find(({ group }) => group === 'vsa-durable'))
    return [
      ...optional(leased, (value) =>
        atLeast(`hot key, leased, against the best per request: ${NAMES[store]}`, value / best, 2_000),
      ),
      ...optional(durable, (value) =>
        atLeast(`hot key, durable, against the best per request: ${NAMES[store]}`, value / best, 100),
      ),
    ]
  }).filter(({ value }) => value > 0)
  const durableHot = speed(on('hot-key').find(({ contender }) => contender === 'vsa-durable-postgres'))
  const leased = rows.filter(({ group, store }) => group === 'vsa-leased' && store !== 'memory')
  const fast = leased.filter(({ workload }) => workload === 'hot-key' || workload === 'no-churn')
  const calm = latencies.filter(
    ({ group, isKeptUp, offeredPerSecond }) => group === 'vsa-leased' && isKeptUp && offeredPerSecond >= 10_000,
  )
  const zero = leased.filter(({ workload }) => workload === 'churn-to-zero')
  return [
    ...ratios,
    ...optional(durableHot, (value) =>
      atLeast('hot key, durable on Postgres: decisions/s', value, PUBLISHED_HOT_ROW_PER_SECOND),
    ),
    ...least(
      'operations for each exchange at full speed, one key or 128',
      fast.map((row) => row.operationsPerExchange ?? 0),
      10_000_000,
    ),
    ...most(
      'store calls for 1,000 operations at full speed, one key or 128',
      fast.map((row) => row.storeCallsPerThousandOperations),
      0.01,
    ),
    ...most(
      'a leased decision while flushing, 10,000/s and more, p99.9 from its call, us',
      calm.map((row) => row.fromCallUs.p999),
      5,
    ),
    ...most(
      'units over-admitted in all rows that promise none',
      rows.filter(({ isExact }) => isExact).map((row) => row.overAdmittedUnits),
      0,
    ),
    ...most(
      'churn to zero: rows written for 1,000 admissions',
      zero.flatMap((row) => row.rowsPerThousandAdmissions ?? []),
      0,
    ),
  ]
}

function optional<T>(value: number | undefined, make: (value: number) => T): readonly T[] {
  return value === undefined ? [] : [make(value)]
}

function least(name: string, values: readonly number[], limit: number): readonly Floor[] {
  return values.length === 0 ? [] : [atLeast(name, Math.min(...values), limit)]
}

function most(name: string, values: readonly number[], limit: number): readonly Floor[] {
  return values.length === 0 ? [] : [atMost(name, Math.max(...values), limit)]
}
