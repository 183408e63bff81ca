import { spawnSync, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'

/* What all servers need. */

/** Why there is no server. */
export interface NoServer {
  readonly reason: string
}

/** A missing server is a failure in CI, and a loud skip elsewhere. @throws Error with `CI=true` */
export function missing(tests: string, why: string): NoServer {
  const reason = `no ${tests}: ${why}`
  if (process.env['CI'] === 'true') throw new Error(reason)
  process.stderr.write(`\nSKIPPED: the tests that need ${tests}. ${reason}\n\n`)
  return { reason }
}

/** Postgres and PgBouncer refuse to run as root: then they run as the user `postgres`. */
export function account(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout),
  )
  if (uid === undefined || gid === undefined || !(uid > 0))
    throw new Error('root needs a user `postgres` to run Postgres as')
  return { uid, gid }
}

/** Resolves when its log says so. @throws Error with its log when it ends before */
export async function isListening(server: ChildProcess, says: RegExp): Promise<void> {
  let log = ''
  await new Promise<void>((resolve, reject) => {
    server.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (says.test(log)) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`${server.spawnfile} ended: ${log}`)))
  })
  // What it logs later is not kept.
  server.stderr?.removeAllListeners('data')
  server.stderr?.resume()
}

export async function ended(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exit = new Promise((resolve) => server.once('exit', resolve))
  server.kill(signal)
  await exit
}

export async function sparePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no spare port')
  return address.port
}
