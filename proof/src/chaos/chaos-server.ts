import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DURABLE, postgresServer, redisServer, type PostgresServer, type RedisServer } from 'vsa-servers'
import type { ChaosPlan } from './chaos-plan.ts'

/** Where the rows of a run are, and the server that has them. */
export interface ChaosServer {
  /** As for `storeAt`. */
  readonly place: string
  readonly kills: number
  /** Kills it and starts it again, at the interval of the plan, until `calm`. */
  trouble(): void
  /** Resolves when it runs and is killed no more. */
  calm(): Promise<void>
  stop(): Promise<void>
}

/** @param folder for the file of a store without a server */
export async function chaosServer({ store, serverKillEveryMs }: ChaosPlan, folder: string): Promise<ChaosServer> {
  if (store === 'sqlite') return new FileOnly(join(folder, 'store.db'))
  const server =
    store === 'redis' ? await redisServer(DURABLE) : await postgresServer({ options: ['max_connections=300'] })
  if ('reason' in server) throw new Error(server.reason)
  return new KilledServer(server, store === 'redis' ? 'prefix' : 'schema', serverKillEveryMs)
}

class FileOnly implements ChaosServer {
  readonly place: string
  readonly kills = 0

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

class KilledServer implements ChaosServer {
  readonly place: string
  readonly #server: Server
  readonly #everyMs: number
  readonly #calming = new AbortController()
  #troubled: Promise<void> = Promise.resolve()
  #kills = 0

  /** @param parameter of the URL, which names the store */
  constructor(server: Server, parameter: string, everyMs: number) {
    this.#server = server
    this.#everyMs = everyMs
    this.place = `${server.url}?${parameter}=chaos`
  }

  get kills(): number {
    return this.#kills
  }

  trouble(): void {
    if (this.#everyMs > 0) this.#troubled = this.#killAgainAndAgain()
  }

  async calm(): Promise<void> {
    this.#calming.abort()
    await this.#troubled
  }

  async stop(): Promise<void> {
    await this.calm()
    await this.#server.stop()
  }

  async #killAgainAndAgain(): Promise<void> {
    const { signal } = this.#calming
    for (;;) {
      await setTimeout(this.#everyMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      await this.#server.crash?.()
      this.#kills += 1
      await this.#server.start?.()
    }
  }
}
