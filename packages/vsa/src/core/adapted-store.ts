import type { Awaitable, DeletionRows, Exchanged, Snapshot, StoreAdapter } from './adapter.ts'
import { andThen, caught } from './awaitable.ts'
import type { Clock } from './clock.ts'
import { deletionOf } from './deletion.ts'
import type { Answer, Batch, RowName } from './exchange.ts'
import type { IntentWriter } from './intent-writer.ts'
import { maintain, OWNERS_KEPT_MS, type Upkeep, UPKEEP_STEPS } from './maintain.ts'
import { openEpoch } from './open-epoch.ts'
import { Pace } from './pace.ts'
import { isBoundReached } from './reservations/load-bound.ts'
import { sweep } from './reservations/sweep.ts'
import { SweepSize } from './reservations/sweep-size.ts'
import type { BudgetRow, OwnerRow } from './rows.ts'
import type { Caller } from './standing.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from './store.ts'
import { notApplied } from './store-failures.ts'
import { checkStoreFrom, type StoreFromOptions, type UpkeepSettings } from './store-from-options.ts'
import { Transactions } from './transactions.ts'
import { transition } from './transition.ts'

/** The most rows, reservations and mints that one transaction deletes, each. An engine repeats it between exchanges. */
const DELETED_MAX = 100
/** A sweep that had nothing to write is tried again after this long, in ms. */
const SWEEP_AGAIN_MS = 1_000

/**
 * The store that an adapter makes: see `storeFrom` of `store-from.ts`.
 * @param makeToken makes the tokens of new epochs, where the options have no source of them: a text that is never made again
 * @throws TypeError, RangeError that name the argument
 */
export function adaptedStore(adapter: StoreAdapter, options: StoreFromOptions, makeToken: () => string): Store {
  return new AdaptedStore(adapter, checkStoreFrom(adapter, options, makeToken))
}

class AdaptedStore implements Store {
  readonly capabilities: StoreCapabilities
  /** Absent where the adapter has none. */
  readonly intents?: IntentWriter
  readonly #adapter: StoreAdapter
  readonly #now: () => number
  readonly #upkeepRowsMax: number
  readonly useClock: (clock: Clock) => void
  /** Absent where the adapter cannot. */
  readonly delete?: (key: string) => Promise<boolean>
  readonly #newToken: () => string
  readonly #upkeep: Pace
  readonly #transactions: Transactions
  readonly #sweepSize: SweepSize = new SweepSize()
  #isBehind = false
  /** The last fast path found nothing for upkeep to do. */
  #isIdle = false
  readonly #mayBeIdle: boolean
  /** Budget rows made since the last upkeep. */
  #made = 0

  constructor(adapter: StoreAdapter, options: UpkeepSettings) {
    const { now, newToken, upkeepEveryMs, upkeepRowsMax, useClock, pause } = options
    this.useClock = useClock
    this.capabilities = adapter.capabilities
    this.#adapter = adapter
    this.#transactions = new Transactions(adapter, { now, pause })
    if (adapter.intents !== undefined) this.intents = this.#transactions.dropped.writer(adapter.intents)
    const loadDeletion = adapter.loadDeletion?.bind(adapter)
    if (loadDeletion !== undefined) this.delete = async (key) => this.#delete(() => loadDeletion(key, DELETED_MAX), key)
    this.#now = now
    this.#newToken = newToken
    this.#upkeep = new Pace(upkeepEveryMs)
    // With 0, upkeep precedes each call.
    this.#mayBeIdle = upkeepEveryMs > 0
    this.#upkeepRowsMax = upkeepRowsMax
  }

  async join(label: string): Promise<Joined> {
    const adapter = this.#adapter
    const joining = { token: this.#newToken(), label, leaseTtlMs: adapter.leaseTtlMs }
    const opened = andThen(this.#transactions.ready(), () =>
      this.#transactions.run(
        () => adapter.loadJoin(),
        (rows, { time }, life) => {
          const { joined, writes } = openEpoch(rows, joining, time, life)
          return { result: joined, writes }
        },
      ),
    )
    // A restarted process detects at once that its predecessor is dead (S8).
    this.#upkeep.reset()
    return andThen(opened, (joined) =>
      andThen(this.#tryUpkeep({ ...joined, seq: 0 }), (upkeepDueInMs) => ({ ...joined, upkeepDueInMs })),
    )
  }

  async exchange(batch: Batch): Promise<Answer> {
    const adapter = this.#adapter
    let made = 0
    const generalPath = (): Awaitable<Answer> =>
      this.#transactions.run(
        () => adapter.loadExchange(batch),
        (rows, { time }, life) => {
          const { answer, writes } = transition(rows, batch, time, life)
          made = writes?.budgets.filter(({ change }) => change === 'created').length ?? 0
          return { result: answer, writes }
        },
      )
    const exchange = (): Awaitable<Answer> =>
      andThen(this.#fastPath(batch), (exchanged) => {
        if (exchanged === null) return generalPath()
        made = exchanged.made
        return exchanged.answer
      })
    const upkeep = (): Awaitable<void> => notApplied(() => this.#keepUp(batch))
    const answer = andThen(this.#transactions.ready(), () => andThen(upkeep(), exchange))
    return andThen(answer, (answered) => {
      this.#made += made
      const isTold = adapter.mayForget === true && (answered.kind === 'applied' || answered.kind === 'replayed')
      return isTold ? { ...answered, mayForget: true } : answered
    })
  }

  /** Null when the general path must decide. */
  #fastPath(batch: Batch): Awaitable<Exchanged | null> {
    const adapter = this.#adapter
    if (adapter.exchangePlain === undefined) return null
    // The general path finds out by itself.
    this.#isIdle = false
    const exchanged = this.#transactions.guarded(() => adapter.exchangePlain?.(batch) ?? null)
    return andThen(exchanged, (decided) => {
      if (decided === null) return null
      this.#isIdle = this.#mayBeIdle && !decided.isUpkeepDue
      return decided
    })
  }

  async upkeep(caller: Caller): Promise<number | null> {
    // The next exchange need not do it again.
    this.#upkeep.isDue(this.#now())
    return andThen(this.#transactions.ready(), () => andThen(this.#maintainAll(caller), ({ dueInMs }) => dueInMs))
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
  async #tryUpkeep(caller: Caller): Promise<number | null> {
    try {
      return await this.upkeep(caller)
    } catch {
      this.#upkeep.reset()
      return null
    }
  }

  /** Upkeep, when it is due, or when more is to be removed than the last one did. @throws StoreError: nothing of the exchange was applied */
  #keepUp(caller: Caller): Awaitable<void> {
    if ((!this.#upkeep.isDue(this.#now()) || this.#isIdle) && !this.#isBehind) return
    return andThen(this.#maintainAll(caller), () => undefined)
  }

  #maintainAll(caller: Caller): Awaitable<Upkeep> {
    // Taken before the first await: of two calls at the same time, one has these rows to remove.
    const made = this.#made
    this.#made = 0
    return caught(
      () => this.#maintain(caller, this.#upkeepRowsMax + made),
      (error) => {
        this.#made += made
        throw error
      },
    )
  }

  /** Goes on while one transaction leads to the next. */
  #maintain(caller: Caller, rowsMax: number, steps = UPKEEP_STEPS, maySweep = true): Awaitable<Upkeep> {
    const { leaseTtlMs } = this.#adapter
    const bounds = { leasesMax: this.#upkeepRowsMax, rowsMax, ownersKeptMs: OWNERS_KEPT_MS }
    const done = this.#transactions.run(
      () => this.#adapter.loadUpkeep(bounds),
      (rows, at) => {
        const { standstillMs } = this.#transactions
        const upkeep = maintain(rows, at, { caller, bounds, leaseTtlMs, standstillMs })
        return { result: upkeep, writes: upkeep.writes }
      },
    )
    return andThen(done, (upkeep) => {
      this.#isBehind = upkeep.isBehind
      if (upkeep.leadsOn && steps > 1) return this.#maintain(caller, rowsMax, steps - 1, maySweep)
      if (!upkeep.isSweepDue || !maySweep) return upkeep
      return andThen(this.#sweep(), ({ isFull, isIdle }) => {
        // What cannot be read stays due.
        if (isIdle) return { ...upkeep, dueInMs: Math.max(upkeep.dueInMs ?? 0, SWEEP_AGAIN_MS) }
        if (!isFull) return this.#maintain(caller, rowsMax, 1, false)
        this.#isBehind = true
        return { ...upkeep, isBehind: true, dueInMs: 0 }
      })
    })
  }

  /** R3, R6. What it frees may be removed. */
  #sweep(): Awaitable<{ readonly isFull: boolean; readonly isIdle: boolean }> {
    const max = Math.min(this.#sweepSize.count, this.capabilities.batchMax)
    const startedAt = this.#now()
    const swept = this.#transactions.run(
      () => this.#adapter.loadSweep(max),
      (rows, at, { frozenUntil }) => {
        const writes = sweep(rows, at, frozenUntil > 0)
        const isFull = rows.due.length >= max || isBoundReached(rows.due)
        return { result: { isFull, isIdle: writes === null }, writes }
      },
    )
    return andThen(swept, (result) => {
      if (result.isFull) this.#sweepSize.took(this.#now() - startedAt)
      return result
    })
  }

  /** P6. @returns false where there is more */
  async #delete(load: () => Awaitable<Snapshot<DeletionRows>>, key: string): Promise<boolean> {
    return andThen(this.#transactions.ready(), () =>
      this.#transactions.run(load, (rows, at) => {
        const { writes, isDone } = deletionOf(key, rows, at)
        return { result: isDone, writes }
      }),
    )
  }
}
