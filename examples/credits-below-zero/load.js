import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Starts the app, sends 50 requests of 10 credits each at once, and prints what became of them. */
export async function load(app) {
  const server = fork(join(import.meta.dirname, app), { silent: true })
  const ended = once(server, 'exit')
  const [port] = await once(server.stdout, 'data')
  const url = `http://127.0.0.1:${String(port).trim()}`
  // Until the database is open.
  while (!(await fetch(`${url}/credits`)).ok) console.log('waiting')
  const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(url)))
  const counted = (status) => answers.filter((answer) => answer.status === status).length
  const credits = await (await fetch(`${url}/credits`)).text()
  console.log('100 credits, 50 requests of 10 each at once')
  console.log(`served: ${counted(200)}, refused: ${counted(402)}, failed: ${counted(503)}`)
  console.log(`credits left: ${credits}`)
  server.kill('SIGTERM')
  await ended
}
