import type { WindowPolicy } from '../../core/policy.ts'
import { count, counted, duration, ratio, time } from '../format.ts'
import { escaped, printable, shellWord } from '../safe-text.ts'
import type { Report } from '../report.ts'
import { isBalanced } from '../store-totals.ts'
import { columns, facts, table } from '../table.ts'
import { REORDER_WITHIN_MS } from './reorderer.ts'
import { STANDARD_INPUT } from './log-file.ts'
import type { LogTally } from './request-reader.ts'
import type { ReplayRun } from './replay-run.ts'
import { tradeOffOf } from './trade-off.ts'
import { tradeOffSection } from './trade-off-report.ts'

export interface ReplayFindings {
  readonly file: string
  readonly key: string
  readonly policy: WindowPolicy
  /** The most units that one budget leases at a time. */
  readonly atRisk: number
  /** The replay at the flush interval that was asked for. */
  readonly run: ReplayRun
  /** The replays at the flush intervals that are compared, in order. */
  readonly runs: readonly ReplayRun[]
  /** The name of the place where the store was kept; null for one in memory. */
  readonly store: string | null
}

/** The report of a replay. */
export function replayReport(findings: ReplayFindings): Report {
  const ok = wrongRuns(findings).length === 0
  return { ok, json: jsonOf(findings, ok), text: textOf(findings) }
}

function wrongRuns({ run, runs }: ReplayFindings): readonly ReplayRun[] {
  const others = runs.filter((each) => each !== run)
  return [run, ...others].filter((each) => !isTrue(each))
}

/** Whether the store agrees with the decisions to the unit, with nothing burned or still leased, and no request failed. */
function isTrue({ totals, decisions }: ReplayRun): boolean {
  return (
    totals.used === decisions.admittedUnits &&
    totals.burned === 0 &&
    totals.leased === 0 &&
    isBalanced(totals) &&
    Object.keys(decisions.failures).length === 0
  )
}

function jsonOf(findings: ReplayFindings, ok: boolean): unknown {
  const { file, key, policy, atRisk, run, runs, store } = findings
  const { log, decisions, stats, totals } = run
  return {
    ok,
    file,
    key,
    limit: policy.limit,
    per: policy.per,
    atRisk,
    flushIntervalMs: run.flushIntervalMs,
    store,
    log,
    decisions,
    writes: {
      perRequestDesign: log.requests,
      records: stats.records,
      leaseRecords: stats.leaseRecords,
      storeCalls: stats.exchanges,
    },
    books: { ...totals, admitted: decisions.admittedUnits },
    trade: runs.map((each) => ({ ...tradeOffOf(each), booksAreRight: isTrue(each) })),
  }
}

function textOf(findings: ReplayFindings): string {
  const { run, runs, atRisk } = findings
  const sections = [
    logSection(findings),
    decisionSection(findings),
    deniedSection(run),
    writesSection(run),
    tradeOffSection(runs, atRisk),
    booksSection(findings),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

function logSection({ file, key, run: { log, decisions } }: ReplayFindings): string {
  const lines = [
    `${logName(file)}: ${counted(log.requests, 'request')} by ${counted(decisions.keys, key.replace(/^field:/, ''), 'keys')}, ` +
      `${time(log.from)} to ${time(log.to)}`,
  ]
  if (log.badLines > 0) lines.push(`${counted(log.badLines, 'bad line')} of ${count(log.lines)} left out:`)
  for (const { line, reason, text } of log.badExamples)
    lines.push(`  line ${count(line)}, ${reason}: ${printable(text, 80)}`)
  if (log.badLines > log.badExamples.length) lines.push(`  and ${count(log.badLines - log.badExamples.length)} more`)
  if (log.outOfOrder > 0) {
    const back = `${counted(log.outOfOrder, 'line')} out of order, at most ${duration(log.furthestBackMs)} back: put in their place`
    const late = `; but ${count(log.tooLate)} came more than ${duration(REORDER_WITHIN_MS)} late, and count as of when they came`
    lines.push(log.tooLate > 0 ? back + late : back)
  }
  lines.push(...convertedLines(log))
  return lines.join('\n')
}

function logName(file: string): string {
  return file === STANDARD_INPUT ? 'standard input' : escaped(file)
}

function convertedLines({ convertedTimes: { seconds, microseconds, nanoseconds } }: LogTally): readonly string[] {
  const units: readonly (readonly [number, string])[] = [
    [seconds, 's'],
    [microseconds, 'µs'],
    [nanoseconds, 'ns'],
  ]
  const found = units.filter(([times]) => times > 0).map(([times, unit]) => `${count(times)} in ${unit}`)
  if (found.length === 0) return []
  return [`Times that cannot be in ms, taken in the unit of their size: ${found.join(', ')}`]
}

function decisionSection({ policy, run: { decisions } }: ReplayFindings): string {
  const { admittedUnits, admittedRequests, deniedUnits, deniedRequests, failures } = decisions
  const per = typeof policy.per === 'number' ? duration(policy.per) : policy.per
  const rows: [string, string, string?][] = [
    ['admitted', count(admittedUnits), `units in ${counted(admittedRequests, 'request')}`],
    ['denied', count(deniedUnits), `units in ${counted(deniedRequests, 'request')}`],
  ]
  for (const [code, requests] of Object.entries(failures)) rows.push(['no answer', count(requests), code])
  return `With a limit of ${count(policy.limit)} per ${per} and key:\n${facts(rows)}`
}

function deniedSection({ decisions: { topDenied } }: ReplayRun): string {
  if (topDenied.length === 0) return 'No request would have been denied.'
  const rows = topDenied.map(({ key, units, requests }) => [printable(key), count(units), count(requests)])
  return table(columns('Denied most', '>units', '>requests'), rows)
}

function writesSection({ flushIntervalMs, log, stats }: ReplayRun): string {
  const rows: [string, string, string?][] = [
    ['a write for each request', count(log.requests), 'records, as many store calls'],
    ['VSA: records', count(stats.records), 'one for each budget that changed, and flush'],
    ['VSA: lease records', count(stats.leaseRecords), 'units set aside before they are admitted'],
    ['VSA: store calls', count(stats.exchanges), `${ratio(log.requests / stats.exchanges)} requests each`],
  ]
  return `Durable writes, flushing every ${duration(flushIntervalMs)}:\n${facts(rows)}`
}

function booksSection(findings: ReplayFindings): string {
  const { run, runs, store } = findings
  const { totals, decisions } = run
  const wrong = wrongRuns(findings)
  const rows: [string, string, string?][] = [
    ['admitted by the engine', count(decisions.admittedUnits)],
    ['used, by the store', count(totals.used), `in ${counted(totals.rows, 'row')}, each of which adds up`],
    ['burned', count(totals.burned)],
    ['still leased', count(totals.leased)],
  ]
  const wrongRows = totals.faulty.length + totals.unreadable.length
  if (wrongRows > 0) rows[1] = ['used, by the store', count(totals.used), `${counted(wrongRows, 'row')} do not add up`]
  const verdict =
    wrong.length === 0
      ? `The books are right, to the unit${runs.length > 0 ? ', at every interval' : ''}.`
      : `THE BOOKS ARE WRONG at ${wrong.map(({ flushIntervalMs }) => duration(flushIntervalMs)).join(', ')}.`
  const kept = store === null ? [] : [`Look at them: vsa verify ${shellWord(store)}, vsa inspect ${shellWord(store)}`]
  return [`The books afterwards:`, facts(rows), verdict, ...kept].join('\n')
}
