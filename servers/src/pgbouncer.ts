import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { account, ended, isListening, missing, sparePort, type NoServer } from './process.ts'

/** PgBouncer in transaction mode before a Postgres server. */
export interface PgBouncer {
  readonly url: string
  stop(): Promise<void>
}

const FOLDERS = ['/usr/sbin', ...(process.env['PATH'] ?? '').split(delimiter)]

/**
 * @param url of the Postgres server
 * @param connections to the server, for all clients together
 * @returns where there is none, the reason: with `CI=true` that is an error
 */
export async function pgBouncer(url: string, connections: number): Promise<PgBouncer | NoServer> {
  const program = FOLDERS.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path))
  if (program === undefined) return missing('PgBouncer', 'pgbouncer is not on the PATH')
  const user = account()
  const folder = mkdtempSync(join(tmpdir(), 'vsa-pgbouncer-'))
  const { hostname, port: serverPort, username, pathname } = new URL(url)
  const port = await sparePort()
  const settings = join(folder, 'pgbouncer.ini')
  writeFileSync(
    settings,
    `[databases]
${pathname.slice(1)} = host=${hostname} port=${serverPort} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${connections}
`,
  )
  if (user.uid !== undefined && user.gid !== undefined)
    for (const path of [folder, settings]) chownSync(path, user.uid, user.gid)
  const server = spawn(program, [settings], { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  await isListening(server, /process up/)
  return {
    url: `postgres://${username}@127.0.0.1:${port}${pathname}`,
    stop: async () => {
      await ended(server, 'SIGTERM')
      rmSync(folder, { recursive: true })
    },
  }
}
