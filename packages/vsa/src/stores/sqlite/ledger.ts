import type { RowName } from '../../core/exchange.ts'
import type { BudgetRow, Ledger, LeaseRow, LeaseTotals, OwnerRow } from '../../core/ledger.ts'
import type { Row, Value } from './driver.ts'
import {
  budgetFrom,
  budgetValues,
  firstInteger,
  integer,
  leaseFrom,
  ownerFrom,
  ownerValues,
  rowNameFrom,
} from './rows.ts'
import * as sql from './sql.ts'
import type { StatementCache } from './statement-cache.ts'
import { encodeText } from './text.ts'

interface ReadBudget {
  row: BudgetRow
  /** Undefined once another epoch's lease on the row has changed. */
  leases: LeaseTotals | undefined
}

/**
 * The books in one transaction: made for it, and thrown away with it. What it has read it does not read again,
 * so that an exchange of one take costs four statements besides BEGIN and COMMIT.
 */
export class SqliteLedger implements Ledger {
  readonly #statements: StatementCache
  readonly #epoch: number
  readonly #owners = new Map<number, OwnerRow>()
  readonly #budgets = new Map<string, ReadBudget>()
  readonly #timeSeen: number
  #wantedUntil: number

  /** @param epoch the owner that is calling; 0 for none */
  constructor(statements: StatementCache, epoch: number) {
    this.#statements = statements
    this.#epoch = epoch
    const row = this.#get(sql.OPENING, [epoch])
    this.#timeSeen = integer(row?.[0])
    this.#wantedUntil = integer(row?.[1])
    if (row !== undefined && row[2] !== null) this.#owners.set(epoch, ownerFrom(row, 2))
  }

  owner(epoch: number): OwnerRow | undefined {
    const known = this.#owners.get(epoch)
    if (known !== undefined || epoch === this.#epoch) return known
    const row = this.#get(sql.OWNER, [epoch])
    return row === undefined ? undefined : ownerFrom(row)
  }

  saveOwner(owner: OwnerRow): void {
    const before = this.#owners.get(owner.epoch)
    this.#owners.set(owner.epoch, owner)
    if (before?.state === 'open' && owner.state === 'open') {
      const { seq, outcome, seenAt, expiresAt, epoch } = owner
      this.#run(sql.RENEW_OWNER, [seq, JSON.stringify(outcome), seenAt, expiresAt, epoch])
      return
    }
    const closed = owner.state === 'closed'
    this.#run(sql.SAVE_OWNER, [...ownerValues(owner), closed ? 1 : 0])
    // Only open owners tell the time seen: what this one told must not be forgotten with it.
    if (closed) this.#run(sql.RAISE_TIME, [owner.seenAt])
  }

  nextEpoch(): number {
    this.#run(sql.NEXT_EPOCH, [])
    return firstInteger(this.#get(sql.EPOCH, []))
  }

  timeSeen(): number {
    return this.#timeSeen
  }

  budget(key: string, period: number): BudgetRow | undefined {
    return this.#read(key, period)?.row
  }

  saveBudget(row: BudgetRow): void {
    const known = this.#budgets.get(nameOf(row))
    if (known !== undefined && onlyUnitsDiffer(known.row, row)) {
      const { minted, used, pool, burned, key, period } = row
      this.#run(sql.SETTLE_BUDGET, [minted, used, pool, burned, encodeText(key), period])
    } else {
      this.#run(sql.SAVE_BUDGET, budgetValues(row))
      this.#wantedUntil = Math.max(this.#wantedUntil, row.wantedUntil)
    }
    if (known === undefined) this.#budgets.set(nameOf(row), { row, leases: undefined })
    else known.row = row
  }

  leases(key: string, period: number, epoch: number): LeaseTotals {
    const known = epoch === this.#epoch ? this.#read(key, period)?.leases : undefined
    if (known !== undefined) return known
    return totalsFrom(this.#get(sql.LEASES, [epoch, epoch, epoch, encodeText(key), period]), 0)
  }

  saveLease({ key, period, epoch, held }: LeaseRow): void {
    const known = this.#budgets.get(nameOf({ key, period }))
    if (known !== undefined) {
      known.leases = epoch === this.#epoch && known.leases !== undefined ? { ...known.leases, held } : undefined
    }
    if (held > 0) this.#run(sql.SAVE_LEASE, [encodeText(key), period, epoch, held])
    else this.#run(sql.REMOVE_LEASE, [encodeText(key), period, epoch])
  }

  mintedUnits(key: string, id: string): number | undefined {
    const row = this.#get(sql.MINT, [encodeText(key), encodeText(id)])
    return row === undefined ? undefined : firstInteger(row)
  }

  saveMint(key: string, id: string, units: number): void {
    this.#run(sql.SAVE_MINT, [encodeText(key), encodeText(id), units])
  }

  counter(key: string): number | undefined {
    const row = this.#get(sql.COUNTER, [encodeText(key)])
    return row === undefined ? undefined : firstInteger(row)
  }

  saveCounter(key: string, value: number): void {
    this.#run(sql.SAVE_COUNTER, [encodeText(key), value])
  }

  wanted(epoch: number, time: number, limit: number): readonly RowName[] {
    if (this.#wantedUntil <= time) return []
    return this.#all(sql.WANTED, [epoch, time, limit]).map(rowNameFrom)
  }

  openOwners(): readonly OwnerRow[] {
    const owners = this.#all(sql.OPEN_OWNERS, []).map((row) => ownerFrom(row))
    for (const owner of owners) this.#owners.set(owner.epoch, owner)
    return owners
  }

  closedLeases(limit: number): readonly LeaseRow[] {
    const leases = this.#all(sql.CLOSED_LEASES, [limit]).map(leaseFrom)
    // A closed epoch gains no lease any more, so it need not be looked at again.
    if (leases.length === 0) this.#run(sql.BURNED, [])
    return leases
  }

  prunableBudgets(time: number, limit: number): readonly RowName[] {
    return this.#all(sql.PRUNABLE_BUDGETS, [time, limit]).map(rowNameFrom)
  }

  removeBudget(key: string, period: number): void {
    this.#budgets.delete(nameOf({ key, period }))
    this.#run(sql.REMOVE_BUDGET, [encodeText(key), period])
  }

  removeOwnersEndedBefore(time: number): void {
    this.#run(sql.REMOVE_OWNERS, [time])
  }

  #read(key: string, period: number): ReadBudget | undefined {
    const name = nameOf({ key, period })
    const known = this.#budgets.get(name)
    if (known !== undefined) return known
    const epoch = this.#epoch
    const row = this.#get(sql.BUDGET, [epoch, epoch, epoch, encodeText(key), period])
    if (row === undefined || row[0] === null) return undefined
    const read = { row: budgetFrom(row), leases: totalsFrom(row, 13) }
    this.#budgets.set(name, read)
    return read
  }

  #get(text: string, parameters: readonly Value[]): Row | undefined {
    return this.#statements.statement(text).get(parameters)
  }

  #all(text: string, parameters: readonly Value[]): readonly Row[] {
    return this.#statements.statement(text).all(parameters)
  }

  #run(text: string, parameters: readonly Value[]): void {
    this.#statements.statement(text).run(parameters)
  }
}

function totalsFrom(row: Row | undefined, at: number): LeaseTotals {
  return { held: integer(row?.[at]), others: integer(row?.[at + 1]), othersHeld: integer(row?.[at + 2]) }
}

function onlyUnitsDiffer(before: BudgetRow, after: BudgetRow): boolean {
  return (
    before.limit === after.limit &&
    before.burnMax === after.burnMax &&
    before.version === after.version &&
    before.wantedUntil === after.wantedUntil &&
    before.endsAt === after.endsAt &&
    before.keepUntil === after.keepUntil &&
    before.kind === after.kind
  )
}

/** The period has no colon, so the first one parts the two. */
function nameOf({ key, period }: RowName): string {
  return `${period}:${key}`
}
