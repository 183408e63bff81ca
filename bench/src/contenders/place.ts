import { join } from 'node:path'
import Database from 'libsql'
import { Redis } from 'ioredis'
import { Pool } from 'pg'

export interface PlaceFacts {
  /** A schema and a role, a prefix, or the name of a file: letters, digits and `_`. */
  readonly name: string
  /** Of the server; empty where there is none. */
  readonly url: string
  /** For files. */
  readonly folder: string
}

/** Where a contender keeps its books: it makes the clients, so that all have the same settings, and ends them. */
export class Place {
  readonly name: string
  readonly #facts: PlaceFacts
  readonly #pools: { readonly pool: Pool; readonly size: number }[] = []
  readonly #clients: Redis[] = []

  constructor(facts: PlaceFacts) {
    this.name = facts.name
    this.#facts = facts
  }

  get path(): string {
    return join(this.#facts.folder, `${this.name}.db`)
  }

  /** WAL and synchronous=FULL, as the store of VSA: a commit that has returned survives a power cut. */
  sqlite(): Database.Database {
    const database = new Database(this.path)
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec('PRAGMA busy_timeout = 5000')
    return database
  }

  pool(size: number): Pool {
    const pool = new Pool({ connectionString: this.#facts.url, max: size })
    pool.on('error', () => undefined)
    this.#pools.push({ pool, size })
    return pool
  }

  redis(options: { readonly enableAutoPipelining: boolean }): Redis {
    const client = new Redis(this.#facts.url, options)
    this.#clients.push(client)
    return client
  }

  /** Makes every connection of the pools tell the server its counts, which it does otherwise once a second. */
  async reportStatistics(): Promise<void> {
    const asked = this.#pools.flatMap(({ pool, size }) =>
      Array.from({ length: size }, () => pool.query('select pg_stat_force_next_flush()')),
    )
    await Promise.all(asked)
  }

  async end(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map(({ pool }) => pool.end()))
    await Promise.all(this.#clients.splice(0).map((client) => client.quit()))
  }
}
