import type { Gate } from './gate.ts'

/** Gates looked at for each one that is added: more than one, so that eviction keeps up with growth. */
const STEPS_PER_ADD = 4

export interface EvictionOptions {
  /** Gates in memory above which idle ones are evicted. */
  readonly max: number
  /** G5: no delta, no lease, no request that waits. */
  readonly isIdle: (gate: Gate) => boolean
  /** Drops what is kept of an idle gate's rows. */
  readonly drop: (gate: Gate) => void
}

/**
 * Every gate, in a ring with a hand (the CLOCK algorithm) that evicts idle ones while there are more than `max` (L9, G5).
 * O(1) for each gate added; no list to keep on the hot path. When all are in use, the ring grows: a lease is never dropped to save memory.
 */
export class ClockEviction {
  readonly #options: EvictionOptions
  /** The gate before the hand. */
  #before: Gate | null = null
  #size = 0

  constructor(options: EvictionOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#size
  }

  add(gate: Gate): void {
    if (this.#before === null) {
      gate.ringNext = gate
    } else {
      gate.ringNext = this.#before.ringNext
      this.#before.ringNext = gate
    }
    this.#before = gate
    this.#size += 1
    for (let step = 0; step < STEPS_PER_ADD && this.#size > this.#options.max; step += 1) this.#advance(gate)
  }

  /** @param added is about to be used, although it is idle */
  #advance(added: Gate): void {
    const before = this.#before
    const gate = before?.ringNext
    if (before === null || gate === null || gate === undefined || gate === before) return
    if (gate === added || !this.#options.isIdle(gate)) {
      this.#before = gate
      return
    }
    before.ringNext = gate.ringNext
    gate.ringNext = null
    this.#options.drop(gate)
    gate.isEvicted = true
    gate.family.forget(gate)
    this.#size -= 1
  }
}
