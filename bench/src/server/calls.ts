import { open } from 'vsa'
import { turn } from '../measure/turn.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import type { BenchServer } from './bench-server.ts'

export interface Calls {
  readonly budgets: number
  readonly seconds: number
  readonly admitted: number
  /** Statements or scripts a second, as the server counted them. */
  readonly callsPerSecond: number
  readonly balanced: boolean
}

const ADMISSIONS_PER_TURN = 1_000

/** One owner that spends from that many budgets at full speed, with the default flush interval. */
export async function calls(server: BenchServer, budgets: number, seconds: number): Promise<Calls> {
  const name = 'calls'
  const vsa = open({ store: server.client.store(name) })
  const family = vsa.budgets('busy', { limit: 1_000_000_000_000, per: 'year' })
  const handles = Array.from({ length: budgets }, (_, index) => family.of(String(index)))
  let admitted = (await Promise.all(handles.map((handle) => handle.admit()))).filter(Boolean).length
  await vsa.flush()
  const before = await server.calls(name)
  const startedAtMs = performance.now()
  while (performance.now() - startedAtMs < seconds * 1_000) {
    for (const handle of handles) for (let at = 0; at < ADMISSIONS_PER_TURN && handle.tryAdmit(); at += 1) admitted += 1
    await turn()
  }
  const ranForMs = performance.now() - startedAtMs
  const called = (await server.calls(name)) - before
  await vsa.close()
  const totals = await totalsOf(server.client.store(name))
  return {
    budgets,
    seconds: ranForMs / 1_000,
    admitted,
    callsPerSecond: called / (ranForMs / 1_000),
    balanced: isBalanced(totals, admitted),
  }
}
