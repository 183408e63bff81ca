import type { Clock } from '../core/clock.ts'
import type { Window } from '../core/plan.ts'
import { Account } from './account.ts'
import type { Gate } from './gate.ts'
import type { Session } from './session.ts'

/** Which account serves which row. One row has at most one account, whether its gate admits from it now, later, or no more. */
export class Accounts {
  readonly #clock: Clock
  readonly #session: Session
  readonly #gateOf: (key: string) => Gate | undefined
  /** Accounts whose gate has moved on, by row: they settle, return and refund what is left. */
  readonly #past = new Map<string, Account>()
  /** Every account, the longest untouched first: what nobody uses goes back and is forgotten, without a scan of the others (G3). */
  readonly #all = new Set<Account>()
  #leasedUnits = 0
  #closing = false

  constructor(clock: Clock, session: Session, gateOf: (key: string) => Gate | undefined) {
    this.#clock = clock
    this.#session = session
    this.#gateOf = gateOf
  }

  /** The account that `gate` admits from now; made, or moved to the present period, where needed. */
  current(gate: Gate): Account {
    const window = gate.plan.windowAt(this.#session.time)
    if (gate.account !== null && gate.account.window.end >= window.end) return gate.account
    if (gate.account !== null) this.advance(gate.account)
    else this.#attachUpcoming(gate)
    // Whoever slept through a period or more has the row of one that is over.
    while (gate.account !== null && gate.account.window.end < window.end) this.retire(gate.account)
    if (gate.account !== null) return gate.account
    if (this.#closing) return this.#pastAccount(gate, window)
    const account = this.#make(gate, window)
    account.attach()
    return account
  }

  /** The account's period is over: its gate goes on with the row that was fetched ahead, if there is one. */
  advance(account: Account): void {
    this.retire(account)
    this.#attachUpcoming(account.gate)
  }

  /** The row of the next period, fetched ahead. */
  fetchAhead(account: Account): Account {
    const { gate } = account
    const window = gate.plan.after(account.window)
    const upcoming = this.#make(gate, window)
    upcoming.usedAtMs = this.#clock.monotonic() + Math.max(0, window.start - this.#session.time)
    upcoming.hold = account.hold
    gate.upcoming = upcoming
    return upcoming
  }

  /** The account of any period's row, for refunds: without a gate that admits from it unless it is the present one. */
  ofWindow(gate: Gate, window: Window): Account {
    const present = gate.plan.windowAt(this.#session.time)
    if (window.start === present.start) return this.current(gate)
    if (gate.upcoming?.window.start === window.start) return gate.upcoming
    return this.#pastAccount(gate, window)
  }

  /** The account of a row that the store names; undefined when nothing is kept of it. */
  find(key: string, period: number): Account | undefined {
    const past = this.#past.get(`${period}:${key}`)
    if (past !== undefined) return past
    const gate = this.#gateOf(key)
    if (gate?.account?.window.start === period) return gate.account
    return gate?.upcoming?.window.start === period ? gate.upcoming : undefined
  }

  /** The gate moves on: nothing more is admitted from the account, and its lease goes back. */
  retire(account: Account): void {
    const { gate } = account
    if (account.current) account.detach()
    if (gate.upcoming === account) gate.upcoming = null
    account.retired = true
    this.#past.set(rowName(account), account)
  }

  /** From now on no gate admits. What each account has to say is still sent. */
  retireAll(): void {
    this.#closing = true
    for (const account of this.#all) this.retire(account)
  }

  get size(): number {
    return this.#all.size
  }

  /** Units leased to this owner, as of the last answers. */
  get leasedUnits(): number {
    return this.#leasedUnits
  }

  /** The longest untouched first. */
  all(): IterableIterator<Account> {
    return this.#all.values()
  }

  /** The account's answer is there: it was touched, and its lease may have changed. */
  touch(account: Account, heldBefore: number): void {
    this.#leasedUnits += account.held - heldBefore
    this.#all.delete(account)
    this.#all.add(account)
  }

  /** Forgets the account when there is nothing to keep of it. */
  dropIfIdle(account: Account): boolean {
    if (!account.idle) return false
    if (account.current) account.detach()
    if (account.gate.upcoming === account) account.gate.upcoming = null
    this.#past.delete(rowName(account))
    return this.#all.delete(account)
  }

  /** Never before its period begins (O11). */
  #attachUpcoming(gate: Gate): void {
    const { upcoming } = gate
    if (upcoming === null || upcoming.window.start > this.#session.time) return
    gate.upcoming = null
    upcoming.attach()
  }

  #pastAccount(gate: Gate, window: Window): Account {
    const known = this.#past.get(`${window.start}:${gate.key}`)
    if (known !== undefined) return known
    const account = this.#make(gate, window)
    account.retired = true
    this.#past.set(rowName(account), account)
    return account
  }

  #make(gate: Gate, window: Window): Account {
    const account = new Account(gate, window, gate.knownWindow?.start === window.start, this.#clock.monotonic())
    this.#all.add(account)
    return account
  }
}

function rowName(account: Account): string {
  return `${account.window.start}:${account.gate.key}`
}
