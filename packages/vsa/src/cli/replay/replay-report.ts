import type { WindowPolicy } from '../../core/policy.ts'
import { count, counted, duration, printable, ratio, time } from '../format.ts'
import type { Report } from '../report.ts'
import { columns, facts, table } from '../table.ts'
import { REORDER_WITHIN_MS } from './reorderer.ts'
import type { ReplayRun } from './replay-run.ts'
import { type Trade, tradeOf } from './trade.ts'

export interface ReplayFindings {
  readonly file: string
  readonly key: string
  readonly policy: WindowPolicy
  /** The most that one budget leases at a time, in units. */
  readonly atRisk: number
  /** The replay that was asked for. */
  readonly run: ReplayRun
  /** The same at other flush intervals, and at this one if it is among them; by interval. */
  readonly runs: readonly ReplayRun[]
  /** Where the store was kept; null when it was thrown away. */
  readonly storePath: string | null
}

/** What a replay found, for programs and for people. */
export function replayReport(findings: ReplayFindings): Report {
  const ok = [findings.run, ...findings.runs].every(isTrue)
  return { ok, json: jsonOf(findings, ok), text: textOf(findings) }
}

/** Whether the books say what was decided: to the unit, with nothing lost, nothing left leased and no request unanswered. */
function isTrue({ books, decisions }: ReplayRun): boolean {
  return (
    books.used === decisions.admittedUnits &&
    books.burned === 0 &&
    books.held === 0 &&
    books.faulty.length === 0 &&
    Object.keys(decisions.failures).length === 0
  )
}

function jsonOf(findings: ReplayFindings, ok: boolean): unknown {
  const { file, key, policy, atRisk, run, runs, storePath } = findings
  const { log, decisions, stats, books } = run
  return {
    ok,
    file,
    key,
    limit: policy.limit,
    per: policy.per,
    atRisk,
    flushIntervalMs: run.flushIntervalMs,
    store: storePath,
    log,
    decisions,
    writes: {
      perRequestDesign: log.requests,
      records: stats.records,
      leaseRecords: stats.leaseRecords,
      storeCalls: stats.exchanges,
    },
    books: { ...books, admitted: decisions.admittedUnits },
    trade: runs.map((each) => ({ ...tradeOf(each), booksAreRight: isTrue(each) })),
  }
}

function textOf(findings: ReplayFindings): string {
  const { run } = findings
  const sections = [
    logSection(findings),
    decisionSection(findings),
    deniedSection(run),
    writesSection(run),
    tradeSection(findings),
    booksSection(findings),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

function logSection({ file, key, run: { log, decisions } }: ReplayFindings): string {
  const lines = [
    `${file}: ${counted(log.requests, 'request')} by ${counted(decisions.keys, key.replace(/^field:/, ''), 'keys')}, ` +
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
  return lines.join('\n')
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
  if (topDenied.length === 0) return 'Nobody would have been denied.'
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

function tradeSection({ runs, atRisk }: ReplayFindings): string {
  if (runs.length === 0) return ''
  const trades = runs.map(tradeOf)
  const rows = trades.map((trade) => [
    duration(trade.flushIntervalMs),
    count(trade.storeCalls),
    count(trade.records),
    count(trade.leaseRecords),
    `${ratio(trade.recordsSaved * 100)} %`,
    `${ratio(trade.alone * 100)} %`,
    count(trade.unitsAtRisk),
  ])
  const titles = columns(
    'Flush every',
    '>store calls',
    '>records',
    '>lease records',
    '>records saved',
    '>came alone',
    '>units at risk',
  )
  return [
    'The trade: a longer interval writes less, and leaves more units at risk in a crash.',
    table(titles, rows),
    `Units at risk: the most that all keys together had leased at any one time; at most ${count(atRisk)} for each key.`,
    'Came alone: requests that were the only one of their key in their interval. For them VSA can save no record.',
    ...verdicts(trades),
  ].join('\n')
}

/** In plain words, where VSA does nothing for this traffic, and why. */
function verdicts(trades: readonly Trade[]): readonly string[] {
  const useless = trades.filter(({ isOfUse }) => !isOfUse)
  const lonely = useless.filter(({ alone }) => alone >= 0.5)
  const sparse = useless.filter(({ alone }) => alone < 0.5)
  const intervals = (of: readonly Trade[]): string =>
    of.map(({ flushIntervalMs }) => duration(flushIntervalMs)).join(', ')
  const lines: string[] = []
  if (lonely.length > 0) {
    lines.push(
      '',
      `Flushing every ${intervals(lonely)}, VSA does next to nothing for this traffic: most requests are the only one of their key`,
      'in their interval, so there is nothing to put together.',
    )
  }
  if (sparse.length > 0) {
    lines.push(
      '',
      `Flushing every ${intervals(sparse)}, VSA does next to nothing for this traffic: too few requests share a key and an interval`,
      'to make up for the lease records.',
    )
  }
  if (useless.length === trades.length) {
    lines.push('Fewer keys or more traffic would change that. As it is, a write for each request is the better design.')
  }
  return lines
}

function booksSection({ run, runs, storePath }: ReplayFindings): string {
  const { books, decisions } = run
  const wrong = [run, ...runs].filter((each) => !isTrue(each))
  const rows: [string, string, string?][] = [
    ['admitted by the engine', count(decisions.admittedUnits)],
    ['used, says the store', count(books.used), `in ${counted(books.rows, 'row')}, each of which adds up`],
    ['burned', count(books.burned)],
    ['still leased', count(books.held)],
  ]
  if (books.faulty.length > 0)
    rows[1] = ['used, says the store', count(books.used), `${counted(books.faulty.length, 'row')} do not add up`]
  const verdict =
    wrong.length === 0
      ? `The books are right, to the unit${runs.length > 0 ? ', at every interval' : ''}.`
      : `THE BOOKS ARE WRONG at ${wrong.map(({ flushIntervalMs }) => duration(flushIntervalMs)).join(', ')}.`
  const kept = storePath === null ? [] : [`Look at them: vsa verify ${storePath}, vsa inspect ${storePath}`]
  return [`The books afterwards:`, facts(rows), verdict, ...kept].join('\n')
}
