import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DURABLE, postgresServer, redisServer, type PostgresServer, type RedisServer } from 'vsa-servers'
import { Rng } from '../simulation/rng.ts'
import type { ChaosPlan } from './chaos-plan.ts'

/** What happened to the server. */
export interface ServerTroubles {
  readonly kills: number
  /** By SIGSTOP, after which it went on. */
  readonly pauses: number
  /** Longer than a lease lives. */
  readonly pausesBeyondLease: number
  readonly longestPauseMs: number
}

/** Three in four pauses are at most so long, in ms: a run would be pauses alone otherwise. */
const SHORT_PAUSE_MAX_MS = 2_000
const PAUSE_MIN_MS = 100

/** Where the rows of a run are, and the server that has them. */
export interface ChaosServer {
  /** As for `storeAt`. */
  readonly place: string
  readonly troubles: ServerTroubles
  /** Kills it and starts it again, or stops it for a while, at the interval of the plan, until `calm`. */
  trouble(): void
  /** Resolves when it runs, and is killed and stopped no more. */
  calm(): Promise<void>
  stop(): Promise<void>
}

/** @param folder for the file of a store without a server */
export async function chaosServer(plan: ChaosPlan, folder: string): Promise<ChaosServer> {
  const { store } = plan
  if (store === 'sqlite') return new FileOnly(join(folder, 'store.db'))
  const server =
    store === 'redis' ? await redisServer(DURABLE) : await postgresServer({ options: ['max_connections=300'] })
  if ('reason' in server) throw new Error(server.reason)
  return new TroubledServer(server, store === 'redis' ? 'prefix' : 'schema', plan)
}

class FileOnly implements ChaosServer {
  readonly place: string
  readonly troubles: ServerTroubles = { kills: 0, pauses: 0, pausesBeyondLease: 0, longestPauseMs: 0 }

  constructor(place: string) {
    this.place = place
  }

  trouble(): void {
    // There is no server.
  }

  async calm(): Promise<void> {
    // There is no server.
  }

  async stop(): Promise<void> {
    // There is no server.
  }
}

type Server = PostgresServer | RedisServer

class TroubledServer implements ChaosServer {
  readonly place: string
  readonly #server: Server
  readonly #plan: ChaosPlan
  readonly #rng: Rng
  readonly #calming = new AbortController()
  #troubled: Promise<void> = Promise.resolve()
  readonly #troubles = { kills: 0, pauses: 0, pausesBeyondLease: 0, longestPauseMs: 0 }

  /** @param parameter of the URL, which names the store */
  constructor(server: Server, parameter: string, plan: ChaosPlan) {
    this.#server = server
    this.#plan = plan
    this.#rng = new Rng(plan.seed, 'server')
    this.place = `${server.url}?${parameter}=chaos`
  }

  get troubles(): ServerTroubles {
    return this.#troubles
  }

  trouble(): void {
    if (this.#plan.serverKillEveryMs > 0) this.#troubled = this.#troubleAgainAndAgain()
  }

  async calm(): Promise<void> {
    this.#calming.abort()
    await this.#troubled
  }

  async stop(): Promise<void> {
    await this.calm()
    await this.#server.stop()
  }

  async #troubleAgainAndAgain(): Promise<void> {
    for (;;) {
      await this.#sleep(this.#plan.serverKillEveryMs)
      if (this.#calming.signal.aborted) return
      await (this.#rng.chance(this.#plan.serverPauseShare) ? this.#pause() : this.#kill())
    }
  }

  async #kill(): Promise<void> {
    await this.#server.crash?.()
    this.#troubles.kills += 1
    await this.#server.start?.()
  }

  async #pause(): Promise<void> {
    const { serverPauseMaxMs, leaseTtlMs } = this.#plan
    const longestMs = this.#rng.chance(0.75) ? Math.min(SHORT_PAUSE_MAX_MS, serverPauseMaxMs) : serverPauseMaxMs
    const startedAtMs = performance.now()
    const pause = await this.#server.pause?.()
    await this.#sleep(this.#rng.whole(PAUSE_MIN_MS, longestMs))
    pause?.resume()
    const pausedMs = Math.round(performance.now() - startedAtMs)
    this.#troubles.pauses += 1
    if (pausedMs > leaseTtlMs) this.#troubles.pausesBeyondLease += 1
    this.#troubles.longestPauseMs = Math.max(this.#troubles.longestPauseMs, pausedMs)
  }

  /** Ends early when the run calms down. */
  async #sleep(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.#calming.signal }).catch(() => undefined)
  }
}
