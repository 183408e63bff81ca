import type { Mint, RowName, Written } from './exchange.ts'
import type { BudgetRow, Ledger, LeaseTotals } from './ledger.ts'
import { isUnits } from './units.ts'

/** The books of one row do not add up: a bug in somebody, or a damaged store. Nothing was written (S6). */
export class BooksError extends Error {
  override readonly name: string = 'BooksError'
  readonly row: RowName

  constructor(row: RowName, detail: string) {
    super(`the books of budget ${JSON.stringify(row.key)}, period ${row.period}, do not balance: ${detail}`)
    this.row = row
  }
}

/** One budget row and this epoch's lease on it, being changed by one exchange; written only when all of the exchange has succeeded. */
export class RowDraft {
  minted: number
  used: number
  pool: number
  held: number
  limit: number
  burnMax: number
  version: number
  wantedUntil: number
  keepUntil: number | null
  readonly #before: BudgetRow
  readonly #leasesBefore: LeaseTotals
  readonly #epoch: number
  readonly #created: boolean
  #mint: Mint | undefined

  constructor(row: BudgetRow, leases: LeaseTotals, epoch: number, created: boolean) {
    this.minted = row.minted
    this.used = row.used
    this.pool = row.pool
    this.limit = row.limit
    this.burnMax = row.burnMax
    this.version = row.version
    this.wantedUntil = row.wantedUntil
    this.keepUntil = row.keepUntil
    this.held = leases.held
    this.#before = row
    this.#leasesBefore = leases
    this.#epoch = epoch
    this.#created = created
    this.assertBalanced()
  }

  get kind(): BudgetRow['kind'] {
    return this.#before.kind
  }

  get burned(): number {
    return this.#before.burned
  }

  /** As the row's leases will be once this draft is written. */
  leases(): LeaseTotals {
    return { ...this.#leasesBefore, held: this.held }
  }

  /** L2 for this row, and every amount in its range. Checked as read and again before it is written. */
  assertBalanced(): void {
    const { othersHeld } = this.#leasesBefore
    this.require(isUnits(this.minted), `minted is ${this.minted}`)
    this.require(isUnits(this.used), `used is ${this.used}`)
    this.require(isUnits(this.burned), `burned is ${this.burned}`)
    this.require(isUnits(this.held) && isUnits(othersHeld), `leases are ${this.held} and ${othersHeld}`)
    this.require(Number.isSafeInteger(this.pool), `pool is ${this.pool}`)
    // Subtracted from minted one by one: a sum of several could leave the safe integers, a difference of units cannot.
    const rest = this.minted - this.used - this.burned - this.held - othersHeld
    this.require(
      rest === this.pool,
      `minted ${this.minted} is not used ${this.used} + pool ${this.pool} + burned ${this.burned} + held ${this.held} + ${othersHeld}`,
    )
  }

  /** @throws BooksError unless `condition` */
  require(condition: boolean, detail: string): void {
    if (!condition) throw new BooksError({ key: this.#before.key, period: this.#before.period }, detail)
  }

  /** The mint that made `minted` and `pool` grow: its id is written with them. */
  addMint(mint: Mint): void {
    this.#mint = mint
  }

  /** Writes what changed, and says how many rows that was (L7). */
  save(ledger: Ledger): Written {
    const before = this.#before
    // The limit, `burnMax` and `keepUntil` change with the version, never without it.
    const unitsChanged = this.used !== before.used || this.minted !== before.minted || this.version !== before.version
    // A row that is made to be leased from has no news of units.
    const moved = this.#created || this.pool !== before.pool || this.wantedUntil !== before.wantedUntil
    if (unitsChanged || moved) {
      const { minted, used, pool, limit, burnMax, version, wantedUntil, keepUntil } = this
      ledger.saveBudget({ ...before, minted, used, pool, limit, burnMax, version, wantedUntil, keepUntil })
    }
    if (this.#mint !== undefined) ledger.saveMint(before.key, this.#mint.id, this.#mint.units)
    const leaseMoved = this.held !== this.#leasesBefore.held
    if (leaseMoved) ledger.saveLease({ key: before.key, period: before.period, epoch: this.#epoch, held: this.held })
    return { records: unitsChanged ? 1 : 0, leaseRecords: (leaseMoved ? 1 : 0) + (moved && !unitsChanged ? 1 : 0) }
  }
}
