import type { Deletion, LeaseName, MintName, PrunableRow } from '../../core/written-rows.ts'
import type { RowName } from '../../core/exchange.ts'
import { NO_LEAP } from '../../core/leap.ts'
import { keysOf, nameOf as reservationNameOf, sweepAtOf } from '../../core/reservations/names.ts'
import type { BudgetRow, Leap, LeaseRow, OwnerRow, ReservationRow } from '../../core/rows.ts'
import { DeletedNames } from './deleted-names.ts'
import { TimeIndex } from './time-index.ts'

/** The rows of a memory store in plain maps, with indexes so that the cost of a load is bounded by its result. */
export class MemoryRows {
  readonly #owners = new Map<number, OwnerRow>()
  readonly #budgets = new Map<string, Map<number, BudgetRow>>()
  /** By row name, then by epoch. */
  readonly #leases = new Map<string, Map<number, LeaseRow>>()
  readonly #mints = new Map<string, number>()
  readonly #counters = new Map<string, number>()
  /** By the name of each of their budgets. */
  readonly #reservations = new Map<string, ReservationRow>()
  /** When each is to be swept, by the name of its first budget. */
  readonly #sweeps = new TimeIndex()
  /** Row names by epoch, so that a dead epoch's leases are found without a scan. */
  readonly #leasedBy = new Map<number, Set<string>>()
  /** Rows that are or were wanted: a small set for `wantedBy` to scan. */
  readonly #wantedRows = new Map<string, BudgetRow>()
  readonly #deleted = new DeletedNames()
  /** When each row that has a retention may be removed. */
  readonly #keepUntil = new Map<string, number>()
  /** The earliest time at which any row may be removed. */
  #pruneFrom = Infinity
  #lastEpoch = 0
  #timeSeen = 0
  leap: Leap = NO_LEAP

  /** The highest epoch given so far; 0 at first. */
  get lastEpoch(): number {
    return this.#lastEpoch
  }

  /** The latest store time that was kept; 0 at first. */
  get timeSeen(): number {
    return this.#timeSeen
  }

  keepTime(time: number): void {
    this.#timeSeen = Math.max(this.#timeSeen, time)
  }

  owner(epoch: number): OwnerRow | undefined {
    return this.#owners.get(epoch)
  }

  /** Every owner row, oldest first. */
  owners(): readonly OwnerRow[] {
    return [...this.#owners.values()]
  }

  saveOwner(owner: OwnerRow): void {
    this.#owners.set(owner.epoch, owner)
    this.#lastEpoch = Math.max(this.#lastEpoch, owner.epoch)
  }

  removeOwner(epoch: number): void {
    this.#owners.delete(epoch)
    this.#deleted.forget(epoch)
  }

  budget({ key, period }: RowName): BudgetRow | undefined {
    return this.#budgets.get(key)?.get(period)
  }

  /** The row of the same key with the latest earlier period. */
  earlierThan({ key, period }: RowName): BudgetRow | undefined {
    let latest: BudgetRow | undefined
    for (const row of this.#budgets.get(key)?.values() ?? [])
      if (row.kind === 'window' && row.period < period && row.period > (latest?.period ?? -Infinity)) latest = row
    return latest
  }

  /** Every budget row in (key, period) order. */
  budgets(): readonly BudgetRow[] {
    const keys = [...this.#budgets.keys()].toSorted()
    return keys.flatMap((key) => this.budgetsOf(key))
  }

  saveBudget(row: BudgetRow): void {
    let periods = this.#budgets.get(row.key)
    if (periods === undefined) this.#budgets.set(row.key, (periods = new Map<number, BudgetRow>()))
    periods.set(row.period, row)
    const name = nameOf(row)
    if (row.wantedUntil > 0) this.#wantedRows.set(name, row)
    else this.#wantedRows.delete(name)
    if (row.keepUntil === null) return
    this.#keepUntil.set(name, row.keepUntil)
    this.#pruneFrom = Math.min(this.#pruneFrom, row.keepUntil)
  }

  removeBudget(row: RowName): void {
    const periods = this.#budgets.get(row.key)
    periods?.delete(row.period)
    if (periods?.size === 0) this.#budgets.delete(row.key)
    this.#keepUntil.delete(nameOf(row))
    this.#wantedRows.delete(nameOf(row))
  }

  /** Every lease on one row. */
  leasesOn(row: RowName): Iterable<LeaseRow> {
    return this.#leases.get(nameOf(row))?.values() ?? []
  }

  saveLease(lease: LeaseRow): void {
    const name = nameOf(lease)
    const onRow = this.#leases.get(name) ?? new Map<number, LeaseRow>()
    const ofEpoch = this.#leasedBy.get(lease.epoch) ?? new Set<string>()
    if (lease.held > 0) {
      this.#leases.set(name, onRow.set(lease.epoch, lease))
      this.#leasedBy.set(lease.epoch, ofEpoch.add(name))
      return
    }
    onRow.delete(lease.epoch)
    ofEpoch.delete(name)
    if (onRow.size === 0) this.#leases.delete(name)
    if (ofEpoch.size === 0) this.#leasedBy.delete(lease.epoch)
  }

  /** Every row of the key, the earliest first. */
  budgetsOf(key: string): readonly BudgetRow[] {
    return [...(this.#budgets.get(key)?.values() ?? [])].toSorted((a, b) => a.period - b.period)
  }

  /** Within the 7 days before `time`. */
  isDeletedKey(key: string, time: number): boolean {
    return this.#deleted.hasKey(key, time)
  }

  isDeletedLease(epoch: number, row: RowName): boolean {
    return this.#deleted.hasLease(epoch, nameOf(row))
  }

  /** @param time store time of the deletion, ms since 1970 */
  saveDeletion({ key, budgets, leases, mints }: Deletion, time: number): void {
    this.#deleted.keepKey(key, time)
    for (const lease of leases) {
      this.saveLease({ ...lease, held: 0 })
      this.#deleted.keepLease(lease.epoch, nameOf(lease))
    }
    for (const row of budgets) this.removeBudget(row)
    for (const mint of mints) this.#mints.delete(mintNameOf(mint.key, mint.id))
  }

  hearDeletion({ epoch, ...row }: LeaseName): void {
    this.#deleted.hear(epoch, nameOf(row))
  }

  /** In no order; at most `max`. */
  mintsOf(key: string, max: number): readonly MintName[] {
    const found: MintName[] = []
    for (const name of this.#mints.keys()) {
      const [keyOfMint = '', id = ''] = JSON.parse(name) as string[]
      if (keyOfMint === key && found.push({ key, id }) === max) break
    }
    return found
  }

  /** One of whose budgets has the key; at most `max`. */
  reservationsOf(key: string, max: number): readonly ReservationRow[] {
    const found: ReservationRow[] = []
    for (const [name, row] of this.#reservations)
      if (name === reservationNameOf(key, row.id) && found.push(row) === max) break
    return found
  }

  mintedUnits(key: string, id: string): number | undefined {
    return this.#mints.get(mintNameOf(key, id))
  }

  saveMint(key: string, id: string, units: number): void {
    this.#mints.set(mintNameOf(key, id), units)
  }

  counter(key: string): number | undefined {
    return this.#counters.get(key)
  }

  saveCounter(key: string, value: number): void {
    this.#counters.set(key, value)
  }

  reservation(key: string, id: string): ReservationRow | undefined {
    return this.#reservations.get(reservationNameOf(key, id))
  }

  saveReservation(row: ReservationRow): void {
    for (const key of keysOf(row)) this.#reservations.set(reservationNameOf(key, row.id), row)
    this.#sweeps.set(reservationNameOf(row.key, row.id), sweepAtOf(row))
  }

  removeReservation(row: ReservationRow): void {
    for (const key of keysOf(row)) this.#reservations.delete(reservationNameOf(key, row.id))
    this.#sweeps.delete(reservationNameOf(row.key, row.id))
  }

  /** Reservations that are to be swept at `time` or before, the earliest first, at most `max`. */
  sweepable(time: number, max: number): readonly ReservationRow[] {
    return this.#sweeps.upTo(time, max).flatMap((name) => this.#reservations.get(name) ?? [])
  }

  /** The earliest time of a sweep; null when there is none. */
  get nextSweepAt(): number | null {
    return this.#sweeps.first
  }

  /** Rows leased by `epoch` and wanted beyond `time`; at most `max`. */
  wantedBy(epoch: number, time: number, max: number): readonly RowName[] {
    const names: RowName[] = []
    for (const [name, { key, period, wantedUntil }] of this.#wantedRows) {
      if (names.length >= max) break
      if (wantedUntil > time && this.#leases.get(name)?.has(epoch)) names.push({ key, period })
    }
    return names
  }

  /** Whether `epoch` holds any lease. */
  hasLeases(epoch: number): boolean {
    return this.#leasedBy.has(epoch)
  }

  /** Leases of `epochs`; at most `max`. */
  leasesOf(epochs: readonly number[], max: number): readonly LeaseRow[] {
    const found: LeaseRow[] = []
    for (const epoch of epochs) {
      for (const name of this.#leasedBy.get(epoch) ?? []) {
        if (found.length >= max) return found
        const lease = this.#leases.get(name)?.get(epoch)
        if (lease !== undefined) found.push(lease)
      }
    }
    return found
  }

  /** Rows without a lease and with nothing reserved whose retention ended before `time`, at most `max`; and the earliest retention that ends at `time` or later. */
  prunable(
    time: number,
    max: number,
  ): { readonly prunable: readonly PrunableRow[]; readonly nextPrunableAt: number | null } {
    if (time <= this.#pruneFrom) return { prunable: [], nextPrunableAt: finite(this.#pruneFrom) }
    const prunable: PrunableRow[] = []
    let [pruneFrom, nextAt] = [Infinity, Infinity]
    for (const [name, keepUntil] of this.#keepUntil) {
      if (keepUntil >= time) nextAt = Math.min(nextAt, keepUntil)
      if (prunable.length < max && keepUntil < time && this.#isFree(name)) prunable.push(this.#prunableRow(name))
      else pruneFrom = Math.min(pruneFrom, keepUntil)
    }
    // The rows found may not be removed in the end, so the next call looks for them again.
    this.#pruneFrom = prunable.length > 0 ? -Infinity : pruneFrom
    return { prunable, nextPrunableAt: finite(nextAt) }
  }

  #isFree(name: string): boolean {
    return !this.#leases.has(name) && (this.budget(rowNameOf(name))?.reserved ?? 0) === 0
  }

  #prunableRow(name: string): PrunableRow {
    const row = rowNameOf(name)
    return { ...row, endsAt: this.budget(row)?.endsAt ?? null }
  }
}

function finite(time: number): number | null {
  return time < Infinity ? time : null
}

function mintNameOf(key: string, id: string): string {
  return JSON.stringify([key, id])
}

/** The period has no colon, so the first colon separates it from the key. */
function nameOf({ key, period }: RowName): string {
  return `${period}:${key}`
}

function rowNameOf(name: string): RowName {
  const colon = name.indexOf(':')
  return { period: Number(name.slice(0, colon)), key: name.slice(colon + 1) }
}
