import type {
  Answer,
  AppliedAnswer,
  Batch,
  BudgetAnswer,
  BudgetEntry,
  RowPolicy,
  Take,
} from '../../src/core/exchange.ts'
import { exchangeOn, joinOwner } from '../../src/core/housekeeping.ts'
import type { BudgetRow } from '../../src/core/ledger.ts'
import { MemoryLedger } from '../../src/stores/memory/ledger.ts'

export const LEASE_TTL_MS = 10_000

/** Books in memory with a clock that stands where a test puts it. */
export class Books {
  readonly ledger = new MemoryLedger()
  now = 1_000_000
  /** Units given back by exchanges that were applied; a replay gives nothing back. */
  refunded = 0
  readonly #seqs = new Map<number, number>()

  join(): number {
    const joining = { label: 'test', leaseTtlMs: LEASE_TTL_MS, process: null }
    return joinOwner(this.ledger, joining, this.now, () => false).epoch
  }

  /** The next batch of `epoch`, not applied yet. */
  batch(epoch: number, parts: Partial<Batch>): Batch {
    const seq = (this.#seqs.get(epoch) ?? 0) + 1
    this.#seqs.set(epoch, seq)
    return { epoch, seq, entries: [], takes: [], close: false, ...parts }
  }

  send(batch: Batch): Answer {
    const answer = exchangeOn(this.ledger, batch, this.now, () => false)
    if (answer.kind !== 'applied') return answer
    for (const entry of answer.entries) if (entry.kind === 'budget') this.refunded += entry.refunded
    return answer
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

  /** Everything that the ledger keeps, for comparing before and after. */
  everything(): unknown {
    const budgets = this.ledger.allBudgets()
    return { budgets, leases: budgets.map((row) => this.ledger.leasesOn(row)), owners: this.ledger.allOwners() }
  }

  /** Changes a row behind the back of all rules, as a damaged file would. */
  damage(key: string, change: Partial<BudgetRow>): void {
    const row = this.ledger.budget(key, 0)
    if (row === undefined) throw new Error(`no row ${key}`)
    this.ledger.saveBudget({ ...row, ...change })
  }
}

/** A budget entry that asks for nothing but what `parts` say. */
export function asking(key: string, parts: Partial<BudgetEntry> = {}): BudgetEntry {
  return { kind: 'budget', key, period: 0, known: false, spent: 0, refund: 0, hold: 0, wantMs: 0, ...parts }
}

export function seats(limit: number): RowPolicy {
  return { kind: 'initial', limit, burnMax: Number.MAX_SAFE_INTEGER, version: 1, endsAt: null, keepUntil: null }
}
