import { open } from 'vsa'
import { postgres } from 'vsa/postgres'
import { turn } from '../measure/turn.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import type { BenchServer } from './server.ts'

export interface Calls {
  readonly budgets: number
  readonly seconds: number
  readonly admitted: number
  /** Statements a second, as the server counted them. */
  readonly callsPerSecond: number
  readonly balanced: boolean
}

const ADMISSIONS_PER_TURN = 1_000

/** One owner that spends from that many budgets at full speed, with the default flush interval. */
export async function calls(server: BenchServer, budgets: number, seconds: number): Promise<Calls> {
  const schema = 'calls'
  const vsa = open({ store: postgres(server.pool, { schema }) })
  const family = vsa.budgets('busy', { limit: 1_000_000_000_000, per: 'year' })
  const handles = Array.from({ length: budgets }, (_, index) => family.of(String(index)))
  let admitted = (await Promise.all(handles.map((handle) => handle.admit()))).filter(Boolean).length
  await vsa.flush()
  const before = await server.statements(schema)
  const startedAtMs = performance.now()
  while (performance.now() - startedAtMs < seconds * 1_000) {
    for (const handle of handles) for (let at = 0; at < ADMISSIONS_PER_TURN && handle.tryAdmit(); at += 1) admitted += 1
    await turn()
  }
  const ranForMs = performance.now() - startedAtMs
  const statements = (await server.statements(schema)) - before
  await vsa.close()
  const totals = await totalsOf(postgres(server.pool, { schema }))
  return {
    budgets,
    seconds: ranForMs / 1_000,
    admitted,
    callsPerSecond: statements / (ranForMs / 1_000),
    balanced: isBalanced(totals, admitted),
  }
}
