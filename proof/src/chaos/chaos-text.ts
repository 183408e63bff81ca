import Table from 'cli-table3'
import { PLAIN_TABLE } from '../plain-table.ts'
import type { ChaosReport } from './chaos-report.ts'

type Figure = readonly [name: string, figure: string, remark?: string]

/** The report as text. */
export function chaosText(report: ChaosReport): string {
  const { seed, processesAtOnce, minutes, violations, folder } = report
  const table = new Table({ ...PLAIN_TABLE, colAligns: ['left', 'right', 'left'] })
  table.push(...figuresOf(report).map(([name, figure, remark = '']) => [name, figure, remark]))
  return [
    `chaos, seed ${seed}: ${processesAtOnce} processes at once on one ${report.store} store, for ${minutes} minutes`,
    table.toString().replaceAll(/ +$/gm, ''),
    ...violations.map((violation) => `  ${violation}`),
    ...(violations.length === 0 ? [] : [`The file, the call logs and this report are in ${folder}`]),
  ].join('\n')
}

function figuresOf(report: ChaosReport): readonly Figure[] {
  const offsets = `from ${seconds(-report.clockBehindMaxMs)} to ${seconds(report.clockAheadMaxMs)}`
  const drained = Object.values(report.drained).reduce((sum, units) => sum + units, 0)
  return [
    ['processes started', count(report.processes), `${count(report.busyProcesses)} of them admitted something`],
    ['kills', count(report.kills), `${count(report.killsInClose)} of them during close`],
    ['kills of the server', count(report.serverKills)],
    [
      'pauses of the server',
      count(report.serverPauses),
      `${count(report.serverPausesBeyondLease)} of them beyond the lease; the longest ${seconds(report.serverPauseLongestMs)}`,
    ],
    ['pauses beyond the lease', count(report.pausesBeyondLease)],
    ['closes', count(report.closes)],
    ['clock jumps', count(report.clockJumps), `${count(report.clockJumpsBack)} of them back; offsets ${offsets}`],
    ['requests answered', count(report.operations), `${count(report.admittedUnits)} units admitted`],
    ['refunds by another process', count(report.refundsForOthers)],
    ['mints answered', count(report.mints)],
    ['answers by ids', count(report.credits), 'reservations, settlements, admissions, refunds'],
    ['periods', count(report.periods)],
    ['exchanges', count(report.exchanges)],
    ['epochs', count(report.epochs), `${count(report.fencedOwners)} owners were fenced alive`],
    ['units burned', count(report.burnedUnits)],
    [
      'snapshots checked',
      count(report.snapshots),
      `${count(report.leasesChecked)} leases, ${count(report.wantedLeasesChecked)} of them wanted by another owner`,
    ],
    ['snapshots with time stopped', count(report.snapshotsTimeStopped)],
    ['drained at the end', count(drained), 'units'],
    ['violations', count(report.violations.length)],
  ]
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

function seconds(ms: number): string {
  return `${ms > 0 ? '+' : ''}${count(Math.round(ms / 1_000))} s`
}
