import { isBalanced, totalsOf } from '../measure/totals.ts'
import { median } from '../measure/median.ts'
import type { BenchServer } from './bench-server.ts'
import { admittedBy } from './durable.ts'
import type { OwnerConfig } from './owner-config.ts'
import { runOwners } from './owners.ts'

/** As in `durable`. */
const WARM_UP_SECONDS = 10

export interface Share {
  readonly processes: number
  /** In each process. */
  readonly callers: number
  readonly perSecond: number
  /** Of the process with the fewest admissions against the mean: in the worst round, and in the one between. */
  readonly leastShare: number
  readonly medianLeastShare: number
  readonly balanced: boolean
}

/** Durable admissions on one budget by processes that contend for its row on the general path: what each gets of it. */
export async function share(
  { kind, url, client }: BenchServer,
  { processes, callers, seconds, rounds }: { processes: number; callers: number; seconds: number; rounds: number },
): Promise<Share> {
  const name = `share_${callers}`
  const config: OwnerConfig = {
    ...{ kind, url, name, work: 'durable', fastPath: false },
    ...{ callers, seconds, warmUpSeconds: WARM_UP_SECONDS },
  }
  const speeds: number[] = []
  const shares: number[] = []
  let admitted = 0
  for (let round = 0; round < rounds; round += 1) {
    const results = await runOwners(processes, config)
    const all = results.reduce((sum, { perSecond }) => sum + perSecond, 0)
    speeds.push(all)
    shares.push((Math.min(...results.map(({ perSecond }) => perSecond)) * processes) / all)
    admitted += admittedBy(results)
  }
  return {
    processes,
    callers,
    perSecond: median(speeds),
    leastShare: Math.min(...shares),
    medianLeastShare: median(shares),
    balanced: isBalanced(await totalsOf(client.store(name)), admitted),
  }
}
