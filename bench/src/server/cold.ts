import { isBalanced, totalsOf } from '../measure/totals.ts'
import type { BenchServer } from './bench-server.ts'
import { admittedBy } from './durable.ts'
import { COLD_UNITS, type OwnerConfig } from './owner-config.ts'
import { runOwners } from './owners.ts'

export interface Cold {
  readonly owners: number
  readonly processes: number
  readonly units: number
  readonly admitted: number
  /** Requests that got an error, such as `timeout`. */
  readonly failed: number
  /** From the start to the last owner that was denied. */
  readonly seconds: number
  /** Statements or scripts as the server counted them, with those of joins and closes. */
  readonly calls: number
  /** Exchanges and reads of all engines while they spent. */
  readonly exchanges: number
  readonly exchangesPerOwnerPerSecond: number
  /** Of the owner with the fewest admissions, against the mean. */
  readonly leastShare: number
  /** The longest that an owner waited for its first admission. */
  readonly firstAdmissionMs: number
  readonly balanced: boolean
}

/**
 * Owners that join at the same moment and spend one budget, each at a steady pace, until it is exhausted. Some processes with many engines each: as
 * many processes on two cores would measure the scheduler. The engines of a process share its connections, as those of an application do.
 */
export async function cold(
  server: BenchServer,
  { owners, processes }: { owners: number; processes: number },
): Promise<Cold> {
  const { kind, url, client } = server
  const name = 'cold'
  // The schema is made before.
  await totalsOf(client.store(name))
  const before = await server.calls(name)
  const engines = Math.ceil(owners / processes)
  const config: OwnerConfig = {
    ...{ kind, url, name, engines, work: 'cold', fastPath: true },
    ...{ seconds: 0, warmUpSeconds: 0, callers: 1 },
  }
  const results = await runOwners(processes, config)
  const calls = (await server.calls(name)) - before
  const admitted = admittedBy(results)
  const shares = results.flatMap((result) => result.engines ?? [])
  const exchanges = results.reduce((sum, result) => sum + result.exchanges, 0)
  const seconds = Math.max(...results.map((result) => result.seconds))
  return {
    owners: shares.length,
    processes,
    units: COLD_UNITS,
    admitted,
    failed: shares.reduce((sum, { failed }) => sum + failed, 0),
    seconds,
    calls,
    exchanges,
    exchangesPerOwnerPerSecond: exchanges / shares.length / seconds,
    leastShare: Math.min(...shares.map((share) => share.admitted)) / (admitted / shares.length),
    firstAdmissionMs: Math.max(...shares.map(({ firstAdmissionMs }) => firstAdmissionMs)),
    balanced: isBalanced(await totalsOf(client.store(name)), admitted) && admitted === COLD_UNITS,
  }
}
