import type { Timer } from '../../core/clock.ts'
import type { Account } from './row-lease.ts'
import type { Accounts } from './lease-table.ts'
import type { Backlog } from '../exchange/send-queue.ts'
import type { Session } from '../session/session.ts'
import type { OpenSettings } from '../api/settings.ts'

/** Accounts looked at in one turn of the event loop when a period ends (L8). */
const SLICE_MAX = 5_000
/** How long before a period's end the next one's lease is fetched, in flush intervals; never more than half the period. */
const AHEAD_FLUSHES = 3

/**
 * Moves gates from one period to the next, and fetches the next period's leases ahead. One timer for all.
 * Late is safe: until it is moved, a gate admits from the past period's lease, which is that period's to give.
 */
export class Periods {
  readonly #settings: OpenSettings
  readonly #session: Session
  readonly #accounts: Accounts
  readonly #backlog: Backlog
  readonly #wake: () => void
  #timer: Timer | null = null
  #edgeAt = Infinity
  #scan: { readonly accounts: Iterator<Account>; nextEdgeAt: number } | null = null

  constructor(parts: {
    readonly settings: OpenSettings
    readonly session: Session
    readonly accounts: Accounts
    readonly backlog: Backlog
    readonly wake: () => void
  }) {
    this.#settings = parts.settings
    this.#session = parts.session
    this.#accounts = parts.accounts
    this.#backlog = parts.backlog
    this.#wake = parts.wake
  }

  /** The account holds a lease: its period's edges are watched. */
  watch(account: Account): void {
    const edgeAt = this.#edgeOf(account)
    if (this.#scan !== null) this.#scan.nextEdgeAt = Math.min(this.#scan.nextEdgeAt, edgeAt)
    else if (edgeAt < this.#edgeAt) this.#arm(edgeAt)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#edgeAt = Infinity
    this.#scan = null
  }

  #edgeOf(account: Account): number {
    const { window, gate } = account
    if (window.end === Infinity || !account.current) return Infinity
    const fetchAt = window.end - this.#aheadMs(account)
    return gate.upcoming === null && fetchAt > this.#session.time ? fetchAt : window.end
  }

  #aheadMs({ window }: Account): number {
    return Math.min((window.end - window.start) / 2, AHEAD_FLUSHES * this.#settings.flushIntervalMs)
  }

  #arm(edgeAt: number): void {
    this.#timer?.cancel()
    this.#edgeAt = edgeAt
    if (edgeAt === Infinity) return
    this.#timer = this.#settings.clock.timer(Math.max(0, edgeAt - this.#session.time), () => this.#onEdge())
  }

  #onEdge(): void {
    this.#scan = { accounts: this.#accounts.all(), nextEdgeAt: Infinity }
    this.#edgeAt = Infinity
    this.#scanSlice()
  }

  #scanSlice(): void {
    const scan = this.#scan
    if (scan === null) return
    for (let looked = 0; looked < SLICE_MAX; looked += 1) {
      const next = scan.accounts.next()
      if (next.done === true) {
        this.#scan = null
        this.#arm(scan.nextEdgeAt)
        this.#wake()
        return
      }
      this.#visit(next.value, this.#session.time)
      scan.nextEdgeAt = Math.min(scan.nextEdgeAt, this.#edgeOf(next.value))
    }
    this.#settings.clock.soon(() => this.#scanSlice())
  }

  #visit(account: Account, time: number): void {
    if (!account.current || account.window.end === Infinity) return
    if (account.window.end <= time) {
      this.#accounts.advance(account)
      this.#backlog.markDirty(account)
      return
    }
    const isNear = account.window.end - this.#aheadMs(account) <= time
    if (isNear && account.gate.upcoming === null) this.#fetchAhead(account)
  }

  /** Only where somebody has spent of late: an idle budget loads when it is asked. */
  #fetchAhead(account: Account): void {
    const { plan } = account.gate
    const idleMs = this.#settings.clock.monotonic() - account.spentAtMs
    const wanted = account.held > 0 && plan.atRisk > 0 && idleMs <= this.#aheadMs(account)
    if (!wanted) return
    this.#backlog.markUrgent(this.#accounts.fetchAhead(account))
  }
}
