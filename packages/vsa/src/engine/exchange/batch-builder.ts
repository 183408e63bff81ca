import type { BudgetEntry, Entry, RowPolicy, Take } from '../../core/exchange.ts'
import type { Account } from '../rows/row-lease.ts'
import type { FlushRequest } from './send-queue.ts'
import type { CounterState } from '../rows/counter-state.ts'
import type { Waiter } from '../requests/pending-request.ts'

/** What one batch carries, and for whom: rows line up with entries, runs with takes. */
export interface Shipment {
  readonly rows: (Account | CounterState | null)[]
  readonly runs: Run[]
  /** Flushes that are complete when this batch has been acknowledged. */
  readonly flushes: readonly FlushRequest[]
}

/** Equal requests in order of arrival. */
export interface Run {
  readonly accounts: readonly Account[]
  readonly costs: readonly number[]
  readonly waiters: Waiter[]
}

export function isAccount(row: Account | CounterState | null | undefined): row is Account {
  return row !== null && row !== undefined && 'window' in row
}

/** Collects the rows and runs of one batch, up to its limits; nothing is sent or changed yet but places given. */
export class Loading {
  readonly rows: (Account | CounterState)[] = []
  readonly runs: Run[] = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get full(): boolean {
    return this.rows.length >= this.#max
  }

  /** Somebody waits for the answer to what is loaded so far. */
  get isAwaited(): boolean {
    return this.runs.length > 0 || this.rows.some((row) => isAccount(row) && row.isAwaited)
  }

  get hasRefund(): boolean {
    return this.rows.some((row) => isAccount(row) && row.refund > 0)
  }

  /** Gives the row a place. False when there is none left. */
  addAccount(account: Account): boolean {
    if (account.entryAt >= 0) return true
    if (this.full) return false
    account.entryAt = this.rows.length
    account.lastRunAt = -1
    this.rows.push(account)
    return true
  }

  addCounter(counter: CounterState): boolean {
    if (this.full) return false
    this.rows.push(counter)
    return true
  }

  /**
   * Puts a request into the run that was last to touch all of its rows, if that one is for the same, else into a new run:
   * so that requests for the same row keep their order, and equal neighbours share a run. False when there is no place.
   */
  addWaiter(waiter: Waiter, accounts: readonly Account[]): boolean {
    const last = this.#lastRunOf(accounts)
    if (last !== undefined && asksFor(last, waiter, accounts)) {
      last.waiters.push(waiter)
      return true
    }
    if (this.runs.length >= this.#max) return false
    const missing = accounts.filter((account) => account.entryAt < 0).length
    if (this.rows.length + missing > this.#max) return false
    for (const account of accounts) {
      this.addAccount(account)
      account.lastRunAt = this.runs.length
    }
    this.runs.push({ accounts, costs: waiter.needs.map((need) => need.units), waiters: [waiter] })
    return true
  }

  /** Puts a request for one row into the run that was last to touch it, if that one is for the same; false otherwise. */
  joinRun(account: Account, units: number, waiter: Waiter): boolean {
    const run = account.entryAt < 0 ? undefined : this.runs[account.lastRunAt]
    if (run === undefined || run.accounts.length !== 1 || run.costs[0] !== units) return false
    run.waiters.push(waiter)
    return true
  }

  #lastRunOf(accounts: readonly Account[]): Run | undefined {
    const at = accounts[0]?.entryAt === -1 ? -1 : (accounts[0]?.lastRunAt ?? -1)
    if (at < 0) return undefined
    for (const account of accounts) if (account.entryAt < 0 || account.lastRunAt !== at) return undefined
    return this.runs[at]
  }

  takes(): Take[] {
    return this.runs.map(({ accounts, costs, waiters }) => ({
      need: accounts.map((account, index) => [account.entryAt, costs[index] ?? 0] as const),
      n: waiters.length,
    }))
  }

  /** The places are forgotten: the batch has been made. */
  clearPlaces(): void {
    for (const row of this.rows) if (isAccount(row)) row.entryAt = -1
  }
}

function asksFor(run: Run, waiter: Waiter, accounts: readonly Account[]): boolean {
  if (run.accounts.length !== accounts.length) return false
  for (let index = 0; index < accounts.length; index += 1) {
    if (run.accounts[index] !== accounts[index] || run.costs[index] !== waiter.needs[index]?.units) return false
  }
  return true
}

/** How one row is to be sent. */
export interface RowOrder {
  readonly hold: number
  readonly wantMs: number
  /** Absent when the store has the policy of this owner already. */
  readonly policy: RowPolicy | undefined
}

/** Puts what the account has to say under way, and writes it down. */
export function entryOf(account: Account, order: RowOrder, nowMs: number): BudgetEntry {
  const known = account.known
  const { spent, refund, mint } = account.send(order.hold, nowMs)
  const entry: BudgetEntry = {
    kind: 'budget',
    key: account.gate.key,
    period: account.window.start,
    known,
    spent,
    refund,
    hold: order.hold,
    wantMs: order.wantMs,
  }
  const withPolicy = order.policy === undefined ? entry : { ...entry, policy: order.policy }
  return mint === null ? withPolicy : { ...withPolicy, mint: mint.mint }
}

export function counterEntryOf(counter: CounterState): Entry {
  counter.sent = counter.pending
  counter.pending = 0
  counter.dirty = false
  counter.readersSent = counter.readers
  counter.readers = []
  return { kind: 'counter', key: counter.key, add: counter.sent }
}
