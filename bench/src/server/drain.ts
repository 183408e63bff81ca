import { isBalanced, totalsOf } from '../measure/totals.ts'
import { admittedBy } from './durable.ts'
import { DRAINED } from './owner-config.ts'
import { runOwners } from './owners.ts'
import type { BenchServer } from './bench-server.ts'

export interface Drain {
  readonly processes: number
  readonly units: number
  readonly admitted: number
  /** Of all processes together. */
  readonly exchanges: number
  readonly seconds: number
  readonly balanced: boolean
}

/** Processes that spend one budget at full speed until it is exhausted. */
export async function drain({ kind, url, client }: BenchServer, processes: number): Promise<Drain> {
  const name = 'drain'
  const config = { kind, url, name, fastPath: true, work: 'drain', seconds: 0, warmUpSeconds: 0, callers: 1 } as const
  const results = await runOwners(processes, config)
  const admitted = admittedBy(results)
  return {
    processes,
    units: DRAINED,
    admitted,
    exchanges: results.reduce((sum, { exchanges }) => sum + exchanges, 0),
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    balanced: isBalanced(await totalsOf(client.store(name)), admitted) && admitted === DRAINED,
  }
}
