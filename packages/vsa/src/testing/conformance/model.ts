import type { StoreTime } from '../../core/adapter.ts'
import type { Writes } from '../../core/written-rows.ts'
import { deletionOf } from '../../core/deletion.ts'
import type { Answer, Batch } from '../../core/exchange.ts'
import { withLeap } from '../../core/leap.ts'
import { type Life, ONE_LIFE } from '../../core/life.ts'
import { maintain, OWNERS_KEPT_MS, UPKEEP_STEPS } from '../../core/maintain.ts'
import { openEpoch } from '../../core/open-epoch.ts'
import { sweep } from '../../core/reservations/sweep.ts'
import type { Caller } from '../../core/standing.ts'
import type { Joined, ListedRow } from '../../core/store.ts'
import { transition } from '../../core/transition.ts'
import { loadDeletion, loadExchange, loadSweep, loadUpkeep } from '../../stores/memory/load.ts'
import { MemoryRows } from '../../stores/memory/rows.ts'
import { save } from '../../stores/memory/save.ts'

/** No call here has more to burn or to remove. */
const BOUNDS = { leasesMax: 1_000_000, rowsMax: 1_000_000, ownersKeptMs: OWNERS_KEPT_MS } as const

/** The time of one call, and the clock of the handle. */
export type ModelTime = Pick<StoreTime, 'time' | 'clock'>

/** What every store must do: the transitions, on rows in memory, with upkeep and sweep complete before each exchange and behind each join. */
export class Model {
  readonly #rows = new MemoryRows()
  readonly #leaseTtlMs: number
  /** As the store told it with its last join. */
  #life: Life = ONE_LIFE

  constructor(leaseTtlMs: number) {
    this.#leaseTtlMs = leaseTtlMs
  }

  /** @param told as the store has made them */
  join(now: ModelTime, { token, incarnation, mayForget, frozenUntil }: Pick<Joined, 'token'> & Life): Joined {
    const at = this.#timeAt(now)
    this.#life = { incarnation, mayForget, frozenUntil }
    const joining = { token, label: 'test', leaseTtlMs: this.#leaseTtlMs }
    const { joined, writes } = openEpoch(
      { lastEpoch: this.#rows.lastEpoch, process: null },
      joining,
      at.time,
      this.#life,
    )
    this.#save(writes, at)
    this.#maintain(now, { ...joined, seq: 0 })
    return joined
  }

  exchange(batch: Batch, now: ModelTime): Answer {
    this.#maintain(now, batch)
    const at = this.#timeAt(now)
    const { answer, writes } = transition(
      loadExchange(this.#rows, batch, at.time, this.#life.mayForget),
      batch,
      at.time,
      this.#life,
    )
    this.#save(writes, at)
    return answer
  }

  /** P6: all at once. */
  delete(key: string, now: ModelTime): void {
    const at = this.#timeAt(now)
    this.#save(deletionOf(key, loadDeletion(this.#rows, key, BOUNDS.rowsMax), at).writes, at)
  }

  /** The latest time that was kept. */
  get timeSeen(): number {
    return this.#rows.timeSeen
  }

  rows(): readonly ListedRow[] {
    return this.#rows.budgets().map((budget) => ({ budget, leases: [...this.#rows.leasesOn(budget)] }))
  }

  #maintain(now: ModelTime, caller: Caller, steps = UPKEEP_STEPS, maySweep = true): void {
    const at = this.#timeAt(now)
    const call = { caller, bounds: BOUNDS, leaseTtlMs: this.#leaseTtlMs, standstillMs: 0 }
    const { writes, leadsOn, isSweepDue } = maintain(loadUpkeep(this.#rows, BOUNDS, at), at, call)
    this.#save(writes, at)
    if (leadsOn && steps > 1) return this.#maintain(now, caller, steps - 1, maySweep)
    if (isSweepDue && maySweep && this.#sweep(now)) this.#maintain(now, caller, 1, false)
  }

  /** @returns whether it had something to do */
  #sweep(now: ModelTime): boolean {
    const at = this.#timeAt(now)
    const writes = sweep(loadSweep(this.#rows, BOUNDS.rowsMax, at.time), at)
    this.#save(writes, at)
    return writes !== null
  }

  #save(writes: Writes | null, at: StoreTime): void {
    if (writes !== null) save(this.#rows, withLeap(writes, at, this.#leaseTtlMs))
  }

  /** S1 */
  #timeAt({ time, clock }: ModelTime): StoreTime {
    const { timeSeen } = this.#rows
    return { time: Math.max(Math.floor(time), timeSeen), timeSeen, clock }
  }
}
