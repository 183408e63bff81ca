import type { CrewEnd } from './crew.ts'
import type { Findings } from './inquest.ts'
import type { ChaosPlan } from './plan.ts'
import type { Tallies } from './tallies.ts'
import type { Seen } from './watcher.ts'

/** What happened, and what was wrong. */
export interface ChaosReport {
  readonly seed: number
  readonly processesAtOnce: number
  /** Until the last child had ended; what came after is not counted. */
  readonly minutes: number
  readonly processes: number
  /** Those that were told of at least one admission. */
  readonly busyProcesses: number
  readonly kills: number
  readonly killsInClose: number
  readonly stopsBeyondLease: number
  readonly closes: number
  readonly clockJumps: number
  readonly clockJumpsBack: number
  readonly clockAheadMostMs: number
  readonly clockBehindMostMs: number
  /** How far store time was ahead of the real one at the end. */
  readonly storeTimeAheadMs: number
  /** Admissions asked for and answered. */
  readonly operations: number
  readonly admittedUnits: number
  readonly neighbourRefunds: number
  readonly mints: number
  readonly flushes: number
  /** Those that were applied. */
  readonly exchanges: number
  readonly epochs: number
  readonly fencedOwners: number
  readonly burnedUnits: number
  /** By key. */
  readonly burned: Readonly<Record<string, number>>
  readonly admitted: Readonly<Record<string, number>>
  /** By key: what the clean process could still admit. */
  readonly drained: Readonly<Record<string, number>>
  /** Rows of periods that ended while the children lived. */
  readonly periods: number
  readonly looks: number
  readonly rowsSeen: number
  readonly leasesSeen: number
  readonly recallsSeen: number
  /** Looks at which store time stood still while owners exchanged. */
  readonly stillsSeen: number
  readonly events: Readonly<Record<string, number>>
  /** Each begins with the law that is broken. */
  readonly violations: readonly string[]
  /** Where the file and the tallies are; kept only if there are violations. */
  readonly folder: string
}

export interface Ran {
  readonly plan: ChaosPlan
  readonly folder: string
  readonly ranMs: number
  readonly end: CrewEnd
  readonly seen: Seen
  readonly tallies: Tallies
  readonly findings: Findings
}

export function chaosReport({ plan, folder, ranMs, end, seen, tallies, findings }: Ran): ChaosReport {
  const { rows, owners } = findings.books
  const keys = Object.keys(plan.subjects)
  const byKey = (units: (key: string) => number): Record<string, number> =>
    Object.fromEntries(keys.map((key) => [key, units(key)]))
  const burned = byKey((key) => rows.reduce((sum, { budget }) => sum + (budget.key === key ? budget.burned : 0), 0))
  const admitted = byKey((key) => tallies.sumOf(key).admitted)
  return {
    seed: plan.seed,
    processesAtOnce: plan.processes,
    minutes: Math.round(ranMs / 600) / 100,
    processes: end.started,
    busyProcesses: tallies.busyChildren,
    kills: end.kills,
    killsInClose: end.killedInClose,
    stopsBeyondLease: end.stops,
    closes: end.closes,
    clockJumps: end.clockJumps,
    clockJumpsBack: end.jumpsBack,
    clockAheadMostMs: end.aheadMostMs,
    clockBehindMostMs: end.behindMostMs,
    storeTimeAheadMs: Math.max(...owners.map(({ seenAt }) => seenAt)) - Date.now(),
    operations: tallies.answers,
    admittedUnits: sum(Object.values(admitted)),
    neighbourRefunds: tallies.countOf('neighbour_refund'),
    mints: sum(
      [...tallies.mints.values()].flatMap((ids) => [...ids.values()].map(({ first, again }) => first + again)),
    ),
    flushes: tallies.flushes,
    exchanges: sum(owners.map(({ seq }) => seq)),
    epochs: owners.length,
    fencedOwners: tallies.countOf('fenced'),
    burnedUnits: sum(Object.values(burned)),
    burned,
    admitted,
    drained: findings.drained,
    periods: rows.filter(({ budget }) => plan.subjects[budget.key]?.isWindowed === true).length,
    looks: seen.looks,
    rowsSeen: seen.rows,
    leasesSeen: seen.leases,
    recallsSeen: seen.recalls,
    stillsSeen: seen.stills,
    events: Object.fromEntries(tallies.events),
    violations: [...seen.faults, ...findings.faults, ...end.complaints.map((text) => `complaint: ${text}`)],
    folder,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
