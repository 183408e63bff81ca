import type { Awaitable, Snapshot, StoreAdapter, StoreTime } from './adapter.ts'
import { andThen, caught } from './awaitable.ts'
import { DroppedIntents } from './dropped-intents.ts'
import { invariant, StoreError } from './errors.ts'
import { withLeap } from './leap.ts'
import { type Life, lifeAt, withLife } from './life.ts'
import { Standstill } from './standstill.ts'
import { contended, TRIES_MAX } from './store-failures.ts'
import type { UpkeepSettings } from './store-from-options.ts'
import type { Writes } from './written-rows.ts'

export interface Decided<T> {
  readonly result: T
  /** Null when nothing is to be written. */
  readonly writes: Writes | null
}

export type Decide<Rows, T> = (rows: Rows, at: StoreTime, life: Life) => Decided<T>

/** The calls of an adapter: loads, decisions and saves, each again after a version conflict; and how long the store stands still for this handle (S8). */
export class Transactions {
  /** T1 */
  readonly dropped: DroppedIntents = new DroppedIntents()
  readonly #adapter: StoreAdapter
  readonly #now: () => number
  readonly #pause: (tries: number) => Promise<void>
  readonly #standstill: Standstill

  constructor(adapter: StoreAdapter, { now, pause }: Pick<UpkeepSettings, 'now' | 'pause'>) {
    this.#adapter = adapter
    this.#now = now
    this.#pause = pause
    this.#standstill = new Standstill(adapter.leaseTtlMs)
  }

  /** S8 */
  get standstillMs(): number {
    return this.#standstill.ageMs(this.#now())
  }

  ready(): Awaitable<void> {
    const startedAt = this.#now()
    return caught(
      () => this.#adapter.ready(),
      (error) => this.#failed(error, startedAt),
    )
  }

  /** One call that decides by itself; null where it decided nothing. */
  guarded<T extends StoreTime>(call: () => Awaitable<T | null>): Awaitable<T | null> {
    const startedAt = this.#now()
    const called = caught(call, (error) => this.#failed(error, startedAt))
    return andThen(called, (decided) => {
      if (decided !== null) this.#standstill.ended(startedAt, this.#now(), decided.time - decided.timeSeen)
      return decided
    })
  }

  run<Rows, T>(load: () => Awaitable<Snapshot<Rows>>, decide: Decide<Rows, T>, tries = 1): Awaitable<T> {
    const startedAt = this.#now()
    const work = (): Awaitable<T> =>
      andThen(load(), (snapshot) => {
        this.#standstill.ended(startedAt, this.#now(), snapshot.time - snapshot.timeSeen)
        const { leaseTtlMs } = this.#adapter
        const life = lifeAt(snapshot.life, snapshot.time, leaseTtlMs)
        return andThen(decideOrRelease(snapshot, life, decide), ({ result, writes }) => {
          if (writes === null) return andThen(snapshot.release(), () => result)
          const complete = withLife(withLeap(writes, snapshot, leaseTtlMs), snapshot.life, life)
          return andThen(snapshot.save(complete), (saved) => {
            invariant(typeof saved === 'boolean', 'save answers whether it saved')
            if (saved) {
              this.dropped.saved(complete)
              return result
            }
            if (tries >= TRIES_MAX) throw contended()
            return this.#pause(tries).then(() => this.run(load, decide, tries + 1))
          })
        })
      })
    return caught(work, (error) => this.#failed(error, startedAt))
  }

  /** The store did not do what it was called for: it stands still for this handle (S8). A bug says nothing about the store. */
  #failed(error: unknown, startedAt: number): never {
    if (error instanceof StoreError) this.#standstill.failed(startedAt)
    throw error
  }
}

/** After a bug or a malformed batch the locks are released. */
function decideOrRelease<Rows, T>(
  snapshot: Snapshot<Rows>,
  life: Life,
  decide: Decide<Rows, T>,
): Awaitable<Decided<T>> {
  try {
    return decide(snapshot.rows, snapshot, life)
  } catch (error) {
    return andThen(snapshot.release(), () => {
      throw error
    })
  }
}
