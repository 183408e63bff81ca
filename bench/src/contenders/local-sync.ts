import type { Redis } from 'ioredis'
import { limitOf, type Trace } from '../workloads/trace.ts'
import { plainBooks, type Contender, type Limiter } from './contender.ts'
import type { Place } from './place.ts'

const NODES = 4
const SYNC_INTERVAL_MS = 100
const KEYS_PER_READ = 1_000

/** What a count in memory with a sync from time to time buys: each node admits by the last sum that it has heard, so together they admit too much. */
export const localSync: Contender = {
  name: 'local-sync-redis',
  title: `local counts of ${NODES} nodes, added up every ${SYNC_INTERVAL_MS} ms`,
  group: 'inexact',
  store: 'redis',
  durable: 'no',
  isExact: false,
  lacks: [],
  asksBy: 'commands',
  open: async (place, trace) => opened(place, trace),
}

function opened(place: Place, trace: Trace): Limiter {
  const client = place.redis({ enableAutoPipelining: false })
  const nodes = Array.from({ length: NODES }, () => new Node(client, place.name, trace))
  const syncAll = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.sync())))
  let syncing: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    syncing = syncing.then(syncAll)
  }, SYNC_INTERVAL_MS)
  let turn = 0
  const next = (): Node | undefined => nodes[(turn = (turn + 1) % NODES)]
  return {
    admit: (key, units) => next()?.admit(key, units) ?? false,
    refund: (key, units) => next()?.refund(key, units),
    close: async () => {
      clearInterval(timer)
      await syncing
      await syncAll()
    },
    books: async () => {
      const used = new Float64Array(trace.names.length)
      for (let from = 0; from < used.length; from += KEYS_PER_READ) {
        const names = trace.names.slice(from, from + KEYS_PER_READ)
        const sums = await client.mget(names.map((name) => `${place.name}:${name}`))
        for (const [at, sum] of sums.entries()) used[from + at] = Number(sum ?? 0)
      }
      return plainBooks(used)
    },
  }
}

/** One server's view: the sum as of its last sync, and what it has added since. */
class Node {
  readonly #client: Redis
  readonly #prefix: string
  readonly #trace: Trace
  readonly #heard: Float64Array
  readonly #added: Float64Array
  readonly #changed = new Set<number>()

  constructor(client: Redis, prefix: string, trace: Trace) {
    this.#client = client
    this.#prefix = prefix
    this.#trace = trace
    this.#heard = new Float64Array(trace.names.length)
    this.#added = new Float64Array(trace.names.length)
  }

  admit(key: number, units: number): boolean {
    const added = (this.#added[key] ?? 0) + units
    if ((this.#heard[key] ?? 0) + added > limitOf(this.#trace, key)) return false
    this.#set(key, added)
    return true
  }

  refund(key: number, units: number): void {
    this.#set(key, (this.#added[key] ?? 0) - units)
  }

  async sync(): Promise<void> {
    const changed = [...this.#changed]
    this.#changed.clear()
    const pipeline = this.#client.pipeline()
    for (const key of changed) {
      pipeline.incrby(`${this.#prefix}:${this.#trace.names[key]}`, this.#added[key] ?? 0)
      this.#heard[key] = (this.#heard[key] ?? 0) + (this.#added[key] ?? 0)
      this.#added[key] = 0
    }
    const sums = (await pipeline.exec()) ?? []
    for (const [at, [error, sum]] of sums.entries()) {
      if (error !== null) throw error
      this.#heard[changed[at] ?? -1] = Number(sum)
    }
  }

  #set(key: number, added: number): void {
    this.#added[key] = added
    this.#changed.add(key)
  }
}
