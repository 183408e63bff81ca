import type { ChaosReport } from './chaos-report.ts'

/** For people. */
export function chaosText(report: ChaosReport): string {
  const { violations } = report
  const back = count(report.clockJumpsBack)
  const offsets = `from ${seconds(-report.clockBehindMostMs)} to ${seconds(report.clockAheadMostMs)}`
  return [
    `chaos, seed ${report.seed}: ${report.processesAtOnce} processes at once on one SQLite file, for ${report.minutes} minutes`,
    line(
      'processes started',
      count(report.processes),
      `${count(report.busyProcesses)} of them were told of an admission`,
    ),
    line('kills', count(report.kills), `${count(report.killsInClose)} of them during a close`),
    line('stops beyond the lease', count(report.stopsBeyondLease)),
    line('closes', count(report.closes)),
    line('clock jumps', count(report.clockJumps), `${back} of them back; offsets ${offsets}`),
    line('operations told', count(report.operations), `${count(report.admittedUnits)} units admitted`),
    line('refunds by another', count(report.neighbourRefunds)),
    line('mints told', count(report.mints)),
    line('periods', count(report.periods)),
    line('exchanges', count(report.exchanges)),
    line('epochs', count(report.epochs), `${count(report.fencedOwners)} owners were fenced alive`),
    line('units burned', count(report.burnedUnits)),
    line(
      'looks at the books',
      count(report.looks),
      `${count(report.leasesSeen)} leases, ${count(report.recallsSeen)} of them recalled`,
    ),
    line('store time stood still', count(report.stillsSeen), 'of those looks'),
    line('drained at the end', count(Object.values(report.drained).reduce((sum, units) => sum + units, 0)), 'units'),
    line('violations', count(violations.length)),
    ...violations.map((violation) => `  ${violation}`),
    ...(violations.length === 0 ? [] : [`The file, the tallies and this report are in ${report.folder}`]),
  ].join('\n')
}

const NAME_WIDTH = 24
const COUNT_WIDTH = 12

function line(name: string, figure: string, remark = ''): string {
  return `  ${name.padEnd(NAME_WIDTH)}${figure.padStart(COUNT_WIDTH)}   ${remark}`.trimEnd()
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

function seconds(ms: number): string {
  return `${ms > 0 ? '+' : ''}${count(Math.round(ms / 1_000))} s`
}
