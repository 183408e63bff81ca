import type { Answer, Batch } from '../../core/exchange.ts'
import { exchangeOn, joinOwner } from '../../core/housekeeping.ts'
import type { Joined, ListedRow } from '../../core/store.ts'
import { MemoryLedger } from '../../stores/memory/ledger.ts'

const nobodyIsGone = (): boolean => false

/** What every store must do: the specification, on a ledger of its own. */
export class Model {
  readonly #ledger = new MemoryLedger()
  readonly #leaseTtlMs: number

  constructor(leaseTtlMs: number) {
    this.#leaseTtlMs = leaseTtlMs
  }

  join(now: number): Joined {
    return joinOwner(this.#ledger, { label: 'test', leaseTtlMs: this.#leaseTtlMs, process: null }, now, nobodyIsGone)
  }

  exchange(batch: Batch, now: number): Answer {
    return exchangeOn(this.#ledger, batch, now, nobodyIsGone)
  }

  /** The latest time that the books have kept. */
  get timeSeen(): number {
    return this.#ledger.timeSeen()
  }

  rows(): readonly ListedRow[] {
    return this.#ledger.allBudgets().map((budget) => ({ budget, leases: this.#ledger.leasesOn(budget) }))
  }
}
