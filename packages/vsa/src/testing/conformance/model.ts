import type { Answer, Batch } from '../../core/exchange.ts'
import { maintain, OWNERS_KEPT_MS } from '../../core/maintain.ts'
import { openEpoch } from '../../core/open-epoch.ts'
import type { Joined, ListedRow } from '../../core/store.ts'
import { transition } from '../../core/transition.ts'
import { loadExchange, loadUpkeep } from '../../stores/memory/load.ts'
import { MemoryRows } from '../../stores/memory/rows.ts'
import { save } from '../../stores/memory/save.ts'

/** No call here has more to burn or to remove. */
const BOUNDS = { leasesMax: 1_000_000, rowsMax: 1_000_000, ownersKeptMs: OWNERS_KEPT_MS } as const

/** What every store must do: the transitions, on rows in memory, with upkeep complete before each exchange and behind each join. */
export class Model {
  readonly #rows = new MemoryRows()
  readonly #leaseTtlMs: number

  constructor(leaseTtlMs: number) {
    this.#leaseTtlMs = leaseTtlMs
  }

  join(now: number): Joined {
    const time = this.#timeAt(now)
    const joining = { label: 'test', leaseTtlMs: this.#leaseTtlMs }
    const { joined, writes } = openEpoch({ lastEpoch: this.#rows.lastEpoch, process: null }, joining, time)
    save(this.#rows, writes)
    this.#maintain(now, { epoch: joined.epoch, seq: 0 })
    return joined
  }

  exchange(batch: Batch, now: number): Answer {
    this.#maintain(now, batch)
    const time = this.#timeAt(now)
    const { answer, writes } = transition(loadExchange(this.#rows, batch, time), batch, time)
    if (writes !== null) save(this.#rows, writes)
    return answer
  }

  /** The latest time that was kept. */
  get timeSeen(): number {
    return this.#rows.timeSeen
  }

  rows(): readonly ListedRow[] {
    return this.#rows.budgets().map((budget) => ({ budget, leases: [...this.#rows.leasesOn(budget)] }))
  }

  #maintain(now: number, present: Pick<Batch, 'epoch' | 'seq'>): void {
    const time = this.#timeAt(now)
    const { writes, hasClosed } = maintain(loadUpkeep(this.#rows, BOUNDS, time), time, present, BOUNDS)
    if (writes !== null) save(this.#rows, writes)
    if (hasClosed) this.#maintain(now, present)
  }

  /** S1 */
  #timeAt(now: number): number {
    return Math.max(Math.floor(now), this.#rows.timeSeen)
  }
}
