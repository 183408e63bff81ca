import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { DURABLE, postgresServer, redisServer } from 'vsa-servers'
import type { StoreKind } from '../contenders/contender.ts'
import type { PlaceFacts } from '../contenders/place.ts'

export interface PlaceOnServer {
  readonly place: PlaceFacts
  /** With which the counts of the server are read. */
  readonly adminUrl: string
}

/** The throw-away servers of one run, started when they are first needed. */
export class Servers {
  readonly #folder: string
  #postgres: Promise<PostgresPlaces> | undefined
  #redis: Promise<RedisPlaces> | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /** A place of its own in the store. @param name letters, digits and `_` */
  async place(kind: StoreKind, name: string): Promise<PlaceOnServer> {
    const folder = this.#folder
    switch (kind) {
      case 'memory':
      case 'sqlite':
        return { place: { name, url: '', folder }, adminUrl: '' }
      case 'postgres': {
        const places = await (this.#postgres ??= PostgresPlaces.start())
        return { place: { name, url: await places.urlFor(name), folder }, adminUrl: places.url }
      }
      case 'redis': {
        const { url } = await (this.#redis ??= RedisPlaces.start())
        return { place: { name, url, folder }, adminUrl: url }
      }
    }
  }

  /** Versions and settings on which durability depends, of the servers that were needed. */
  async settings(): Promise<readonly string[]> {
    const postgres = await (await this.#postgres)?.settings()
    const redis = await (await this.#redis)?.settings()
    return [postgres, redis].filter((text) => text !== undefined)
  }

  async stop(): Promise<void> {
    await (await this.#postgres)?.stop()
    await (await this.#redis)?.stop()
  }
}

class PostgresPlaces {
  readonly url: string
  readonly stop: () => Promise<void>
  readonly #pool: Pool

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url
    this.#pool = new Pool({ connectionString: url, max: 1 })
    this.#pool.on('error', () => undefined)
    this.stop = async () => {
      await this.#pool.end()
      await stop()
    }
  }

  static async start(): Promise<PostgresPlaces> {
    const options = [
      'shared_preload_libraries=pg_stat_statements',
      'pg_stat_statements.track=top',
      'max_connections=400',
    ]
    const server = await postgresServer({ options })
    if ('reason' in server) throw new Error(server.reason)
    const places = new PostgresPlaces(server.url, () => server.stop())
    await places.#pool.query('create extension pg_stat_statements')
    return places
  }

  /** Its own role, by which its statements are counted, and a schema of the same name. */
  async urlFor(name: string): Promise<string> {
    await this.#pool.query(`create role ${name} login superuser`)
    await this.#pool.query(`create schema ${name} authorization ${name}`)
    const url = new URL(this.url)
    url.username = name
    return url.href
  }

  async settings(): Promise<string> {
    const { rows } = await this.#pool.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method') order by name`,
    )
    return `Postgres: ${rows.map(({ name, setting }) => `${name}=${setting}`).join(', ')}`
  }
}

class RedisPlaces {
  readonly url: string
  readonly stop: () => Promise<void>

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url
    this.stop = stop
  }

  static async start(): Promise<RedisPlaces> {
    // A rewrite would make the file shorter, and bytes are counted by its length.
    const server = await redisServer([...DURABLE, '--auto-aof-rewrite-percentage', '0'])
    if ('reason' in server) throw new Error(server.reason)
    return new RedisPlaces(server.url, () => server.stop())
  }

  async settings(): Promise<string> {
    const client = new Redis(this.url)
    const version = /^redis_version:(\S+)/m.exec(await client.info('server'))?.[1]
    await client.quit()
    return `Redis: version=${version}, appendonly=yes, appendfsync=always`
  }
}
