import { monitorEventLoopDelay } from 'node:perf_hooks'
import { join } from 'node:path'
import { open, type Family } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { turn } from '../measure/turn.ts'
import { DRIVER } from './hand-written.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'

/** Requests made in one turn of the event loop, as a server's would be: a loop over all of them would block it by itself. */
const PER_TURN = 1_000

export interface Crowd {
  readonly keys: number
  readonly admitted: number
  /** With `too_many_waiters`, as soon as it was clear that they could not be served in time. */
  readonly refusedEarly: number
  readonly timedOut: number
  readonly seconds: number
  /** The longest turn of the event loop meanwhile. */
  readonly longestTurnMs: number
  /** Budgets that were spent from once more, from memory, just before the close. */
  readonly touched: number
  readonly closeSeconds: number
  readonly used: number
  readonly balanced: boolean
}

/** That many distinct keys, each asked for once, all together and with the default deadline; then all touched, and closed. */
export async function crowd(folder: string, keys: number): Promise<Crowd> {
  const path = join(folder, 'crowd.db')
  const vsa = open({ store: sqlite(path, { driver: DRIVER }) })
  const family = vsa.budgets('cold', { limit: 1_000, per: 'month' })
  await vsa.ready()
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const startedAtMs = performance.now()
  const { admitted, refusedEarly, timedOut } = await askForAll(family, keys)
  const seconds = (performance.now() - startedAtMs) / 1_000
  loop.disable()
  let touched = 0
  for (let key = 0; key < keys; key += 1) if (family.of(String(key)).tryAdmit()) touched += 1
  const closingAtMs = performance.now()
  await vsa.close()
  const closeSeconds = (performance.now() - closingAtMs) / 1_000
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  const balanced = isBalanced(totals, admitted + touched)
  const longestTurnMs = loop.max / 1e6
  return {
    keys,
    admitted,
    refusedEarly,
    timedOut,
    seconds,
    longestTurnMs,
    touched,
    closeSeconds,
    used: totals.used,
    balanced,
  }
}

async function askForAll(
  family: Family,
  keys: number,
): Promise<{ readonly admitted: number; readonly refusedEarly: number; readonly timedOut: number }> {
  const counts = { admitted: 0, refusedEarly: 0, timedOut: 0 }
  const asked: Promise<void>[] = []
  for (let from = 0; from < keys; from += PER_TURN) {
    for (let key = from; key < Math.min(keys, from + PER_TURN); key += 1) asked.push(ask(family, key, counts))
    await turn()
  }
  await Promise.all(asked)
  return counts
}

async function ask(
  family: Family,
  key: number,
  counts: { admitted: number; refusedEarly: number; timedOut: number },
): Promise<void> {
  try {
    if (await family.of(String(key)).admit()) counts.admitted += 1
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'too_many_waiters') counts.refusedEarly += 1
    else if (code === 'timeout') counts.timedOut += 1
    else throw error
  }
}
