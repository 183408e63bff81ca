import type { Answer, Batch, BudgetRow, Joined, OwnerRow, ListPage, Store } from '../../../packages/vsa/dist/index.js'
import { SharedClock } from './store-options.ts'
import type { Timeline } from './timeline.ts'
import { must } from './violation.ts'

/** The owner that calls for upkeep. */
export type Caller = Pick<Batch, 'epoch' | 'token' | 'seq'>

export type HowDown = 'refused' | 'silent'

/** Sees every transaction of the store before its answer leaves. */
export interface Auditor {
  joined(label: string, joined: Joined): Promise<void>
  exchanged(batch: Batch, answer: Answer): Promise<void>
  /** An engine called for upkeep. */
  upkept(epoch: number): Promise<void>
  /** @param isDone nothing is left of the key */
  deleted(key: string, isDone: boolean): Promise<void>
}

/** Opens the store. @param shared the same clock as `now`, for a store on a thread */
export type OpenStore = (now: () => number, shared: SharedClock) => Store

/** The store's machine: the store under test, its clock, and its outages. */
export class StoreHost {
  readonly #timeline: Timeline
  readonly #startMs: number
  readonly #open: OpenStore
  readonly #shared = new SharedClock()
  #store: Store
  #jumpedMs = 0
  /** Its clock was set in this run. */
  hasJumped = false
  #down: HowDown | null = null
  #downs = 0
  /** Calls are served one after the other, each with its audit. */
  #last: Promise<unknown> = Promise.resolve()
  auditor: Auditor | null = null
  /** When the first of the calls came that wait for the store's lock, by true time; null when none does, or it is not locked. */
  #waitingSinceMs: number | null = null
  #isLocked = false
  /** Called with every error of the store. */
  onFailure: (error: unknown) => void = () => undefined

  constructor(timeline: Timeline, startMs: number, open: OpenStore) {
    this.#timeline = timeline
    this.#startMs = startMs
    this.#open = open
    this.#store = this.#opened()
  }

  get capabilities(): Store['capabilities'] {
    return this.#store.capabilities
  }

  get down(): HowDown | null {
    return this.#down
  }

  /** Its wall clock, ms since 1970. */
  now(): number {
    return Math.floor(this.#startMs + this.#jumpedMs + this.#timeline.nowMs)
  }

  jump(ms: number): void {
    this.hasJumped = true
    this.#jumpedMs += ms
    // Calls that wait measure their wait by this clock: what they make of it is not known.
    if (this.#isLocked) this.#waitingSinceMs = Infinity
  }

  /** Another program holds the store's lock: calls wait for it. */
  locked(): void {
    this.#isLocked = true
    this.#waitingSinceMs = null
  }

  /** @returns for how long a call has waited, in ms; 0 when none did, or the clock was set meanwhile */
  unlocked(): number {
    this.#isLocked = false
    return Math.max(0, this.#timeline.nowMs - (this.#waitingSinceMs ?? Infinity))
  }

  /** The store's process dies, and restarts with its committed state. */
  fail(how: HowDown, forMs: number): void {
    this.#down = how
    const down = (this.#downs += 1)
    this.#timeline.after(forMs, () => {
      if (this.#downs === down) this.recover().catch(this.onFailure)
    })
  }

  /** A new store process opens the state of the last one. */
  async recover(): Promise<void> {
    await this.#serve(() => this.#store.close())
    this.#store = this.#opened()
    this.#down = null
  }

  join(label: string): Promise<Joined> {
    return this.#transact(async () => {
      const joined = await this.#store.join(label)
      await this.auditor?.joined(label, joined)
      return joined
    })
  }

  exchange(batch: Batch): Promise<Answer> {
    return this.#transact(async () => {
      const answer = await this.#store.exchange(batch)
      await this.auditor?.exchanged(batch, answer)
      return answer
    })
  }

  upkeep(caller: Caller): Promise<number | null> {
    return this.#transact(async () => {
      const dueInMs = (await this.#store.upkeep?.(caller)) ?? null
      await this.auditor?.upkept(caller.epoch)
      return dueInMs
    })
  }

  delete(key: string): Promise<boolean> {
    return this.#transact(async () => {
      must(this.#store.delete !== undefined, 'P6', () => 'the store cannot delete')
      const isDone = await this.#store.delete(key)
      await this.auditor?.deleted(key, isDone)
      return isDone
    })
  }

  read(names: readonly { readonly key: string; readonly period: number }[]): Promise<readonly BudgetRow[]> {
    return this.#serve(() => this.#store.read(names))
  }

  /** For the audit, within the call that it looks at. */
  list(): Promise<ListPage> {
    return this.#store.list({ limit: 10_000 })
  }

  /** For the audit, within the call that it looks at. */
  owners(): Promise<readonly OwnerRow[]> {
    return this.#store.owners()
  }

  close(): Promise<void> {
    return this.#serve(() => this.#store.close())
  }

  #opened(): Store {
    return this.#open(() => this.now(), this.#shared)
  }

  /** A call of an owner: the store learns how long it waits for the lock. It learns nothing of a close, or of a read. */
  #transact<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isLocked) this.#waitingSinceMs ??= this.#timeline.nowMs
    return this.#serve(call)
  }

  #serve<T>(call: () => Promise<T>): Promise<T> {
    const served = this.#last.then(() => {
      this.#shared.set(this.now())
      return call()
    })
    // Every failure of the store under test is reported as an error, because the file is healthy.
    this.#last = served.catch((error: unknown) => this.onFailure(error))
    // Simulated time goes on while the call waits for the lock.
    return this.#isLocked ? served : this.#timeline.during(served)
  }
}
