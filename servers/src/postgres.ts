import { spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { account, ended, isListening, missing, paused, sparePort, type NoServer, type PausedServer } from './process.ts'

/** A running Postgres server. */
export interface PostgresServer {
  readonly url: string
  /** As `pg_ctl stop -m immediate`: nothing is written out, and the next start recovers from the log. Absent for a server that was not started here. */
  crash?(): Promise<void>
  /** Starts it again after a crash, on the same port. */
  start?(): Promise<void>
  /** Stops all its processes by SIGSTOP: it keeps its connections and answers nothing, until it goes on. Absent for a server that was not started here. */
  pause?(): Promise<PausedServer>
  stop(): Promise<void>
}

/** A new server that differs from the usual one. */
export interface ServerSettings {
  /** As in `fsync=off`. */
  readonly options?: readonly string[]
  readonly isStandby?: boolean
  /** URL of its primary: the server begins as a copy of it, and follows it. */
  readonly standbyOf?: string
}

const DEBIAN = '/usr/lib/postgresql'

/**
 * The server of VSA_TEST_POSTGRES_URL, else a new one in a temporary folder, which is removed by `stop`. Where there is neither, the reason: with
 * `CI=true` that is an error.
 * @param settings of a new server, which VSA_TEST_POSTGRES_URL does not replace
 */
export async function postgresServer(settings?: ServerSettings): Promise<PostgresServer | NoServer> {
  const url = process.env['VSA_TEST_POSTGRES_URL']
  if (url !== undefined && settings === undefined) return { url, stop: async () => undefined }
  const folder = programs()
  if (folder !== undefined) return started(folder, settings)
  return missing(
    'Postgres',
    'initdb is neither on the PATH nor in /usr/lib/postgresql, and VSA_TEST_POSTGRES_URL is not set',
  )
}

/** The folder of initdb and postgres. */
function programs(): string | undefined {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : []
  const folders = [...debian.toSorted().toReversed(), ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

async function started(
  programs: string,
  { options = [], isStandby = false, standbyOf }: ServerSettings = {},
): Promise<PostgresServer> {
  const user = account()
  const folder = mkdtempSync(join(tmpdir(), 'vsa-postgres-'))
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const initdb = [
    'initdb',
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '--no-sync',
  ] as const
  const copy = ['pg_basebackup', '-D', data, '-d', standbyOf ?? '', '-R', '-c', 'fast', '--no-sync'] as const
  const [program, ...values] = standbyOf === undefined ? initdb : copy
  // Not synchronous: the primary may be behind a proxy of this process.
  await succeeded(
    program,
    spawn(join(programs, program), values, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }),
  )
  if (isStandby) writeFileSync(join(data, 'standby.signal'), '')
  const port = await sparePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', ...options]
  const postgres = join(programs, 'postgres')
  const start = async (): Promise<ChildProcess> => {
    const server = spawn(postgres, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await isListening(server, /ready to accept (read-only )?connections/)
    return server
  }
  let server = await start()
  let pause: PausedServer | undefined
  const kill = (): void => {
    server.kill('SIGQUIT')
    pause?.resume()
  }
  process.once('exit', kill)
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    crash: () => ended(server, 'SIGQUIT'),
    start: async () => {
      server = await start()
    },
    pause: async () => {
      const begun = await paused(server)
      pause = begun
      const resume = (): void => {
        pause = undefined
        begun.resume()
      }
      return { resume }
    },
    stop: async () => {
      process.removeListener('exit', kill)
      await ended(server, 'SIGINT')
      rmSync(folder, { recursive: true })
    },
  }
}

async function succeeded(program: string, process: ChildProcess): Promise<void> {
  let said = ''
  process.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const status = await new Promise((resolve, reject) => process.once('error', reject).once('close', resolve))
  if (status !== 0) throw new Error(`${program} failed: ${said}`)
}
