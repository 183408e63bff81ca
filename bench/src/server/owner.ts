import { once } from 'node:events'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { open, type Budget } from 'vsa'
import { callInLoops, type Done } from '../measure/callers.ts'
import type { BenchClient } from './bench-server.ts'
import { coldEngine } from './cold-engine.ts'
import { DRAINED, HOT, MINTED, READY, type OwnerConfig, type OwnerResult } from './owner-config.ts'
import { postgresClient } from './postgres-client.ts'
import { redisClient } from './redis-client.ts'

/* One process on the server. The parent of the same build wrote its argument. */

/** Connections to Postgres for the work by hand: more gain nothing on two cores. */
const HAND_CONNECTIONS = 16

const config = JSON.parse(process.argv[2] ?? '') as OwnerConfig
const client = connected()
const result = await run()
await client.end()
console.log(JSON.stringify(result))
process.exit(0)

function run(): Promise<OwnerResult> {
  switch (config.work) {
    case 'by hand':
      return byHand()
    case 'cold':
      return withColdEngines(config.engines ?? 1)
    case 'durable':
    case 'drain':
      return withEngine()
  }
}

function connected(): BenchClient {
  const { kind, url, work } = config
  if (kind === 'redis') return redisClient(new Redis(url))
  return postgresClient(new Pool({ connectionString: url, max: work === 'by hand' ? HAND_CONNECTIONS : 4 }))
}

async function begin(): Promise<void> {
  process.stdout.write(`${READY}\n`)
  await once(process.stdin, 'data')
}

async function byHand(): Promise<OwnerResult> {
  await client.admitByHand()
  await begin()
  const done = await warmed(() => client.admitByHand())
  return { ...done, admitted: done.admitted + 1, exchanges: 0 }
}

async function warmed(ask: () => Promise<boolean>): Promise<Omit<OwnerResult, 'exchanges'>> {
  const { callers, seconds, warmUpSeconds } = config
  const before = await callInLoops(ask, callers, warmUpSeconds)
  return resultOf(await callInLoops(ask, callers, seconds), before.count)
}

function resultOf({ count, seconds }: Done, before = 0): Omit<OwnerResult, 'exchanges'> {
  return { admitted: before + count, perSecond: count / seconds, seconds }
}

async function withEngine(): Promise<OwnerResult> {
  const { name, fastPath, work } = config
  const vsa = open({ store: client.store(name, fastPath) })
  const budget =
    work === 'drain'
      ? vsa.budget(HOT, { initial: DRAINED, atRisk: DRAINED / 20 })
      : vsa.budget(HOT, { initial: MINTED })
  await vsa.ready()
  await begin()
  const before = vsa.stats().exchanges
  const done = work === 'drain' ? resultOf(await drain(budget)) : await warmed(() => budget.admit())
  const exchanges = vsa.stats().exchanges - before
  await vsa.close()
  return { ...done, exchanges }
}

async function withColdEngines(count: number): Promise<OwnerResult> {
  await begin()
  const startedAtMs = performance.now()
  const stores = Array.from({ length: count }, () => client.store(config.name))
  const engines = await Promise.all(stores.map((store) => coldEngine(store)))
  const seconds = (performance.now() - startedAtMs) / 1_000
  const sumOf = (figure: 'admitted' | 'exchanges'): number => engines.reduce((sum, engine) => sum + engine[figure], 0)
  return {
    admitted: sumOf('admitted'),
    perSecond: sumOf('admitted') / seconds,
    seconds,
    exchanges: sumOf('exchanges'),
    engines,
  }
}

async function drain(budget: Budget): Promise<Done> {
  const startedAtMs = performance.now()
  let count = 0
  do while (budget.tryAdmit()) count += 1
  while ((await budget.admit()) && (count += 1) > 0)
  return { count, seconds: (performance.now() - startedAtMs) / 1_000 }
}
