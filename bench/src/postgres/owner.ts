import { once } from 'node:events'
import { Pool } from 'pg'
import { open, type Budget } from 'vsa'
import { postgres } from 'vsa/postgres'
import { callInLoops, type Done } from '../measure/callers.ts'
import { DRAINED, HAND_TABLE, HOT, MINTED, READY, type OwnerConfig, type OwnerResult } from './owner-config.ts'

/* One process on the server. The parent of the same build wrote its argument. */

/** Connections for the work by hand: more gain nothing on two cores. */
const HAND_CONNECTIONS = 16

const config = JSON.parse(process.argv[2] ?? '') as OwnerConfig
const pool = new Pool({ connectionString: config.url, max: config.work === 'by hand' ? HAND_CONNECTIONS : 4 })
const result = await (config.work === 'by hand' ? byHand() : withEngine())
await pool.end()
console.log(JSON.stringify(result))
process.exit(0)

async function begin(): Promise<void> {
  process.stdout.write(`${READY}\n`)
  await once(process.stdin, 'data')
}

async function byHand(): Promise<OwnerResult> {
  const text = `update ${config.schema}.${HAND_TABLE} set used = used + 1 where key = $1 and used + 1 <= minted returning used`
  const ask = async (): Promise<boolean> => (await pool.query(text, [HOT])).rows.length === 1
  await ask()
  await begin()
  const done = await callInLoops(ask, config.callers, config.seconds)
  return { admitted: done.count + 1, seconds: done.seconds, exchanges: 0 }
}

async function withEngine(): Promise<OwnerResult> {
  const { schema, fastPath, work } = config
  const vsa = open({ store: postgres(pool, { schema, fastPath }) })
  const budget =
    work === 'drain'
      ? vsa.budget(HOT, { initial: DRAINED, atRisk: DRAINED / 20 })
      : vsa.budget(HOT, { initial: MINTED })
  await vsa.ready()
  await begin()
  const before = vsa.stats().exchanges
  const done = await (work === 'drain'
    ? drain(budget)
    : callInLoops(() => budget.admit(), config.callers, config.seconds))
  const exchanges = vsa.stats().exchanges - before
  await vsa.close()
  return { admitted: done.count, seconds: done.seconds, exchanges }
}

async function drain(budget: Budget): Promise<Done> {
  const startedAtMs = performance.now()
  let count = 0
  do while (budget.tryAdmit()) count += 1
  while ((await budget.admit()) && (count += 1) > 0)
  return { count, seconds: (performance.now() - startedAtMs) / 1_000 }
}
