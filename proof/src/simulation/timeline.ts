import { must } from './violation.ts'

/** The most events of one run, events at one moment, and turns after one event. More mean an endless loop (L8). */
const EVENTS_MAX = 200_000
const EVENTS_AT_ONCE_MAX = 5_000
const TURNS_MAX = 10_000

interface Scheduled {
  readonly atMs: number
  readonly run: () => void
}

/** Simulated time and everything that is scheduled. Nothing happens outside an event of the timeline, so a seed determines the whole run. */
export class Timeline {
  nowMs = 0
  /** Events so far. */
  events = 0
  /** Called after each event, when all promises that it started have settled. */
  afterEach: () => void = () => undefined
  /** Called before an endless loop is reported, for checks that explain it. */
  onLoop: () => void = () => undefined
  #stopped = false
  #eventsAtOnce = 0
  /** By due time; equal times in the order of creation. */
  readonly #scheduled: Scheduled[] = []
  #soon: (() => void)[] = []
  /** Calls to other threads that are under way: simulated time does not advance until they are answered. */
  #realCalls = 0
  #onIdle: () => void = () => undefined

  /** @returns cancels it */
  after(delayMs: number, run: () => void): () => void {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), run }
    this.#scheduled.splice(this.#placeFor(event.atMs), 0, event)
    return () => {
      const at = this.#scheduled.indexOf(event)
      if (at >= 0) this.#scheduled.splice(at, 1)
    }
  }

  /** Runs after the present event and the promises that it settled. */
  soon(run: () => void): void {
    this.#soon.push(run)
  }

  /** Simulated time does not advance while the call takes real time. */
  async during<T>(call: Promise<T>): Promise<T> {
    this.#realCalls += 1
    try {
      return await call
    } finally {
      this.#realCalls -= 1
      if (this.#realCalls === 0) this.#onIdle()
    }
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Lets `ms` pass; less when `done` holds before. */
  async pass(ms: number, done: () => boolean = () => false): Promise<void> {
    const endMs = this.nowMs + ms
    await this.#rest()
    while (!this.#stopped) {
      if (done()) return
      const next = this.#scheduled[0]
      if (next === undefined || next.atMs > endMs) break
      this.#scheduled.shift()
      this.#count(next.atMs)
      this.nowMs = next.atMs
      next.run()
      await this.#rest()
    }
    if (!this.#stopped) this.nowMs = endMs
  }

  /** No further event runs. */
  stop(): void {
    this.#stopped = true
  }

  #count(atMs: number): void {
    this.events += 1
    this.#eventsAtOnce = atMs > this.nowMs ? 0 : this.#eventsAtOnce + 1
    const isLoop = this.#eventsAtOnce > EVENTS_AT_ONCE_MAX || this.events > EVENTS_MAX
    if (isLoop) this.onLoop()
    must(!isLoop, 'L8', () => `still busy after ${this.events} events, ${this.#eventsAtOnce} of them at one moment`)
  }

  /** Promises first, then callbacks for the next turn, until nothing is left to do at this time. */
  async #rest(): Promise<void> {
    for (let turns = 0; ; turns += 1) {
      must(turns <= TURNS_MAX, 'L8', () => `still busy after ${TURNS_MAX} turns at one moment`)
      await this.#turn()
      const due = this.#soon
      if (due.length === 0) break
      this.#soon = []
      for (const run of due) run()
    }
    this.afterEach()
  }

  async #turn(): Promise<void> {
    await nextTurn()
    while (this.#realCalls > 0) {
      await new Promise<void>((resolve) => (this.#onIdle = resolve))
      await nextTurn()
    }
  }

  #placeFor(atMs: number): number {
    let low = 0
    let high = this.#scheduled.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const there = this.#scheduled[middle]
      if (there !== undefined && there.atMs <= atMs) low = middle + 1
      else high = middle
    }
    return low
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
