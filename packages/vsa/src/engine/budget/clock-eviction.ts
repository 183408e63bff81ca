import type { Accounts } from '../rows/lease-table.ts'
import type { Gate } from './gate.ts'

/** Gates looked at for each one that is added: more than one, so that the hand outruns growth. */
const STEPS_PER_ADD = 4

/**
 * Every gate, in a ring with a hand that evicts idle ones while there are more than `max` (L9, G5). O(1) for each gate added;
 * no list to keep on the hot path. When all are in use, the ring grows: a lease is never dropped for memory's sake.
 */
export class Ring {
  readonly #max: number
  readonly #accounts: Pick<Accounts, 'isAhead' | 'dropIfIdle'>
  /** The gate before the hand. */
  #before: Gate | null = null
  #size = 0

  constructor(max: number, accounts: Pick<Accounts, 'isAhead' | 'dropIfIdle'>) {
    this.#max = max
    this.#accounts = accounts
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
    for (let step = 0; step < STEPS_PER_ADD && this.#size > this.#max; step += 1) this.#advance(gate)
  }

  /** @param added is about to be used, idle as it looks */
  #advance(added: Gate): void {
    const before = this.#before
    const gate = before?.ringNext
    if (before === null || gate === null || gate === undefined || gate === before) return
    if (gate === added || !isIdle(gate)) {
      this.#before = gate
      return
    }
    if (gate.account !== null && this.#accounts.isAhead(gate.account)) {
      this.#before = gate
      return
    }
    before.ringNext = gate.ringNext
    gate.ringNext = null
    if (gate.account !== null) this.#accounts.dropIfIdle(gate.account)
    gate.evicted = true
    gate.family.forget(gate)
    this.#size -= 1
  }
}

/** G5: no delta, no lease, no waiter. */
function isIdle(gate: Gate): boolean {
  return gate.upcoming === null && (gate.account === null || gate.account.idle)
}
