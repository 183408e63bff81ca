import { median } from '../measure/median.ts'
import type { Contender } from '../contenders/contender.ts'
import type { Workload } from '../workloads/workload.ts'
import type { Account } from './account.ts'
import type { Stretch } from './messages.ts'

/** The median of the rounds, the least and the most. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** A contender on a workload. Its books balance: else there is no row. */
export interface Row {
  readonly workload: string
  readonly contender: string
  readonly title: string
  readonly group: Contender['group']
  readonly store: Contender['store']
  readonly durable: Contender['durable']
  readonly isExact: boolean
  readonly processes: number
  readonly callers: number
  readonly decisionsPerSecond: Spread
  /** Decisions, and refunds. */
  readonly operationsPerSecond: Spread
  readonly deniedShare: number
  /** Of the measured process: with the driver of the benchmark, and with SQLite. */
  readonly cpuUsPerDecision: number
  readonly serverCpuUsPerDecision: number | null
  readonly storeCallsPerSecond: number
  readonly storeCallsPerThousandAdmissions: number
  readonly storeCallsPerThousandOperations: number
  /** By its own count, where it has one. */
  readonly operationsPerExchange: number | null
  readonly rowsPerThousandAdmissions: number | null
  readonly bytesWrittenPerThousandAdmissions: number | null
  readonly syncsPerThousandAdmissions: number | null
  /** In all rounds. */
  readonly admitted: number
  readonly overAdmittedUnits: number
  /** When all is closed. */
  readonly burnedUnits: number
  readonly memoryBytes: number
}

/** @param rounds of each, the stretches of all processes */
export function rowOf(
  contender: Contender,
  workload: Workload,
  callers: number,
  rounds: readonly (readonly Stretch[])[],
  accounts: readonly Account[],
): Row {
  const sums = rounds.map(sumOf)
  const middle = (of: (sum: Sum) => number): number => figure(median(sums.map(of)))
  const middleOrNull = (of: (sum: Sum) => number | null): number | null => {
    const all = sums.map(of).filter((value) => value !== null)
    return all.length === 0 ? null : figure(median(all))
  }
  const perThousand = (value: number, of: number): number => (value * 1_000) / Math.max(1, of)
  const perThousandOrNull = (value: number | null, of: number): number | null =>
    value === null ? null : perThousand(value, of)
  return {
    workload: workload.name,
    contender: contender.name,
    title: contender.title,
    group: contender.group,
    store: contender.store,
    durable: contender.durable,
    isExact: contender.isExact,
    processes: rounds[0]?.length ?? 0,
    callers,
    decisionsPerSecond: spreadOf(sums.map((sum) => sum.decisionsPerSecond)),
    operationsPerSecond: spreadOf(sums.map((sum) => sum.operationsPerSecond)),
    deniedShare: middle((sum) => sum.denied / sum.decisions),
    cpuUsPerDecision: middle((sum) => (sum.cpuMs * 1_000) / sum.decisions),
    serverCpuUsPerDecision: middleOrNull((sum) =>
      sum.serverCpuMs === null ? null : (sum.serverCpuMs * 1_000) / sum.decisions,
    ),
    storeCallsPerSecond: middle((sum) => sum.calls / sum.seconds),
    storeCallsPerThousandAdmissions: middle((sum) => perThousand(sum.calls, sum.admitted)),
    storeCallsPerThousandOperations: middle((sum) => perThousand(sum.calls, sum.operations)),
    operationsPerExchange: middleOrNull((sum) =>
      sum.exchanges === null ? null : sum.operations / Math.max(1, sum.exchanges),
    ),
    rowsPerThousandAdmissions: middleOrNull((sum) => perThousandOrNull(sum.rows, sum.admitted)),
    bytesWrittenPerThousandAdmissions: middleOrNull((sum) => perThousandOrNull(sum.bytesWritten, sum.admitted)),
    syncsPerThousandAdmissions: middleOrNull((sum) => perThousandOrNull(sum.syncs, sum.admitted)),
    admitted: sums.reduce((sum, one) => sum + one.admitted, 0),
    overAdmittedUnits: accounts.reduce((sum, account) => sum + account.overAdmittedUnits, 0),
    burnedUnits: accounts.reduce((sum, account) => sum + account.burnedUnits, 0),
    memoryBytes: middle((sum) => sum.memoryBytes),
  }
}

function spreadOf(values: readonly number[]): Spread {
  return { median: figure(median(values)), low: figure(Math.min(...values)), high: figure(Math.max(...values)) }
}

/** Four digits: more are noise, and make the file of results long. */
export function figure(value: number): number {
  return Number(value.toPrecision(4))
}

interface Sum {
  readonly seconds: number
  readonly admitted: number
  readonly denied: number
  readonly decisions: number
  readonly operations: number
  readonly decisionsPerSecond: number
  readonly operationsPerSecond: number
  readonly cpuMs: number
  readonly serverCpuMs: number | null
  readonly calls: number
  readonly rows: number | null
  readonly bytesWritten: number | null
  readonly syncs: number | null
  readonly exchanges: number | null
  readonly memoryBytes: number
}

/** Of one round, over its processes. A server counts for all of them, so there the first one counts; SQLite counts in each. */
function sumOf(stretches: readonly Stretch[]): Sum {
  const total = (of: (stretch: Stretch) => number): number => stretches.reduce((sum, stretch) => sum + of(stretch), 0)
  const totalOrNull = (of: (stretch: Stretch) => number | null): number | null =>
    stretches.some((stretch) => of(stretch) === null) ? null : total((stretch) => of(stretch) ?? 0)
  const decisionsOf = ({ admitted, denied }: Stretch): number => admitted + denied
  const operationsOf = (stretch: Stretch): number => decisionsOf(stretch) + stretch.refunds
  const [first] = stretches
  const isServer = first?.counts.isWholeServer === true
  const store = (of: (counts: Stretch['counts']) => number | null): number | null =>
    isServer ? of(first.counts) : totalOrNull((stretch) => of(stretch.counts))
  return {
    seconds: Math.max(...stretches.map((stretch) => stretch.seconds)),
    admitted: total((stretch) => stretch.admitted),
    denied: total((stretch) => stretch.denied),
    decisions: Math.max(1, total(decisionsOf)),
    operations: Math.max(1, total(operationsOf)),
    decisionsPerSecond: total((stretch) => decisionsOf(stretch) / stretch.seconds),
    operationsPerSecond: total((stretch) => operationsOf(stretch) / stretch.seconds),
    cpuMs: total((stretch) => stretch.cpuMs),
    serverCpuMs: store((counts) => counts.serverCpuMs),
    calls: store((counts) => counts.calls) ?? 0,
    rows: store((counts) => counts.rows),
    bytesWritten: store((counts) => counts.bytesWritten),
    syncs: store((counts) => counts.syncs),
    exchanges: totalOrNull((stretch) => stretch.exchanges),
    memoryBytes: total((stretch) => stretch.memoryBytes),
  }
}
