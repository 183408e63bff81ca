import type { Trace } from '../workloads/trace.ts'
import type { Ledger } from './ledger.ts'
import type { Steps } from './steps.ts'

/** A turn of the event loop comes after this, as in a server under full load. */
const SLICE_MS = 1
const STEPS_BETWEEN_LOOKS = 1_024
const LATER_BETWEEN_LOOKS = 64

/**
 * Keeps that many operations under way: each that is done makes place for the next one of the trace. Operations that are decided at once follow each other,
 * with a turn of the event loop after each slice.
 */
export class ClosedLoop {
  readonly #steps: Steps
  readonly #trace: Trace
  readonly #ledger: Ledger
  #cursor = 0
  #looks = 0
  #sliceEndsAtMs = 0
  #underWay = 0
  #callers = 0
  #isOver = true
  #isYielding = false
  #deniedBefore = 0
  #finish: () => void = () => undefined
  #fail: (error: unknown) => void = () => undefined

  constructor(steps: Steps, trace: Trace, ledger: Ledger) {
    this.#steps = steps
    this.#trace = trace
    this.#ledger = ledger
  }

  /** Resolves when the time is over, or the keys, or the stock, and everything is answered. @param seconds at most @returns the seconds that it took */
  async run(callers: number, seconds: number): Promise<number> {
    const startedAtMs = performance.now()
    this.#callers = callers
    this.#deniedBefore = this.#ledger.denied
    const timer = setTimeout(() => (this.#isOver = true), seconds * 1_000)
    this.#isOver = false
    await new Promise<void>((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
      this.#pump()
    })
    clearTimeout(timer)
    return (performance.now() - startedAtMs) / 1_000
  }

  #pump(): void {
    const { length, workload } = this.#trace
    while (!this.#isOver && this.#underWay < this.#callers) {
      const { next, later } = this.#steps(this.#cursor, Math.min(length, this.#cursor + STEPS_BETWEEN_LOOKS))
      this.#cursor = next === length ? 0 : next
      if (next === length && workload.ends === 'each-once') this.#isOver = true
      if (this.#isSoldOut()) this.#isOver = true
      if (later !== undefined) this.#wait(later)
      this.#looks += 1
      // Also where it is called by a promise: promises that resolve each other would keep the event loop from its next turn.
      if ((later === undefined || this.#looks % LATER_BETWEEN_LOOKS === 0) && performance.now() >= this.#sliceEndsAtMs)
        return this.#yield()
    }
    if (this.#isOver && this.#underWay === 0) this.#finish()
  }

  #wait(later: Promise<unknown>): void {
    this.#underWay += 1
    later.then(() => {
      this.#underWay -= 1
      if (this.#isSoldOut()) this.#isOver = true
      if (!this.#isYielding) this.#pump()
    }, this.#fail)
  }

  #yield(): void {
    this.#isYielding = true
    setImmediate(() => {
      this.#isYielding = false
      this.#sliceEndsAtMs = performance.now() + SLICE_MS
      this.#pump()
    })
  }

  #isSoldOut(): boolean {
    return this.#trace.workload.ends === 'sold-out' && this.#ledger.denied > this.#deniedBefore
  }
}
