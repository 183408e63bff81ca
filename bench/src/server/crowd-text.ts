import { short, whole } from '../report/format.ts'
import { table } from '../report/table.ts'
import type { Cold } from './cold.ts'
import type { ServerParts } from './floors.ts'
import type { Share } from './share.ts'
import type { Touched } from './touched.ts'

/** The parts about many owners or many budgets. @param calls what the server counts */
export function crowdTexts({ cold, touched, share }: ServerParts, calls: string): readonly string[] {
  return [
    ...(cold === undefined ? [] : [coldText(cold, calls)]),
    ...(touched === undefined ? [] : [touchedText(touched, calls)]),
    ...(share === undefined ? [] : [shareText(share)]),
  ]
}

function coldText(cold: Cold, calls: string): string {
  return table(
    [`${cold.owners} cold owners in ${cold.processes} processes, one budget of ${whole(cold.units)}`, ''],
    [
      ['admitted', whole(cold.admitted)],
      ['requests that failed', whole(cold.failed)],
      ['within', `${cold.seconds.toFixed(2)} s`],
      ['first admission, the last owner', `${cold.firstAdmissionMs.toFixed(0)} ms`],
      ['the least owner, of the mean', short(cold.leastShare)],
      ['exchanges of an owner a second', short(cold.exchangesPerOwnerPerSecond)],
      ['exchanges, all together', whole(cold.exchanges)],
      [`${calls}, counted by the server`, whole(cold.calls)],
    ],
  )
}

function touchedText(touched: Touched, calls: string): string {
  return table(
    [`${whole(touched.budgets)} budgets, each touched once`, ''],
    [
      ['admitted', whole(touched.admitted)],
      ['within, and the close', `${touched.touchSeconds.toFixed(1)} s, ${touched.closeSeconds.toFixed(1)} s`],
      [`${calls}, counted by the server`, whole(touched.calls)],
      [`against full batches of ${touched.batchMax}`, short(touched.timesFullBatches)],
      ['exchanges', whole(touched.exchanges)],
      ['budgets in memory at the end', whole(touched.budgetsInMemory)],
      ['heap, bytes a budget', whole(touched.heapBytesPerBudget)],
      ['growth of the process, at most', `${(touched.rssMaxBytes / 2 ** 20).toFixed(0)} MiB`],
      ['server, bytes a budget', whole(touched.serverBytesPerBudget)],
    ],
  )
}

function shareText(shares: readonly Share[]): string {
  return table(
    ['durable, one budget, general path', 'all together', 'the least, of the mean', 'in the worst round'],
    shares.map(({ processes, callers, perSecond, medianLeastShare, leastShare }) => [
      `${processes} processes with ${callers} ${callers === 1 ? 'caller' : 'callers'}`,
      `${short(perSecond)}/s`,
      short(medianLeastShare),
      short(leastShare),
    ]),
  )
}
