import type { RowName } from '../../core/exchange.ts'
import type { BudgetRow, Ledger, LeaseRow, LeaseTotals, OwnerRow } from '../../core/ledger.ts'

/** The books in plain maps. The executable specification of {@link Ledger}. */
export class MemoryLedger implements Ledger {
  readonly #owners = new Map<number, OwnerRow>()
  readonly #budgets = new Map<string, Map<number, BudgetRow>>()
  /** By row name, then by epoch. */
  readonly #leases = new Map<string, Map<number, LeaseRow>>()
  readonly #mints = new Map<string, number>()
  readonly #counters = new Map<string, number>()
  /** Row names by epoch, so that a dead epoch's leases are found without a scan. */
  readonly #leasedBy = new Map<number, Set<string>>()
  /** Rows that somebody wants or wanted: few, so that `wanted` need not look at all. */
  readonly #wantedRows = new Map<string, BudgetRow>()
  /** When each row that may go some day may go. */
  readonly #keepUntil = new Map<string, number>()
  /** No row may go before that: until then nobody need look. */
  #pruneFrom = Infinity
  #epochs = 0
  #timeSeen = 0

  owner(epoch: number): OwnerRow | undefined {
    return this.#owners.get(epoch)
  }

  saveOwner(owner: OwnerRow): void {
    this.#owners.set(owner.epoch, owner)
    this.#timeSeen = Math.max(this.#timeSeen, owner.seenAt)
  }

  nextEpoch(): number {
    this.#epochs += 1
    return this.#epochs
  }

  timeSeen(): number {
    return this.#timeSeen
  }

  budget(key: string, period: number): BudgetRow | undefined {
    return this.#budgets.get(key)?.get(period)
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

  leases(key: string, period: number, epoch: number): LeaseTotals {
    let held = 0
    let others = 0
    let othersHeld = 0
    for (const lease of this.#leases.get(nameOf({ key, period }))?.values() ?? []) {
      if (lease.epoch === epoch) {
        held = lease.held
      } else {
        others += 1
        othersHeld += lease.held
      }
    }
    return { held, others, othersHeld }
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

  mintedUnits(key: string, id: string): number | undefined {
    return this.#mints.get(JSON.stringify([key, id]))
  }

  saveMint(key: string, id: string, units: number): void {
    this.#mints.set(JSON.stringify([key, id]), units)
  }

  counter(key: string): number | undefined {
    return this.#counters.get(key)
  }

  saveCounter(key: string, value: number): void {
    this.#counters.set(key, value)
  }

  wanted(epoch: number, time: number, limit: number): readonly RowName[] {
    const names: RowName[] = []
    for (const [name, row] of this.#wantedRows) {
      if (names.length >= limit) break
      if (row.wantedUntil > time && this.#leases.get(name)?.has(epoch)) names.push({ key: row.key, period: row.period })
    }
    return names
  }

  openOwners(): readonly OwnerRow[] {
    return [...this.#owners.values()].filter((owner) => owner.state === 'open')
  }

  closedLeases(limit: number): readonly LeaseRow[] {
    const found: LeaseRow[] = []
    for (const [epoch, names] of this.#leasedBy) {
      if (this.#owners.get(epoch)?.state === 'open') continue
      for (const name of names) {
        const lease = this.#leases.get(name)?.get(epoch)
        if (lease !== undefined) found.push(lease)
        if (found.length >= limit) return found
      }
    }
    return found
  }

  prunableBudgets(time: number, limit: number): readonly RowName[] {
    if (time <= this.#pruneFrom) return []
    const found: RowName[] = []
    let nextFrom = Infinity
    for (const [name, keepUntil] of this.#keepUntil) {
      if (found.length < limit && keepUntil < time && !this.#leases.has(name)) found.push(rowNameOf(name))
      else nextFrom = Math.min(nextFrom, keepUntil)
    }
    this.#pruneFrom = nextFrom
    return found
  }

  removeBudget(key: string, period: number): void {
    const periods = this.#budgets.get(key)
    periods?.delete(period)
    if (periods?.size === 0) this.#budgets.delete(key)
    this.#keepUntil.delete(nameOf({ key, period }))
    this.#wantedRows.delete(nameOf({ key, period }))
  }

  removeOwnersEndedBefore(time: number): void {
    for (const owner of this.#owners.values()) {
      const ended = owner.state === 'closed' && owner.seenAt < time
      if (ended && !this.#leasedBy.has(owner.epoch)) this.#owners.delete(owner.epoch)
    }
  }

  /** Every owner that is remembered, oldest first. */
  allOwners(): readonly OwnerRow[] {
    return [...this.#owners.values()]
  }

  /** Every budget row in (key, period) order. */
  allBudgets(): readonly BudgetRow[] {
    const keys = [...this.#budgets.keys()].toSorted()
    return keys.flatMap((key) => [...(this.#budgets.get(key)?.values() ?? [])].toSorted((a, b) => a.period - b.period))
  }

  /** Every lease on one row. */
  leasesOn(name: RowName): readonly LeaseRow[] {
    return [...(this.#leases.get(nameOf(name))?.values() ?? [])]
  }
}

/** The period has no colon, so the first one parts the two. */
function nameOf({ key, period }: RowName): string {
  return `${period}:${key}`
}

function rowNameOf(name: string): RowName {
  const colon = name.indexOf(':')
  return { period: Number(name.slice(0, colon)), key: name.slice(colon + 1) }
}
