import type {
  Answer,
  AppliedAnswer,
  Batch,
  BudgetAnswer,
  BudgetEntry,
  RowPolicy,
  Take,
} from '../../src/core/exchange.ts'
import type { StoreTime } from '../../src/core/adapter.ts'
import { withLeap } from '../../src/core/leap.ts'
import { type Life, ONE_LIFE } from '../../src/core/life.ts'
import { maintain, OWNERS_KEPT_MS, type Upkeep, UPKEEP_STEPS } from '../../src/core/maintain.ts'
import { openEpoch } from '../../src/core/open-epoch.ts'
import type { BudgetRow, OwnerRow } from '../../src/core/rows.ts'
import type { Caller } from '../../src/core/standing.ts'
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
  /** How long ago the store began to stand still; 0 when it did not. */
  standstillMs = 0
  /** Units refunded by applied exchanges; a replay refunds nothing. */
  refunded = 0
  /** The store in its transactions (F1, F3). */
  life: Life = ONE_LIFE
  readonly #seqs = new Map<number, number>()

  join(): number {
    const { lastEpoch } = this.rows
    const joining = { token: tokenOf(lastEpoch + 1), label: 'test', leaseTtlMs: LEASE_TTL_MS }
    const at = this.#time
    const { joined, writes } = openEpoch({ lastEpoch, process: null }, joining, at.time, this.life)
    save(this.rows, withLeap(writes, at, LEASE_TTL_MS))
    this.#keepUp({ ...joined, seq: 0 })
    return joined.epoch
  }

  /** One upkeep. */
  maintain(epoch: number, isGone: (owner: OwnerRow) => boolean = () => false): Upkeep {
    return this.#maintain({ epoch, token: tokenOf(epoch), seq: this.rows.owner(epoch)?.seq ?? 0 }, isGone)
  }

  /** Time passes while `epoch` uses the store, so that it does not leap. */
  pass(ms: number, epoch: number): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now = Math.min(end, this.now + 1_800_000)
      this.apply(epoch, [])
    }
  }

  /** The next batch of `epoch`, not applied yet. */
  batch(epoch: number, parts: Partial<Batch>): Batch {
    const seq = (this.#seqs.get(epoch) ?? 0) + 1
    this.#seqs.set(epoch, seq)
    return {
      epoch,
      token: tokenOf(epoch),
      incarnation: this.life.incarnation,
      seq,
      entries: [],
      takes: [],
      close: false,
      ...parts,
    }
  }

  send(batch: Batch): Answer {
    this.#keepUp(batch)
    return this.exchange(batch)
  }

  /** The exchange alone, without upkeep before it. */
  exchange(batch: Batch): Answer {
    const at = this.#time
    const { answer, writes } = transition(
      loadExchange(this.rows, batch, at.time, this.life.mayForget),
      batch,
      at.time,
      this.life,
    )
    if (writes !== null) save(this.rows, withLeap(writes, at, LEASE_TTL_MS))
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

  #keepUp(caller: Caller): void {
    for (let step = 0; step < UPKEEP_STEPS && this.#maintain(caller).leadsOn; step += 1);
  }

  #maintain(caller: Caller, isGone: (owner: OwnerRow) => boolean = () => false): Upkeep {
    const bounds = { leasesMax: this.upkeepRowsMax, rowsMax: this.upkeepRowsMax, ownersKeptMs: OWNERS_KEPT_MS }
    const at = this.#time
    const loaded = loadUpkeep(this.rows, bounds, at)
    const open = loaded.open.map((one) => ({ ...one, isGone: isGone(one.owner) }))
    const call = { caller, bounds, leaseTtlMs: LEASE_TTL_MS, standstillMs: this.standstillMs }
    const upkeep = maintain({ ...loaded, open }, at, call)
    if (upkeep.writes !== null) save(this.rows, withLeap(upkeep.writes, at, LEASE_TTL_MS))
    return upkeep
  }

  /** S1 */
  get #time(): StoreTime {
    const { timeSeen } = this.rows
    return { time: Math.max(this.now, timeSeen), timeSeen, clock: this.now }
  }
}

/** Of an epoch that these books gave. */
export function tokenOf(epoch: number): string {
  return `token ${epoch}`
}

/** A budget entry with only the given parts. */
export function asking(key: string, parts: Partial<BudgetEntry> = {}): BudgetEntry {
  return { kind: 'budget', key, period: 0, known: false, spent: 0, refund: 0, hold: 0, wantMs: 0, ...parts }
}

export function seats(limit: number): RowPolicy {
  return { kind: 'initial', limit, burnMax: Number.MAX_SAFE_INTEGER, version: 1, endsAt: null, keepUntil: null }
}
