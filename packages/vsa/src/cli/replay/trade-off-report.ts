import { count, duration, ratio } from '../format.ts'
import { columns, table } from '../table.ts'
import type { ReplayRun } from './replay-run.ts'
import { type TradeOff, tradeOffOf } from './trade-off.ts'

/** Compares the flush intervals. Empty without runs. @param atRisk the most units that one budget leases at a time */
export function tradeOffSection(runs: readonly ReplayRun[], atRisk: number): string {
  if (runs.length === 0) return ''
  const tradeOffs = runs.map(tradeOffOf)
  const rows = tradeOffs.map((tradeOff) => [
    duration(tradeOff.flushIntervalMs),
    count(tradeOff.storeCalls),
    count(tradeOff.records),
    count(tradeOff.leaseRecords),
    `${ratio(tradeOff.recordsSaved * 100)} %`,
    `${ratio(tradeOff.alone * 100)} %`,
    count(tradeOff.unitsAtRisk),
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
    'The trade-off: a longer interval writes less, and leaves more units at risk in a crash.',
    table(titles, rows),
    `Units at risk: the most that all keys together had leased at any one time; at most ${count(atRisk)} for each key.`,
    'Came alone: requests that were the only one of their key in their interval. For them VSA can save no record.',
    ...verdicts(tradeOffs),
  ].join('\n')
}

/** Says at which intervals VSA is of no use for this traffic, and why. */
function verdicts(tradeOffs: readonly TradeOff[]): readonly string[] {
  const useless = tradeOffs.filter(({ isOfUse }) => !isOfUse)
  const lonely = useless.filter(({ alone }) => alone >= 0.5)
  const sparse = useless.filter(({ alone }) => alone < 0.5)
  const intervals = (of: readonly TradeOff[]): string =>
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
  if (useless.length === tradeOffs.length) {
    lines.push('Fewer keys or more traffic would change that. As it is, a write for each request is the better design.')
  }
  return lines
}
