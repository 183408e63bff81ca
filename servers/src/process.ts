import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { text } from 'node:stream/consumers'
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
export async function isListening(server: ChildProcess, says: RegExp, output = server.stderr): Promise<void> {
  let log = ''
  await new Promise<void>((resolve, reject) => {
    output?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (says.test(log)) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`${server.spawnfile} ended: ${log}`)))
  })
  // What it logs later is not kept.
  output?.removeAllListeners('data')
  output?.resume()
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

/** A server that is stopped by SIGSTOP, with all of its processes. */
export interface PausedServer {
  /** Lets it go on. Synchronous, so that it can be done while this process exits: what is stopped obeys no other signal than SIGKILL. */
  resume(): void
}

/** It stops first and alone, so that it starts no process that is not seen; then its children. */
export async function paused(server: ChildProcess): Promise<PausedServer> {
  const pid = server.pid ?? Number.NaN
  process.kill(pid, 'SIGSTOP')
  const children = await childrenOf(pid)
  for (const child of children) process.kill(child, 'SIGSTOP')
  return {
    resume: () => {
      // A child that has ended meanwhile is there until its parent goes on.
      for (const child of [...children, pid]) process.kill(child, 'SIGCONT')
    },
  }
}

/** Those of Postgres are in process groups of their own. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const list = spawn('ps', ['-A', '-o', 'pid=,ppid='], { stdio: ['ignore', 'pipe', 'inherit'] })
  const failed = new Promise<never>((_, reject) => list.once('error', reject))
  const lines = (await Promise.race([text(list.stdout), failed])).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/ +/).map(Number))
  return pairs.flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []))
}
