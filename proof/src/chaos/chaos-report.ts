import type { CallTotals } from './call-totals.ts'
import type { StoreKind } from './chaos-store.ts'
import type { ChaosPlan } from './chaos-plan.ts'
import type { ServerTroubles } from './chaos-server.ts'
import type { Findings } from './final-verifier.ts'
import type { PoolResult } from './process-pool.ts'
import type { Observations } from './store-monitor.ts'

/** What happened in a run, and which laws broke. */
export interface ChaosReport {
  readonly seed: number
  readonly store: StoreKind
  readonly processesAtOnce: number
  /** Until the last child had ended; the final verification is not included. */
  readonly minutes: number
  readonly processes: number
  /** Processes with at least one admission. */
  readonly busyProcesses: number
  readonly kills: number
  readonly killsInClose: number
  readonly serverKills: number
  /** By SIGSTOP, all of its processes. */
  readonly serverPauses: number
  readonly serverPausesBeyondLease: number
  readonly serverPauseLongestMs: number
  readonly pausesBeyondLease: number
  readonly closes: number
  readonly clockJumps: number
  readonly clockJumpsBack: number
  readonly clockAheadMaxMs: number
  readonly clockBehindMaxMs: number
  /** How far store time was ahead of real time at the end. */
  readonly storeTimeAheadMs: number
  /** Admission requests that were answered. */
  readonly operations: number
  readonly admittedUnits: number
  readonly refundsForOthers: number
  readonly mints: number
  readonly flushes: number
  /** Answers of reservations, settlements, admissions and refunds by their ids. */
  readonly credits: number
  /** Exchanges that were applied. */
  readonly exchanges: number
  readonly epochs: number
  readonly fencedOwners: number
  readonly burnedUnits: number
  /** By key. */
  readonly burned: Readonly<Record<string, number>>
  /** By key. */
  readonly admitted: Readonly<Record<string, number>>
  /** By key: what the final verifier could still admit. */
  readonly drained: Readonly<Record<string, number>>
  /** Rows of windowed budgets. */
  readonly periods: number
  readonly snapshots: number
  /** Rows, leases and wanted leases in all snapshots together. */
  readonly rowsChecked: number
  readonly leasesChecked: number
  readonly wantedLeasesChecked: number
  /** Snapshots before which owners exchanged and store time did not move. */
  readonly snapshotsTimeStopped: number
  readonly events: Readonly<Record<string, number>>
  /** Each begins with the law that is broken. */
  readonly violations: readonly string[]
  /** Where the file and the call logs are; kept only when there are violations. */
  readonly folder: string
}

export interface RunResult {
  readonly plan: ChaosPlan
  readonly folder: string
  readonly runMs: number
  readonly server: ServerTroubles
  readonly pool: PoolResult
  readonly observations: Observations
  readonly totals: CallTotals
  readonly findings: Findings
}

export function chaosReport(result: RunResult): ChaosReport {
  const { plan, folder, runMs, server, pool, observations, findings } = result
  return {
    seed: plan.seed,
    store: plan.store,
    processesAtOnce: plan.processes,
    minutes: Math.round(runMs / 600) / 100,
    processes: pool.started,
    kills: pool.kills,
    killsInClose: pool.killedInClose,
    serverKills: server.kills,
    serverPauses: server.pauses,
    serverPausesBeyondLease: server.pausesBeyondLease,
    serverPauseLongestMs: server.longestPauseMs,
    pausesBeyondLease: pool.pauses,
    closes: pool.closes,
    clockJumps: pool.clocks.jumps,
    clockJumpsBack: pool.clocks.jumpsBack,
    clockAheadMaxMs: pool.clocks.aheadMaxMs,
    clockBehindMaxMs: pool.clocks.behindMaxMs,
    ...callFigures(result),
    ...storeFigures(result),
    snapshots: observations.snapshots,
    rowsChecked: observations.rows,
    leasesChecked: observations.leases,
    wantedLeasesChecked: observations.wantedLeases,
    snapshotsTimeStopped: observations.timeStopped,
    violations: [
      ...observations.violations,
      ...findings.violations,
      ...pool.childErrors.map((text) => `child: ${text}`),
    ],
    folder,
  }
}

type CallFigures = Pick<
  ChaosReport,
  | 'busyProcesses'
  | 'operations'
  | 'admittedUnits'
  | 'admitted'
  | 'refundsForOthers'
  | 'mints'
  | 'flushes'
  | 'credits'
  | 'fencedOwners'
  | 'events'
>

/** The figures from the call logs. */
function callFigures({ plan, totals }: RunResult): CallFigures {
  const admitted = byKey(plan, (key) => totals.sumOf(key).admitted)
  const mints = [...totals.mints.values()].flatMap((ids) => [...ids.values()])
  return {
    busyProcesses: totals.busyChildren,
    operations: totals.answers,
    admittedUnits: sum(Object.values(admitted)),
    admitted,
    refundsForOthers: totals.countOf('refund_for_other'),
    mints: sum(mints.map(({ first, repeated }) => first + repeated)),
    flushes: totals.flushes,
    credits: totals.credits.calls,
    fencedOwners: totals.countOf('fenced'),
    events: Object.fromEntries(totals.events),
  }
}

type StoreFigures = Pick<
  ChaosReport,
  'storeTimeAheadMs' | 'exchanges' | 'epochs' | 'burnedUnits' | 'burned' | 'drained' | 'periods'
>

/** The figures from the store. */
function storeFigures({ plan, findings }: RunResult): StoreFigures {
  const { rows, owners } = findings.contents
  const burned = byKey(plan, (key) =>
    sum(rows.filter(({ budget }) => budget.key === key).map(({ budget }) => budget.burned)),
  )
  return {
    storeTimeAheadMs: Math.max(...owners.map(({ seenAt }) => seenAt)) - Date.now(),
    exchanges: sum(owners.map(({ seq }) => seq)),
    epochs: owners.length,
    burnedUnits: sum(Object.values(burned)),
    burned,
    drained: findings.drained,
    periods: rows.filter(({ budget }) => plan.budgets[budget.key]?.isWindowed === true).length,
  }
}

function byKey(plan: ChaosPlan, unitsOf: (key: string) => number): Record<string, number> {
  return Object.fromEntries(Object.keys(plan.budgets).map((key) => [key, unitsOf(key)]))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
