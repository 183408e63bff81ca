import { median } from '../measure/median.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import type { OwnerConfig, OwnerResult } from './owner-config.ts'
import { runOwners } from './owners.ts'
import type { BenchServer } from './bench-server.ts'

/** After that no speed grows any more: an exchange is much code, and each process compiles it while it does a few hundred of them a second. */
const WARM_UP_SECONDS = 10

export interface Durable {
  readonly processes: number
  readonly callers: number
  readonly byHandPerSecond: number
  readonly fastPathPerSecond: number
  readonly generalPathPerSecond: number
  readonly admitted: number
  readonly balanced: boolean
}

/** Durable admissions on one budget from several processes, by hand and on each path, in turns on the same server. */
export async function durable(
  server: BenchServer,
  { processes, callers, seconds, rounds }: { processes: number; callers: number; seconds: number; rounds: number },
): Promise<Durable> {
  await server.beginByHand()
  const { kind, url } = server
  const shared = { kind, url, seconds, warmUpSeconds: WARM_UP_SECONDS, callers: Math.ceil(callers / processes) }
  const lanes = (
    [
      { name: 'hand', fastPath: true, work: 'by hand' },
      { name: 'fast', fastPath: true, work: 'durable' },
      { name: 'general', fastPath: false, work: 'durable' },
    ] as const
  ).map((lane) => ({ config: { ...shared, ...lane } satisfies OwnerConfig, speeds: [] as number[], admitted: 0 }))
  for (let round = 0; round < rounds; round += 1) {
    for (const lane of lanes) {
      const results = await runOwners(processes, lane.config)
      lane.speeds.push(results.reduce((sum, { perSecond }) => sum + perSecond, 0))
      lane.admitted += admittedBy(results)
    }
  }
  const [hand, fast, general] = lanes.map(({ speeds }) => median(speeds))
  const books = await Promise.all(
    lanes.slice(1).map(async ({ config, admitted }) => {
      return isBalanced(await totalsOf(server.client.store(config.name)), admitted)
    }),
  )
  return {
    processes,
    callers,
    byHandPerSecond: hand ?? Number.NaN,
    fastPathPerSecond: fast ?? Number.NaN,
    generalPathPerSecond: general ?? Number.NaN,
    admitted: lanes.reduce((sum, lane) => sum + lane.admitted, 0),
    balanced: books.every(Boolean) && (await server.usedByHand()) === lanes[0]?.admitted,
  }
}

export function admittedBy(results: readonly OwnerResult[]): number {
  return results.reduce((sum, { admitted }) => sum + admitted, 0)
}
