import type { Awaitable, Snapshot, StoreAdapter, Writes } from './adapter.ts'
import { StoreError } from './errors.ts'
import type { Answer, Batch, RowName } from './exchange.ts'
import { maintain, OWNERS_KEPT_MS } from './maintain.ts'
import { openEpoch } from './open-epoch.ts'
import type { BudgetRow, OwnerRow } from './rows.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from './store.ts'
import { transition } from './transition.ts'

const UPKEEP_EVERY_MS = 100
/** More rows than one exchange can create (`BATCH_ENTRIES_MAX`), so that upkeep with each exchange catches up. */
const UPKEEP_ROWS_MAX = 2_000
/** Upkeep calls before one call: the first closes epochs, the second burns their leases. */
const UPKEEP_ROUNDS_MAX = 2
/** The most attempts of a transaction after version conflicts. */
const TRIES_MAX = 100

export interface StoreFromOptions {
  /** A clock for the pace of upkeep, ms from any origin. */
  readonly now: () => number
  /** How often an exchange is preceded by upkeep, in ms; 0: each one. Default 100. */
  readonly upkeepEveryMs?: number
  /** The most leases burned and rows removed by one upkeep, each. Default 2,000. */
  readonly upkeepRowsMax?: number
  /** Waits before a retry after a version conflict; `tries` counts from 1. Default: does not wait. */
  readonly pause?: (tries: number) => Promise<void>
}

/**
 * Makes a store out of an adapter: load, transition, save, with a retry on a version conflict. Upkeep is a separate transaction: after each
 * join, before an exchange when it is due, and before each exchange while more work is left than one upkeep does.
 */
export function storeFrom(adapter: StoreAdapter, options: StoreFromOptions): Store {
  return new AdaptedStore(adapter, options)
}

interface Decided<T> {
  readonly result: T
  /** Null when nothing is to be written. */
  readonly writes: Writes | null
}

class AdaptedStore implements Store {
  readonly capabilities: StoreCapabilities
  readonly #adapter: StoreAdapter
  readonly #now: () => number
  readonly #upkeepEveryMs: number
  readonly #upkeepRowsMax: number
  readonly #pause: (tries: number) => Promise<void>
  #upkeepAt: number | undefined
  #isBehind = false

  constructor(adapter: StoreAdapter, options: StoreFromOptions) {
    const { now, upkeepEveryMs = UPKEEP_EVERY_MS, upkeepRowsMax = UPKEEP_ROWS_MAX, pause = noPause } = options
    this.capabilities = adapter.capabilities
    this.#adapter = adapter
    this.#now = now
    this.#upkeepEveryMs = upkeepEveryMs
    this.#upkeepRowsMax = upkeepRowsMax
    this.#pause = pause
  }

  async join(label: string): Promise<Joined> {
    const adapter = this.#adapter
    const { leaseTtlMs } = adapter
    const opened = andThen(adapter.ready(), () =>
      this.#transact(
        () => adapter.loadJoin(),
        (rows, time) => {
          const { joined, writes } = openEpoch(rows, { label, leaseTtlMs }, time)
          return { result: joined, writes }
        },
      ),
    )
    // A restarted process detects at once that its predecessor is dead (S8).
    this.#upkeepAt = undefined
    return andThen(opened, (joined) => andThen(this.#keepUp(joined.epoch), () => joined))
  }

  async exchange(batch: Batch): Promise<Answer> {
    const adapter = this.#adapter
    const exchange = (): Awaitable<Answer> =>
      this.#transact(
        () => adapter.loadExchange(batch),
        (rows, time) => {
          const { answer, writes } = transition(rows, batch, time)
          return { result: answer, writes }
        },
      )
    return andThen(adapter.ready(), () => andThen(this.#keepUp(batch.epoch), exchange))
  }

  async read(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    await this.#adapter.ready()
    return this.#adapter.read(names)
  }

  async list(range: ListRange): Promise<ListPage> {
    await this.#adapter.ready()
    return this.#adapter.list(range)
  }

  async owners(): Promise<readonly OwnerRow[]> {
    await this.#adapter.ready()
    return this.#adapter.owners()
  }

  async close(): Promise<void> {
    return this.#adapter.close()
  }

  /** Upkeep, when it is due. @param present as for `maintain` */
  #keepUp(present: number): Awaitable<void> {
    const now = this.#now()
    // A clock that is set back does not delay upkeep.
    const isTime = this.#upkeepAt === undefined || Math.abs(now - this.#upkeepAt) >= this.#upkeepEveryMs
    if (!isTime && !this.#isBehind) return
    this.#upkeepAt = now
    return this.#maintain(present, UPKEEP_ROUNDS_MAX)
  }

  #maintain(present: number, rounds: number): Awaitable<void> {
    const rowsMax = this.#upkeepRowsMax
    const done = this.#transact(
      () => this.#adapter.loadUpkeep({ rowsMax, ownersKeptMs: OWNERS_KEPT_MS }),
      (rows, time) => {
        const { isBehind, writes } = maintain(rows, time, present, rowsMax)
        return { result: isBehind, writes }
      },
    )
    return andThen(done, (isBehind) => {
      this.#isBehind = isBehind
      return isBehind && rounds > 1 ? this.#maintain(present, rounds - 1) : undefined
    })
  }

  #transact<Rows, T>(
    load: () => Awaitable<Snapshot<Rows>>,
    decide: (rows: Rows, time: number) => Decided<T>,
    tries = 1,
  ): Awaitable<T> {
    return andThen(load(), (snapshot) =>
      andThen(decideOrRelease(snapshot, decide), ({ result, writes }) => {
        if (writes === null) return andThen(snapshot.release(), () => result)
        return andThen(snapshot.save(writes), (saved) => {
          if (saved) return result
          if (tries >= TRIES_MAX) throw contended()
          return this.#pause(tries).then(() => this.#transact(load, decide, tries + 1))
        })
      }),
    )
  }
}

/** After a bug or a malformed batch the locks are released. */
function decideOrRelease<Rows, T>(
  snapshot: Snapshot<Rows>,
  decide: (rows: Rows, time: number) => Decided<T>,
): Awaitable<Decided<T>> {
  try {
    return decide(snapshot.rows, snapshot.time)
  } catch (error) {
    return andThen(snapshot.release(), () => {
      throw error
    })
  }
}

/** In the same turn when `value` is not a promise. */
function andThen<A, B>(value: Awaitable<A>, work: (value: A) => Awaitable<B>): Awaitable<B> {
  return value instanceof Promise ? value.then(work) : work(value)
}

async function noPause(): Promise<void> {}

function contended(): StoreError {
  const message = `the rows were changed by others each time, ${TRIES_MAX} times in a row; the same call is sent again`
  return new StoreError('store_busy', message, { applied: 'no', transient: true })
}
