import { postgres } from 'vsa/postgres'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import { admittedBy } from './durable.ts'
import { DRAINED } from './owner-config.ts'
import { runOwners } from './owners.ts'
import type { BenchServer } from './server.ts'

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
export async function drain({ url, pool }: BenchServer, processes: number): Promise<Drain> {
  const schema = 'drain'
  const results = await runOwners(processes, { url, schema, fastPath: true, work: 'drain', seconds: 0, callers: 1 })
  const admitted = admittedBy(results)
  return {
    processes,
    units: DRAINED,
    admitted,
    exchanges: results.reduce((sum, { exchanges }) => sum + exchanges, 0),
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    balanced: isBalanced(await totalsOf(postgres(pool, { schema })), admitted) && admitted === DRAINED,
  }
}
