import type { Account } from '../rows/row-lease.ts'
import type { CounterState } from '../rows/counter-state.ts'
import type { Deferred } from '../runtime/deferred.ts'

/** What waits to be sent: lists of what changed, never a scan (G3). */
export class Backlog {
  #dirty: Account[] = []
  #urgent: Account[] = []
  #counters: CounterState[] = []
  /** Somebody reads one of the counters: only then are they looked through between flushes. */
  #isRead = false
  #flushes: FlushRequest[] = []
  /** Everything that is dirty goes with the next exchanges, until all of it is sent. */
  due = false

  get isEmpty(): boolean {
    return this.#dirty.length === 0 && this.#urgent.length === 0 && this.#counters.length === 0
  }

  get hasUrgent(): boolean {
    return this.#urgent.length > 0 || (this.due && !this.isEmpty) || this.#flushes.length > 0
  }

  /** A flush that somebody asked for wants every lease back. */
  get returning(): boolean {
    return this.#flushes.some((flush) => flush.returnLeases)
  }

  /** It was spent from, or a refund waits: it goes with the next flush. */
  markDirty(account: Account): void {
    if (account.dirty) return
    account.dirty = true
    this.#dirty.push(account)
    account.settleFloor()
  }

  /** It goes with the next exchange. */
  markUrgent(account: Account): void {
    if (account.urgent) return
    account.urgent = true
    this.#urgent.push(account)
  }

  markCounter(counter: CounterState): void {
    if (counter.readers.length > 0) this.#isRead = true
    if (counter.dirty) return
    counter.dirty = true
    this.#counters.push(counter)
  }

  addFlush(flush: FlushRequest): void {
    this.#flushes.push(flush)
  }

  /** Flushes that were complete once what is being sent now has been acknowledged. */
  takeFlushes(): FlushRequest[] {
    const flushes = this.#flushes
    this.#flushes = []
    return flushes
  }

  /** Hands out urgent accounts while `load` has a place for them. */
  drainUrgent(load: (account: Account) => boolean): void {
    this.#urgent = rest(this.#urgent, (account) => !account.urgent || load(account))
  }

  /** Hands out dirty accounts while `load` has a place for them. */
  drainDirty(load: (account: Account) => boolean): void {
    this.#dirty = rest(this.#dirty, (account) => !account.dirty || load(account))
  }

  /** Hands out counters: all of them when `due`, else those that somebody reads. */
  drainCounters(load: (counter: CounterState) => boolean): void {
    if (this.due) {
      this.#counters = rest(this.#counters, load)
    } else if (this.#isRead) {
      const read = this.#counters.filter((counter) => counter.readers.length > 0)
      const left = rest(read, load)
      this.#isRead = left.length > 0
      this.#counters = [...left, ...this.#counters.filter((counter) => counter.readers.length === 0)]
    }
  }
}

export interface FlushRequest {
  readonly returnLeases: boolean
  readonly reply: Deferred<void>
}

/** What is left behind the last item that `take` took. */
function rest<T>(items: T[], take: (item: T) => boolean): T[] {
  const firstLeft = items.findIndex((item) => !take(item))
  return firstLeft < 0 ? [] : items.slice(firstLeft)
}
