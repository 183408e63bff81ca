import type { Clock } from '../../core/clock.ts'
import type { Window } from '../../core/plan.ts'
import { Account } from './row-lease.ts'
import type { Gate } from '../budget/gate.ts'
import type { Session } from '../session/session.ts'

/** Which account serves which row: one at most, whether its gate admits from it now, later, or no more. */
export class Accounts {
  readonly #clock: Clock
  readonly #session: Session
  /** By row, the longest untouched first: what nobody uses goes back and is forgotten, without a scan of the others (G3). */
  readonly #rows = new Map<string, Account>()
  #leasedUnits = 0
  #closing = false

  constructor(clock: Clock, session: Session) {
    this.#clock = clock
    this.#session = session
  }

  get size(): number {
    return this.#rows.size
  }

  /** Units leased to this owner, as of the last answers. */
  get leasedUnits(): number {
    return this.#leasedUnits
  }

  /** The longest untouched first. */
  all(): IterableIterator<Account> {
    return this.#rows.values()
  }

  /** The account of a row that the store names; undefined when nothing is kept of it. */
  find(key: string, period: number): Account | undefined {
    return this.#rows.get(rowName(key, period))
  }

  /**
   * The account that `gate` admits from now; made, or moved to the present period, where needed. Never of an earlier period than before,
   * though the store's time may have gone back (O11).
   */
  current(gate: Gate): Account {
    // A budget without windows has one account while it has any: no clock need be read.
    if (gate.account?.window.end === Infinity) return gate.account
    const window = gate.plan.windowAt(this.#session.time)
    if (gate.account !== null && gate.account.window.end >= window.end) return gate.account
    if (gate.account !== null) this.retire(gate.account)
    if (gate.upcoming !== null && gate.upcoming.window.end < window.end) this.retire(gate.upcoming)
    const account = this.#of(gate, window)
    if (!this.#closing) this.#attach(account)
    return account
  }

  /** The account's period is over: its gate goes on with the row that was fetched ahead, if there is one. */
  advance(account: Account): void {
    const { gate } = account
    this.retire(account)
    // Never before its period begins (O11).
    if (gate.upcoming !== null && gate.upcoming.window.start <= this.#session.time) this.#attach(gate.upcoming)
  }

  /** The row of the next period, fetched ahead. */
  fetchAhead(account: Account): Account {
    const { gate } = account
    const window = gate.plan.after(account.window)
    const upcoming = this.#of(gate, window)
    upcoming.retired = false
    upcoming.usedAtMs = this.#clock.monotonic() + Math.max(0, window.start - this.#session.time)
    upcoming.spentAtMs = account.spentAtMs
    upcoming.hold = account.hold
    gate.upcoming = upcoming
    return upcoming
  }

  /** The account of any period's row, for refunds: the gate does not admit from it unless it is the present one. */
  ofWindow(gate: Gate, window: Window): Account {
    const now = gate.plan.windowAt(this.#session.time)
    const present = gate.account !== null && gate.account.window.end > now.end ? gate.account.window : now
    return window.start === present.start ? this.current(gate) : this.#of(gate, window)
  }

  /** The gate moves on: nothing more is admitted from the account, and its lease goes back. */
  retire(account: Account): void {
    if (account.current) account.detach()
    if (account.gate.upcoming === account) account.gate.upcoming = null
    account.retired = true
  }

  /** From now on no gate admits. What each account has to say is still sent. */
  retireAll(): void {
    this.#closing = true
    for (const account of this.#rows.values()) this.retire(account)
  }

  /** The account's answer is there: it was touched, and its lease may have changed. */
  touch(account: Account, heldBefore: number): void {
    this.#leasedUnits += account.held - heldBefore
    this.#rows.delete(account.row)
    this.#rows.set(account.row, account)
  }

  /** The gate is in a period that has not begun by the store's time: without the account it would go back into an earlier one (O11). */
  isAhead(account: Account): boolean {
    return account.current && account.known && account.window.start > this.#session.time
  }

  /** Forgets the account when there is nothing to keep of it. */
  dropIfIdle(account: Account): boolean {
    if (!account.idle || this.isAhead(account)) return false
    if (account.leases !== 'none') account.gate.sparse = account.leases === 'untouched'
    this.retire(account)
    return this.#rows.delete(account.row)
  }

  #attach(account: Account): void {
    account.retired = false
    if (account.gate.upcoming === account) account.gate.upcoming = null
    account.attach()
  }

  /** One row has one account: two would each believe to have the whole lease. Retired until a gate takes it. */
  #of(gate: Gate, window: Window): Account {
    const row = rowName(gate.key, window.start)
    const known = this.#rows.get(row)
    if (known !== undefined) {
      // Its gate may have been evicted, and the key have another now.
      if (known.gate !== gate) this.#move(known, gate)
      return known
    }
    const account = new Account(gate, window, row, this.#clock.monotonic())
    this.#rows.set(row, account)
    return account
  }

  #move(account: Account, gate: Gate): void {
    if (account.current) account.detach()
    if (account.gate.upcoming === account) account.gate.upcoming = null
    account.gate = gate
  }
}

function rowName(key: string, period: number): string {
  return `${period}:${key}`
}
