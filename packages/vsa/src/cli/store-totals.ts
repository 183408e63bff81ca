import type { InspectedRow, UnreadableRow } from '../core/inspection.ts'
import { type TrialBalance, trialBalance } from '../core/trial-balance.ts'
import { inspecting, type RowVisitor, visitRows } from './store-reader.ts'
import type { StorePlace } from './stores/store-place.ts'

/** The sums over the rows of a store, in units. */
export interface StoreTotals {
  readonly rows: number
  readonly minted: number
  readonly used: number
  /** Set aside by reservations. */
  readonly reserved: number
  readonly pool: number
  readonly burned: number
  /** In leases. */
  readonly leased: number
  /** Rows that do not balance. */
  readonly faulty: readonly FaultyRow[]
  /** Rows that are in no sum. */
  readonly unreadable: readonly UnreadableRow[]
}

/** Whether every row can be read and balances. */
export function isBalanced({ faulty, unreadable }: StoreTotals): boolean {
  return faulty.length === 0 && unreadable.length === 0
}

/** A row that does not balance. In the words of the command line, a row's leases are `leased`. */
export interface FaultyRow extends Omit<TrialBalance, 'held'> {
  readonly leased: number
  /** The end of the row's period, ms since 1970; null without windows. */
  readonly endsAt: number | null
}

/** Adds up rows, and checks the trial balance and what is reserved (R2) of each. */
export class RowTotals implements RowVisitor {
  readonly #sum = { rows: 0, minted: 0, used: 0, reserved: 0, pool: 0, burned: 0, leased: 0 }
  readonly #faulty: FaultyRow[] = []
  readonly #unreadable: UnreadableRow[] = []

  row(row: InspectedRow): void {
    const { held: leased, ...balance } = trialBalance(row)
    const faults = [...balance.faults, ...reservedFaults(row), ...(row.faults ?? [])]
    const sum = this.#sum
    sum.rows++
    sum.minted += balance.minted
    sum.used += balance.used
    sum.reserved += balance.reserved
    sum.pool += balance.pool
    sum.burned += balance.burned
    sum.leased += leased
    if (faults.length > 0) this.#faulty.push({ ...balance, faults, leased, endsAt: row.budget.endsAt })
  }

  unreadable(row: UnreadableRow): void {
    this.#unreadable.push(row)
  }

  get totals(): StoreTotals {
    return { ...this.#sum, faulty: [...this.#faulty], unreadable: [...this.#unreadable] }
  }
}

/** R2 */
function reservedFaults({ budget: { reserved }, charged = reserved }: InspectedRow): readonly string[] {
  return charged === reserved ? [] : [`reserved is ${reserved}, and its reservations have ${charged}`]
}

/** Adds up the rows whose key `includes` accepts, and checks the trial balance of each. Default: every row. */
export function readTotals(place: StorePlace, includes: (key: string) => boolean = () => true): Promise<StoreTotals> {
  return inspecting(place, async (inspection) => {
    const sum = new RowTotals()
    await visitRows(inspection, {
      row: (row) => (includes(row.budget.key) ? sum.row(row) : undefined),
      unreadable: (row) => (includes(row.key) ? sum.unreadable(row) : undefined),
    })
    return sum.totals
  })
}
