import type { LoadedBudget } from './adapter.ts'
import type { BudgetWrite } from './written-rows.ts'
import type { BreachedRow, Mint, MintOutcome, RowPolicy } from './exchange.ts'
import type { BudgetRow, LeaseRow } from './rows.ts'
import { areLeaseSums } from './lease-sums.ts'
import { isUnits, UNITS_MAX } from './units.ts'

/** When leases move. */
export interface HoldTime {
  /** Store time, ms since 1970. */
  readonly time: number
  /** F3: the store grants nothing now. */
  readonly isFrozen: boolean
}

/** One row does not balance: a bug, or a damaged store. Nothing was written (S6). */
export class BooksError extends Error {
  override readonly name: string = 'BooksError'
  readonly row: BreachedRow

  constructor(row: BreachedRow, detail: string) {
    const what = `${JSON.stringify(row.key)}, period ${row.period}, do not balance`
    super(row.isCounter ? `counter ${JSON.stringify(row.key)}: ${detail}` : `the books of budget ${what}: ${detail}`)
    this.row = row
  }
}

/**
 * One budget row and this epoch's lease on it, being changed by one exchange (S3). Every change moves units from one place to another,
 * so `minted = used + reserved + pool + burned + held + othersHeld` stays true; it is checked as loaded and again before it is written (L2).
 */
export class RowDraft {
  minted: number
  used: number
  reserved: number
  pool: number
  /** Includes the leases of closed epochs: the first exchange that names the row burns them (S8). */
  burned: number
  held: number
  limit: number
  burnMax: number
  version: number
  resets: number
  wantedUntil: number
  keepUntil: number | null
  readonly others: number
  readonly othersHeld: number
  readonly #before: BudgetRow
  readonly #loaded: LoadedBudget
  readonly #created: boolean

  constructor(before: BudgetRow, loaded: LoadedBudget) {
    this.minted = before.minted
    this.used = before.used
    this.reserved = before.reserved
    this.pool = before.pool
    this.burned = before.burned
    for (const lease of loaded.ended) this.burned += lease.held
    this.held = loaded.held
    this.limit = before.limit
    this.burnMax = before.burnMax
    this.version = before.version
    this.resets = before.resets
    this.wantedUntil = before.wantedUntil
    this.keepUntil = before.keepUntil
    this.others = loaded.others
    this.othersHeld = loaded.othersHeld
    this.#before = before
    this.#loaded = loaded
    this.#created = loaded.row === undefined
    this.assertBalanced()
  }

  get kind(): BudgetRow['kind'] {
    return this.#before.kind
  }

  get key(): string {
    return this.#before.key
  }

  get period(): number {
    return this.#before.period
  }

  /** This exchange creates the row. */
  get isNew(): boolean {
    return this.#created
  }

  /** S3, policy: a higher version changes the limit; minted and pool move by the difference. */
  adopt({ version, limit, burnMax, endsAt, keepUntil }: RowPolicy): void {
    // P3: another `per`, whose period begins at the same time, is not about this row.
    if (version <= this.version || endsAt !== this.#before.endsAt) return
    const difference = limit - this.limit
    this.minted += difference
    this.pool += difference
    this.limit = limit
    this.burnMax = burnMax
    this.version = version
    // A longer retention applies at once. A shorter one never removes a row earlier than an earlier policy allowed.
    if (this.keepUntil !== null && keepUntil !== null) this.keepUntil = Math.max(this.keepUntil, keepUntil)
  }

  /** S3, mint: once per id, for ever. @param before units minted before under the id */
  mint({ units }: Pick<Mint, 'units'>, before: number | undefined = this.#loaded.mintedBefore): MintOutcome {
    if (before !== undefined) return before === units ? 'repeated' : 'id_conflict'
    if (!isUnits(units) || units > UNITS_MAX - this.minted) return 'units_overflow'
    this.minted += units
    this.pool += units
    return 'minted'
  }

  /**
   * F5: an owner was answered that `gone` units were not in the pool. What this row lacks of that was forgotten, and may have been admitted: it is
   * burned, from the pool, which may become negative. A maximum, so that it may be repeated; unmoved by mints and limits that come again.
   */
  restate(gone: number): void {
    if (isNoUnits(gone)) this.#refuse(`gone is ${gone}`)
    const lack = Math.max(0, gone - (this.minted - this.pool))
    this.burned += lack
    this.pool -= lack
  }

  /** S3, spent: units of the lease that were admitted. */
  spend(units: number): void {
    if (isNoUnits(units) || units > this.held) this.#refuse(`spent ${units} of a lease of ${this.held}`)
    this.held -= units
    this.used += units
  }

  /** S3, refund: back into the pool, no more than was used. @returns the units that were accepted */
  refund(units: number): number {
    if (isNoUnits(units)) this.#refuse(`refund is ${units}`)
    const accepted = Math.min(units, this.used)
    this.used -= accepted
    this.pool += accepted
    return accepted
  }

  /** S3, takes: units that are in the pool. */
  take(units: number): void {
    this.pool -= units
    if (this.pool < 0) this.#refuse(`a take left a pool of ${this.pool}`)
    this.used += units
  }

  /** P5: what is used and burned can be had again. Leases and reservations stay. */
  reset(): void {
    const { ended } = this.#loaded
    // What burns only now: its owner may go on for a time.
    const burning = ended.reduce((sum, lease) => sum + lease.held, 0)
    this.pool += this.used + this.burned - burning
    this.used = 0
    this.burned = burning
    this.resets += 1
  }

  /** R1: units that are in the pool are set aside. */
  reserve(units: number): void {
    this.pool -= units
    if (this.pool < 0) this.#refuse(`a reservation left a pool of ${this.pool}`)
    this.reserved += units
  }

  /** R3, R4: units that were set aside go back into the pool. */
  release(units: number): void {
    this.reserved -= units
    this.pool += units
  }

  /** R4: units that were set aside are used. */
  consume(units: number): void {
    this.reserved -= units
    this.used += units
  }

  /**
   * S3, holds: moves the lease towards `hold`, from or to the pool.
   * S5: no lease grows while the row is wanted, or once as many units have burned as the policy allows. F3: nor while the store is frozen.
   */
  moveHold(hold: number, { time, isFrozen }: HoldTime): void {
    if (isNoUnits(hold)) this.#refuse(`hold is ${hold}`)
    const mayGrow = !isFrozen && this.wantedUntil <= time && this.burned < this.burnMax
    const wished = hold - this.held
    const change = wished > 0 ? (mayGrow ? Math.min(wished, Math.max(this.pool, 0)) : 0) : wished
    this.held += change
    this.pool -= change
  }

  /** O12: wanted for `wantMs` from now; an expired want is reset to 0. */
  want(wantMs: number, time: number): void {
    if (wantMs > 0) this.wantedUntil = Math.max(this.wantedUntil, time + wantMs)
    else if (this.wantedUntil <= time) this.wantedUntil = 0
  }

  /** L2 for this row, and every amount in its range. @throws BooksError */
  assertBalanced(): void {
    if (!isBalanced(this)) throw new BooksError(this.#before, imbalanceOf(this))
  }

  /** Units changed permanently: a record (L7). The limit, `burnMax` and `keepUntil` change with the version, never without it. */
  get isRecord(): boolean {
    const before = this.#before
    const isSettled = this.used === before.used && this.reserved === before.reserved && this.minted === before.minted
    return !isSettled || this.version !== before.version || this.resets !== before.resets
  }

  /** The row to write; null when it did not change. A created row is written even when nothing was spent from it. */
  write(): BudgetWrite | null {
    const before = this.#before
    const isSettled =
      this.limit === before.limit &&
      this.burnMax === before.burnMax &&
      this.version === before.version &&
      this.resets === before.resets &&
      this.wantedUntil === before.wantedUntil &&
      this.keepUntil === before.keepUntil
    const isSame =
      isSettled &&
      this.used === before.used &&
      this.reserved === before.reserved &&
      this.minted === before.minted &&
      this.pool === before.pool &&
      this.burned === before.burned
    if (isSame && !this.#created) return null
    return { change: this.#created ? 'created' : isSettled ? 'settled' : 'changed', row: this.#row() }
  }

  /** The leases to write: this epoch's if it changed, and those of closed epochs, which are removed. */
  leaseWrites(epoch: number): readonly LeaseRow[] {
    const { held, ended } = this.#loaded
    if (this.held === held && ended.length === 0) return NO_LEASES
    const { key, period } = this.#before
    const burned = ended.map((lease) => ({ ...lease, held: 0 }))
    return this.held === held ? burned : [{ key, period, epoch, held: this.held }, ...burned]
  }

  #refuse(detail: string): never {
    throw new BooksError(this.#before, detail)
  }

  #row(): BudgetRow {
    const { key, period, kind, endsAt } = this.#before
    const { minted, used, reserved, pool, burned, limit, burnMax, version, resets, wantedUntil, keepUntil } = this
    return {
      key,
      period,
      kind,
      minted,
      used,
      reserved,
      pool,
      burned,
      limit,
      burnMax,
      version,
      resets,
      wantedUntil,
      endsAt,
      keepUntil,
    }
  }
}

const NO_LEASES: readonly LeaseRow[] = []

/** Not a type guard: an invalid value is still needed for the message. */
function isNoUnits(value: number): boolean {
  return !isUnits(value)
}

type Amounts = Pick<
  RowDraft,
  'minted' | 'used' | 'reserved' | 'burned' | 'held' | 'others' | 'othersHeld' | 'pool' | 'limit' | 'version'
>

/** Subtracted from minted one by one: a sum of several could leave the safe integers, a difference of units cannot. */
function isBalanced(amounts: Amounts): boolean {
  const { minted, used, reserved, burned, held, others, othersHeld, pool, limit, version } = amounts
  const isSound = isUnits(minted) && isUnits(used) && isUnits(burned) && isUnits(held)
  if (!isSound || !isUnits(reserved) || !Number.isSafeInteger(pool)) return false
  // The owner refuses an answer without them, and with it the answers of all other rows.
  if (!isUnits(limit) || !isUnits(version) || !areLeaseSums({ leased: othersHeld, lessees: others })) return false
  return minted - used - reserved - burned - held - othersHeld === pool
}

/** Describes the fault. Separate from the check, because building these texts for every valid row would cost more than the exchange. */
function imbalanceOf(amounts: Amounts): string {
  const { minted, used, reserved, burned, held, others, othersHeld, pool, limit, version } = amounts
  for (const [name, units] of Object.entries({ minted, used, reserved, burned, limit, version }))
    if (isNoUnits(units)) return `${name} is ${units}`
  if (isNoUnits(held) || isNoUnits(othersHeld)) return `leases are ${held} and ${othersHeld}`
  if (!areLeaseSums({ leased: othersHeld, lessees: others })) return `${others} other leases hold ${othersHeld}`
  if (!Number.isSafeInteger(pool)) return `pool is ${pool}`
  const aside = reserved === 0 ? '' : ` + reserved ${reserved}`
  return `minted ${minted} is not used ${used}${aside} + pool ${pool} + burned ${burned} + held ${held} + ${othersHeld}`
}
