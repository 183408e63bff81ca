import type {
  Answer,
  AppliedAnswer,
  Batch,
  BudgetAnswer,
  BudgetEntry,
  RowPolicy,
  Take,
} from '../../src/core/exchange.ts'
import { maintain, OWNERS_KEPT_MS, type Upkeep } from '../../src/core/maintain.ts'
import { openEpoch } from '../../src/core/open-epoch.ts'
import type { BudgetRow, OwnerRow } from '../../src/core/rows.ts'
import { transition } from '../../src/core/transition.ts'
import { loadExchange, loadUpkeep } from '../../src/stores/memory/load.ts'
import { MemoryRows } from '../../src/stores/memory/rows.ts'
import { save } from '../../src/stores/memory/save.ts'

export const LEASE_TTL_MS = 10_000

/** Rows in memory with a clock that only the test moves. A join and each exchange run upkeep, as `storeFrom` does. */
export class Books {
  readonly rows = new MemoryRows()
  now = 1_000_000
  /** Leases burned and rows removed by one upkeep at most, each. */
  upkeepRowsMax = 2_000
  /** Units refunded by applied exchanges; a replay refunds nothing. */
  refunded = 0
  readonly #seqs = new Map<number, number>()

  join(): number {
    const rows = { lastEpoch: this.rows.lastEpoch, process: null }
    const { joined, writes } = openEpoch(rows, { label: 'test', leaseTtlMs: LEASE_TTL_MS }, this.#time)
    save(this.rows, writes)
    this.#keepUp({ epoch: joined.epoch, seq: 0 })
    return joined.epoch
  }

  /** One upkeep. */
  maintain(epoch: number, isGone: (owner: OwnerRow) => boolean = () => false): Upkeep {
    return this.#maintain({ epoch, seq: this.rows.owner(epoch)?.seq ?? 0 }, isGone)
  }

  /** The next batch of `epoch`, not applied yet. */
  batch(epoch: number, parts: Partial<Batch>): Batch {
    const seq = (this.#seqs.get(epoch) ?? 0) + 1
    this.#seqs.set(epoch, seq)
    return { epoch, seq, entries: [], takes: [], close: false, ...parts }
  }

  send(batch: Batch): Answer {
    this.#keepUp(batch)
    return this.exchange(batch)
  }

  /** The exchange alone, without upkeep before it. */
  exchange(batch: Batch): Answer {
    const { answer, writes } = transition(loadExchange(this.rows, batch, this.#time), batch, this.#time)
    if (writes !== null) save(this.rows, writes)
    if (answer.kind !== 'applied') return answer
    for (const entry of answer.entries) if (entry.kind === 'budget') this.refunded += entry.refunded
    return answer
  }

  budget(key: string, period = 0): BudgetRow | undefined {
    return this.rows.budget({ key, period })
  }

  /** Units that all leases on the row hold together. */
  held(key: string, period = 0): number {
    return [...this.rows.leasesOn({ key, period })].reduce((sum, lease) => sum + lease.held, 0)
  }

  /** Sends the next batch of `epoch`, which must be applied. */
  apply(epoch: number, entries: readonly BudgetEntry[], takes: readonly Take[] = []): AppliedAnswer {
    const answer = this.send(this.batch(epoch, { entries, takes }))
    if (answer.kind !== 'applied') throw new Error(`not applied: ${JSON.stringify(answer)}`)
    return answer
  }

  /** Sends one entry, which must be applied and find its row. */
  row(epoch: number, entry: BudgetEntry): BudgetAnswer {
    const [answer] = this.apply(epoch, [entry]).entries
    if (answer?.kind !== 'budget') throw new Error(`no row: ${JSON.stringify(answer)}`)
    return answer
  }

  /** Every row, for comparing before and after. */
  everything(): unknown {
    const budgets = this.rows.budgets()
    return { budgets, leases: budgets.map((row) => [...this.rows.leasesOn(row)]), owners: this.rows.owners() }
  }

  /** Changes a row directly, as in a damaged file. */
  damage(key: string, change: Partial<BudgetRow>): void {
    const row = this.budget(key)
    if (row === undefined) throw new Error(`no row ${key}`)
    this.rows.saveBudget({ ...row, ...change })
  }

  #keepUp(present: Pick<Batch, 'epoch' | 'seq'>): void {
    if (this.#maintain(present).hasClosed) this.#maintain(present)
  }

  #maintain(present: Pick<Batch, 'epoch' | 'seq'>, isGone: (owner: OwnerRow) => boolean = () => false): Upkeep {
    const bounds = { leasesMax: this.upkeepRowsMax, rowsMax: this.upkeepRowsMax, ownersKeptMs: OWNERS_KEPT_MS }
    const loaded = loadUpkeep(this.rows, bounds, this.#time)
    const open = loaded.open.map(({ owner }) => ({ owner, isGone: isGone(owner) }))
    const upkeep = maintain({ ...loaded, open }, this.#time, present, bounds)
    if (upkeep.writes !== null) save(this.rows, upkeep.writes)
    return upkeep
  }

  /** S1 */
  get #time(): number {
    return Math.max(this.now, this.rows.timeSeen)
  }
}

/** A budget entry with only the given parts. */
export function asking(key: string, parts: Partial<BudgetEntry> = {}): BudgetEntry {
  return { kind: 'budget', key, period: 0, known: false, spent: 0, refund: 0, hold: 0, wantMs: 0, ...parts }
}

export function seats(limit: number): RowPolicy {
  return { kind: 'initial', limit, burnMax: Number.MAX_SAFE_INTEGER, version: 1, endsAt: null, keepUntil: null }
}
