import { count, duration, ratio } from '../format.ts'
import { columns, table, wrapped } from '../table.ts'
import type { ReplayRun } from './replay-run.ts'
import { type TradeOff, tradeOffOf } from './trade-off.ts'

const WIDTH = 80

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
  const titles = columns('Flush every', '>calls', '>records', '>lease records', '>saved', '>alone', '>at risk')
  return [
    'The trade-off: a longer interval writes less, and leaves more units at risk in',
    'a crash.',
    table(titles, rows),
    ...paragraph('Calls: store calls. Saved: of the records of a write for each request; below 0, VSA wrote more.'),
    ...paragraph(
      'Alone: requests that were the only one of their key in their interval. For them VSA can save no record.',
    ),
    ...paragraph(
      `At risk: the most units that all keys together had leased at any one time; at most ${count(atRisk)} for each key.`,
    ),
    ...verdicts(tradeOffs),
  ].join('\n')
}

function paragraph(text: string): readonly string[] {
  return wrapped(text, WIDTH)
}

/** Says at which intervals VSA is of no use for this traffic, and why. */
function verdicts(tradeOffs: readonly TradeOff[]): readonly string[] {
  const useless = tradeOffs.filter(({ isOfUse }) => !isOfUse)
  const lonely = useless.filter(({ alone }) => alone >= 0.5)
  const sparse = useless.filter(({ alone }) => alone < 0.5)
  const lines: string[] = [
    ...uselessAt(
      lonely,
      'most requests are the only one of their key in their interval, so there is nothing to put together.',
    ),
    ...uselessAt(sparse, 'too few requests share a key and an interval to make up for the lease records.'),
  ]
  if (useless.length === tradeOffs.length) {
    const advice =
      'Fewer keys or more traffic would change that. As it is, a write for each request is the better design.'
    lines.push(...paragraph(advice))
  }
  return lines
}

function uselessAt(tradeOffs: readonly TradeOff[], reason: string): readonly string[] {
  if (tradeOffs.length === 0) return []
  const intervals = tradeOffs.map(({ flushIntervalMs }) => duration(flushIntervalMs)).join(', ')
  return ['', ...paragraph(`VSA does next to nothing for this traffic when it flushes every ${intervals}: ${reason}`)]
}
