import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { postgresServer } from './postgres.ts'

/* `npm run try:postgres`: a throw-away server, and `vsa demo` on it. Nothing of it is left. */

const COMMAND = fileURLToPath(new URL('../../packages/vsa/dist/cli/main.js', import.meta.url))

const server = await postgresServer({})
if ('reason' in server) {
  console.error(server.reason)
  process.exit(1)
}
console.log(`A throw-away Postgres server: ${server.url}\n`)
const demo = spawn(process.execPath, [COMMAND, 'demo', '--store', server.url, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
// The terminal sends these to the demo as well: the server outlives it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
const [code] = (await once(demo, 'exit')) as [number | null]
await server.stop()
process.exitCode = code ?? 1
