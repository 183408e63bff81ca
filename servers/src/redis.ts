import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ended, isListening, missing, paused, sparePort, type NoServer, type PausedServer } from './process.ts'

/** A running Redis server. */
export interface RedisServer {
  readonly url: string
  /** Kills it. Absent for a server that was not started here. */
  crash?(): Promise<void>
  /** Starts it again after a crash, on the same port and folder. */
  start?(): Promise<void>
  /** Stops all its processes by SIGSTOP: it keeps its connections and answers nothing, until it goes on. Absent for a server that was not started here. */
  pause?(): Promise<PausedServer>
  stop(): Promise<void>
  /** Ends it, and starts it again on the same port and folder. Only of a new server. @param signal default `SIGTERM`; `SIGKILL` as a crash */
  restart(signal?: NodeJS.Signals): Promise<void>
}

/** What a server needs in order to forget nothing. */
export const DURABLE: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always']

/**
 * A new server in a temporary folder, which is removed by `stop`. Where that cannot be, the reason: with `CI=true` that is an error.
 * @param options of the server, as in {@link DURABLE}
 * @param isShared whether the server of VSA_TEST_REDIS_URL does as well, if there is one. A test that changes or ends its server needs its own
 */
export async function redisServer(options: readonly string[], isShared = false): Promise<RedisServer | NoServer> {
  const url = process.env['VSA_TEST_REDIS_URL']
  if (url !== undefined && isShared) {
    const restart = (): Promise<void> => Promise.reject(new Error('not a server of this test'))
    return { url, stop: async () => undefined, restart }
  }
  const program = programPath()
  if (program !== undefined) return started(program, options)
  return missing('Redis', 'redis-server is not on the PATH, and VSA_TEST_REDIS_URL is not set')
}

/** VSA_TEST_REDIS_PROGRAM may name another version, or Valkey. */
function programPath(): string | undefined {
  const named = process.env['VSA_TEST_REDIS_PROGRAM']
  if (named !== undefined) return named
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path))
}

async function started(program: string, options: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-redis-'))
  const port = await sparePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...options]
  let server = await listening(program, settings)
  const kill = (): void => void server.kill('SIGKILL')
  process.once('exit', kill)
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      process.removeListener('exit', kill)
      await ended(server, 'SIGKILL')
      rmSync(folder, { recursive: true })
    },
    crash: () => ended(server, 'SIGKILL'),
    start: async () => {
      server = await listening(program, settings)
    },
    pause: () => paused(server),
    restart: async (signal = 'SIGTERM') => {
      await ended(server, signal)
      server = await listening(program, settings)
    },
  }
}

async function listening(program: string, settings: readonly string[]): Promise<ChildProcess> {
  const server = spawn(program, settings, { stdio: ['ignore', 'pipe', 'ignore'] })
  await isListening(server, /Ready to accept connections/, server.stdout)
  return server
}
