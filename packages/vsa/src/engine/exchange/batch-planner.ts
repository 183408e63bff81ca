import type { Batch, Entry } from '../../core/exchange.ts'
import { nextHold } from '../../core/lease-sizing.ts'
import type { Account } from '../rows/row-lease.ts'
import type { Accounts } from '../rows/lease-table.ts'
import type { Backlog, FlushRequest } from './send-queue.ts'
import { quarantinedError } from '../api/errors.ts'
import type { Session } from '../session/session.ts'
import type { OpenSettings } from '../api/settings.ts'
import { counterEntryOf, entryOf, isAccount, Loading, type RowOrder, type Shipment } from './batch-builder.ts'
import type { Waiter } from '../requests/pending-request.ts'
import type { Waiters } from '../requests/wait-queue.ts'

/** A lease that nobody has used for this many flush intervals goes back (O6). */
export const IDLE_FLUSHES = 3
/** A want holds for this many flush intervals (O12). */
export const WANT_FLUSHES = 2
const UNKNOWN = { pool: Infinity, othersHeld: 0 }

export interface Composition {
  readonly batch: Pick<Batch, 'entries' | 'takes' | 'close'>
  readonly shipment: Shipment
}

/** Makes the next batch out of what waits: those who wait first, then what is urgent, then, when a flush is due, all that changed. */
export class Composer {
  readonly #settings: OpenSettings
  readonly #session: Session
  readonly #accounts: Accounts
  readonly #waiters: Waiters
  readonly #backlog: Backlog

  constructor(settings: OpenSettings, session: Session, accounts: Accounts, waiters: Waiters, backlog: Backlog) {
    this.#settings = settings
    this.#session = session
    this.#accounts = accounts
    this.#waiters = waiters
    this.#backlog = backlog
  }

  /**
   * @param lingers a refund that the store does not accept may be sent again
   * @returns null when there is nothing to send
   */
  compose(closing: boolean, lingers: boolean): Composition | null {
    const nowMs = this.#settings.clock.monotonic()
    const loading = new Loading(this.#settings.store.capabilities.batchMax)
    const allWaitersLoaded = this.#loadWaiters(loading, nowMs)
    const load = (account: Account): boolean => account.quarantined || loading.addAccount(account)
    this.#backlog.drainUrgent(load)
    if (this.#backlog.due) this.#backlog.drainDirty(load)
    this.#backlog.drainCounters((counter) => loading.addCounter(counter))
    if (this.#backlog.due) this.#loadUnused(loading, closing, nowMs)
    const complete = this.#backlog.due && allWaitersLoaded && !loading.full
    const flushes = complete ? this.#backlog.takeFlushes() : []
    const returning = this.#backlog.returning || flushes.some((flush) => flush.returnLeases)
    if (complete) this.#backlog.due = false
    // Nobody may wait for the last batch: what is given back or asked for behind it has no way to the store any more.
    const close = closing && complete && !loading.isAwaited && !(lingers && loading.hasRefund)
    if (loading.rows.length === 0 && !close && !this.#keepaliveDue(nowMs)) {
      for (const flush of flushes) flush.reply.resolve()
      return null
    }
    return this.#make(loading, { close, flushes, returning, nowMs })
  }

  #make(
    loading: Loading,
    order: {
      readonly close: boolean
      readonly flushes: readonly FlushRequest[]
      readonly returning: boolean
      readonly nowMs: number
    },
  ): Composition {
    const takes = loading.takes()
    const entries: Entry[] = []
    for (const row of loading.rows) {
      if (isAccount(row)) entries.push(entryOf(row, this.#orderFor(row, order.returning, order.nowMs), order.nowMs))
      else entries.push(counterEntryOf(row))
    }
    loading.clearPlaces()
    for (const run of loading.runs) this.#waiters.send(run.waiters)
    const { close, flushes } = order
    return { batch: { entries, takes, close }, shipment: { rows: [...loading.rows], runs: loading.runs, flushes } }
  }

  #orderFor(account: Account, returning: boolean, nowMs: number): RowOrder {
    const { flushIntervalMs } = this.#settings
    const asksAgain = account.wants && nowMs >= account.wantAgainAtMs
    if (asksAgain) account.wantAgainAtMs = nowMs + flushIntervalMs
    return {
      hold: returning ? 0 : this.#holdFor(account, nowMs),
      wantMs: asksAgain ? WANT_FLUSHES * flushIntervalMs : 0,
      policy: account.known ? undefined : account.gate.plan.rowPolicy(account.window, this.#session.version),
    }
  }

  /** O6, O7, O12 */
  #holdFor(account: Account, nowMs: number): number {
    const { flushIntervalMs } = this.#settings
    const { plan } = account.gate
    const { figures } = account
    if (account.retired || account.yields || plan.atRisk === 0 || nowMs < account.recalledUntilMs) return 0
    if (figures !== null && figures.burned >= plan.burnMax) return 0
    const isFirstRequest = figures === null && account.takers === 1
    if (account.gate.sparse && isFirstRequest) return 0
    const spent = account.spentSince + account.demand
    if (spent === 0 && nowMs - account.usedAtMs >= IDLE_FLUSHES * flushIntervalMs) return 0
    return nextHold({
      hold: account.hold,
      spent,
      elapsedMs: nowMs - account.sentAtMs,
      flushIntervalMs,
      exchangeMs: this.#session.exchangeMs,
      atRisk: plan.atRisk,
      available: figures === null ? Infinity : Math.max(figures.pool, 0) + account.held,
      others: figures?.others ?? 0,
    })
  }

  /** @returns whether all who wait have a place */
  #loadWaiters(loading: Loading, nowMs: number): boolean {
    return this.#waiters.drain((waiter) => this.#loadWaiter(loading, waiter, nowMs))
  }

  #loadWaiter(loading: Loading, waiter: Waiter, nowMs: number): boolean {
    return this.#joinRun(loading, waiter, nowMs) || this.#loadAnyWaiter(loading, waiter, nowMs)
  }

  /** Most requests are for what their neighbour in line asks: they join its run, and nothing is made for them. */
  #joinRun(loading: Loading, waiter: Waiter, nowMs: number): boolean {
    const [need, second] = waiter.needs
    if (need === undefined || second !== undefined) return false
    const account = this.#accounts.current(need.gate.family.live(need.gate))
    if (account.quarantined || !loading.joinRun(account, need.units, waiter)) return false
    account.takers += 1
    noteDemand(account, waiter, need.units, nowMs)
    return true
  }

  #loadAnyWaiter(loading: Loading, waiter: Waiter, nowMs: number): boolean {
    const accounts = waiter.needs.map(({ gate }) => this.#takerOf(gate.family.live(gate)))
    const bad = accounts.find((account) => account.quarantined)
    if (bad !== undefined) {
      for (const account of accounts) account.takers -= 1
      this.#waiters.tell(waiter, { kind: 'failed', error: quarantinedError(bad.gate) })
      return true
    }
    if (!loading.addWaiter(waiter, accounts)) {
      for (const account of accounts) account.takers -= 1
      return false
    }
    for (const [index, account] of accounts.entries())
      noteDemand(account, waiter, waiter.needs[index]?.units ?? 0, nowMs)
    return true
  }

  /** Counted as in use at once, so that making room for the next gate cannot evict this one. */
  #takerOf(gate: Account['gate']): Account {
    const account = this.#accounts.current(gate)
    account.takers += 1
    return account
  }

  /** O6: leases that nobody uses go back, and accounts with nothing to keep are forgotten; when closing, all of them. */
  #loadUnused(loading: Loading, closing: boolean, nowMs: number): void {
    const everything = closing || this.#backlog.returning
    const unusedBeforeMs = nowMs - IDLE_FLUSHES * this.#settings.flushIntervalMs
    for (const account of this.#accounts.all()) {
      if (loading.full) return
      if (!everything && account.usedAtMs > unusedBeforeMs) return
      if (account.entryAt >= 0 || account.quarantined || this.#accounts.dropIfIdle(account)) continue
      if (account.held > 0) loading.addAccount(account)
    }
  }

  #keepaliveDue(nowMs: number): boolean {
    return this.#accounts.leasedUnits > 0 && nowMs >= this.#session.keepaliveAtMs
  }
}

/** What the request says about the row: how large a lease would have served it, and whether the pool lacks its units. */
function noteDemand(account: Account, waiter: Waiter, units: number, nowMs: number): void {
  if (!waiter.durable) {
    account.demand += units
    account.spentAtMs = nowMs
  }
  account.usedAtMs = Math.max(account.usedAtMs, nowMs)
  const { pool, othersHeld } = account.figures ?? UNKNOWN
  if (waiter.refused || units > pool) account.yields = true
  if (waiter.refused && units > pool && othersHeld > 0) account.wants = true
}
