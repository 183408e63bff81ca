import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { postgresServer, type PostgresServer } from './postgres.ts'
import type { NoServer } from './process.ts'
import { DURABLE, redisServer, type RedisServer } from './redis.ts'

/* `npm run try:postgres` and `npm run try:redis`: a throw-away server, and `vsa demo` on it. Nothing of it is left. */

const COMMAND = fileURLToPath(new URL('../../packages/vsa/dist/cli/main.js', import.meta.url))

const [kind = '', ...rest] = process.argv.slice(2)
const server = await started()
if ('reason' in server) {
  console.error(server.reason)
  process.exit(1)
}
console.log(`A throw-away ${kind} server: ${server.url}\n`)
const demo = spawn(process.execPath, [COMMAND, 'demo', '--store', server.url, ...rest], {
  stdio: 'inherit',
})
// The terminal sends these to the demo as well: the server outlives it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
const [code] = (await once(demo, 'exit')) as [number | null]
await server.stop()
process.exitCode = code ?? 1

async function started(): Promise<PostgresServer | RedisServer | NoServer> {
  if (kind === 'postgres') return postgresServer({})
  if (kind === 'redis') return redisServer(DURABLE)
  return { reason: `try is of postgres or redis, got ${JSON.stringify(kind)}` }
}
