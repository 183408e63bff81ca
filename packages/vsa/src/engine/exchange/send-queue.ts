import type { CounterState } from '../budget/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { CallList } from '../runtime/call-list.ts'
import type { Deferred } from '../runtime/deferred.ts'

/** `stats()` looks at no more rows than this, so that it takes the same time for any number. */
const LOOKED_AT_MAX = 256

/** What waits to be sent: lists of what changed, never a scan (G3). */
export class SendQueue {
  #dirty: LeasedRow[] = []
  #urgent: LeasedRow[] = []
  #counters: CounterState[] = []
  /** One of the counters is read: only then are they looked through between flushes. */
  #isRead = false
  readonly #flushes = new CallList<FlushRequest>(({ reply }) => reply.settled)
  /** Everything that is dirty goes with the next exchanges, until all of it is sent. */
  due = false

  get isEmpty(): boolean {
    return this.#dirty.length === 0 && this.#urgent.length === 0 && this.#counters.length === 0
  }

  /** Rows and counters that wait to be sent; a row may count twice. */
  get size(): number {
    return this.#dirty.length + this.#urgent.length + this.#counters.length
  }

  get hasUrgent(): boolean {
    return this.#urgent.length > 0 || (this.due && !this.isEmpty) || this.#flushes.length > 0
  }

  /** Spent from leases and not sent yet: every row that was spent from is dirty (G1). 0 where those are too many to be looked at. */
  get unsentUnits(): number {
    if (this.#dirty.length > LOOKED_AT_MAX) return 0
    let units = 0
    for (const { lease } of this.#dirty) units += lease.spentSince
    return units
  }

  /** A caller's flush wants every lease given back. */
  get returning(): boolean {
    return this.#flushes.some((flush) => flush.returnLeases)
  }

  /** Nothing is sent any more, and what was spent is counted elsewhere. */
  abandon(): void {
    this.#dirty = []
  }

  /** The row was spent from, or a refund waits: it goes with the next flush. */
  markDirty(row: LeasedRow): void {
    if (row.lease.isDirty) return
    row.lease.isDirty = true
    if (!row.isListed) this.#dirty.push(row)
    row.isListed = true
    row.lease.settleFloor()
  }

  /** The row goes with the next exchange. */
  markUrgent(row: LeasedRow): void {
    if (row.schedule.isUrgent) return
    row.schedule.urge()
    this.#urgent.push(row)
  }

  markCounter(counter: CounterState): void {
    if (counter.readers.length > 0) this.#isRead = true
    if (counter.dirty) return
    counter.dirty = true
    this.#counters.push(counter)
  }

  addFlush(flush: FlushRequest): void {
    this.#flushes.add(flush)
  }

  /** Flushes that will be complete once what is being sent now has been acknowledged. */
  takeFlushes(): FlushRequest[] {
    return this.#flushes.takeAll()
  }

  /** Hands out urgent rows while `load` has a place for them. */
  drainUrgent(load: (row: LeasedRow) => boolean): void {
    this.#urgent = rest(this.#urgent, (row) => !row.schedule.isUrgent || load(row))
  }

  /** Hands out dirty rows while `load` has a place for them. */
  drainDirty(load: (row: LeasedRow) => boolean): void {
    this.#dirty = rest(this.#dirty, (row) => {
      if (row.lease.isDirty && !load(row)) return false
      row.isListed = false
      return true
    })
  }

  /** Hands out counters: all of them when `due`, else those that are read. */
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

/** The items from the first one that `take` refused. */
function rest<T>(items: T[], take: (item: T) => boolean): T[] {
  const firstLeft = items.findIndex((item) => !take(item))
  return firstLeft < 0 ? [] : items.slice(firstLeft)
}
