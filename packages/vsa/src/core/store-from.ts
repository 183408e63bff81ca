import type { Awaitable, Snapshot, StoreAdapter, UpkeepBounds, Writes } from './adapter.ts'
import type { Clock } from './clock.ts'
import { invariant, StoreError } from './errors.ts'
import type { Answer, Batch, RowName } from './exchange.ts'
import { maintain, OWNERS_KEPT_MS } from './maintain.ts'
import { openEpoch } from './open-epoch.ts'
import { Pace } from './pace.ts'
import type { BudgetRow, OwnerRow } from './rows.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from './store.ts'
import { checkStoreFrom, type StoreFromOptions, type UpkeepSettings } from './store-from-options.ts'
import { transition } from './transition.ts'

/** The most attempts of a transaction after version conflicts. */
const TRIES_MAX = 100

/**
 * Makes a store out of an adapter: load, transition, save, with a retry on a version conflict. Upkeep is a separate transaction: after each
 * join, before an exchange when it is due, and before each exchange while more work is left than one upkeep does.
 * @throws TypeError, RangeError that name the argument
 */
export function storeFrom(adapter: StoreAdapter, options: StoreFromOptions): Store {
  return new AdaptedStore(adapter, checkStoreFrom(adapter, options))
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
  readonly #upkeepRowsMax: number
  readonly useClock: (clock: Clock) => void
  readonly #pause: (tries: number) => Promise<void>
  readonly #upkeep: Pace
  #isBehind = false
  /** Budget rows made since the last upkeep. */
  #made = 0

  constructor(adapter: StoreAdapter, options: UpkeepSettings) {
    const { now, upkeepEveryMs, upkeepRowsMax, useClock, pause } = options
    this.useClock = useClock
    this.capabilities = adapter.capabilities
    this.#adapter = adapter
    this.#now = now
    this.#upkeep = new Pace(upkeepEveryMs)
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
    this.#upkeep.reset()
    return andThen(opened, (joined) => andThen(this.#tryUpkeep(joined.epoch), () => joined))
  }

  async exchange(batch: Batch): Promise<Answer> {
    const adapter = this.#adapter
    let made = 0
    const exchange = (): Awaitable<Answer> =>
      this.#transact(
        () => adapter.loadExchange(batch),
        (rows, time) => {
          const { answer, writes } = transition(rows, batch, time)
          made = writes?.budgets.filter(({ change }) => change === 'created').length ?? 0
          return { result: answer, writes }
        },
      )
    const upkeep = (): Awaitable<void> => notApplied(() => this.#keepUp(batch))
    const answer = andThen(adapter.ready(), () => andThen(upkeep(), exchange))
    return andThen(answer, (answered) => {
      this.#made += made
      return answered
    })
  }

  async read(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    return andThen(this.#adapter.ready(), () => this.#adapter.read(names))
  }

  async list(range: ListRange): Promise<ListPage> {
    return andThen(this.#adapter.ready(), () => this.#adapter.list(range))
  }

  async owners(): Promise<readonly OwnerRow[]> {
    return andThen(this.#adapter.ready(), () => this.#adapter.owners())
  }

  async close(): Promise<void> {
    return this.#adapter.close()
  }

  /** The epoch is open and durable: upkeep that fails must not make the join fail. The next exchange tries it again. */
  async #tryUpkeep(epoch: number): Promise<void> {
    try {
      await this.#keepUp({ epoch, seq: 0 })
    } catch {
      this.#upkeep.reset()
    }
  }

  /** Upkeep, when it is due, or when more is to be removed than the last one did. @throws StoreError: nothing of the exchange was applied */
  #keepUp(present: Pick<Batch, 'epoch' | 'seq'>): Awaitable<void> {
    if (!this.#upkeep.isDue(this.#now()) && !this.#isBehind) return
    const bounds = {
      leasesMax: this.#upkeepRowsMax,
      rowsMax: this.#upkeepRowsMax + this.#made,
      ownersKeptMs: OWNERS_KEPT_MS,
    }
    this.#made = 0
    // Epochs that were closed have leases, which the second call burns.
    return andThen(this.#maintain(present, bounds), (hasClosed) =>
      hasClosed ? andThen(this.#maintain(present, bounds), () => undefined) : undefined,
    )
  }

  /** @returns whether epochs were closed */
  #maintain(present: Pick<Batch, 'epoch' | 'seq'>, bounds: UpkeepBounds): Awaitable<boolean> {
    const done = this.#transact(
      () => this.#adapter.loadUpkeep(bounds),
      (rows, time) => {
        const upkeep = maintain(rows, time, present, bounds)
        return { result: upkeep, writes: upkeep.writes }
      },
    )
    return andThen(done, ({ hasClosed, isBehind }) => {
      this.#isBehind = isBehind
      return hasClosed
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
          invariant(typeof saved === 'boolean', 'save answers whether it saved')
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

/** Upkeep failed before the exchange began, which was surely not applied. */
function notApplied(upkeep: () => Awaitable<void>): Awaitable<void> {
  const fail = (error: unknown): never => {
    if (!(error instanceof StoreError)) throw error
    const { code, message, transient } = error
    throw new StoreError(code, message, { applied: 'no', transient, cause: error })
  }
  try {
    const done = upkeep()
    return isPromise(done) ? done.catch(fail) : done
  } catch (error) {
    return fail(error)
  }
}

/** In the same turn when `value` is not a promise. */
function andThen<A, B>(value: Awaitable<A>, work: (value: A) => Awaitable<B>): Awaitable<B> {
  return isPromise(value) ? Promise.resolve(value).then(work) : work(value)
}

/** Also one of another realm or library, which is no instance of this `Promise`. */
function isPromise<A>(value: Awaitable<A>): value is Promise<A> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function contended(): StoreError {
  const message = `the rows were changed by others each time, ${TRIES_MAX} times in a row; the same call is sent again`
  return new StoreError('store_busy', message, { applied: 'no', transient: true })
}
