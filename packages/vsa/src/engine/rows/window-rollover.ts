import type { Clock, Timer } from '../../core/clock.ts'
import type { Session } from '../session/session.ts'
import type { LeaseTable } from './lease-table.ts'
import type { LeasedRow } from './leased-row.ts'

/** Rows looked at in one turn of the event loop when a period ends (L8). */
const SLICE_MAX = 5_000
/** How long before a period's end the next one's lease is fetched, in flush intervals; never more than half the period. */
const AHEAD_FLUSHES = 3

export interface RolloverOptions {
  readonly clock: Clock
  readonly flushIntervalMs: number
  readonly session: Pick<Session, 'time'>
  readonly leases: LeaseTable
  /** The row's period is over: its lease goes back with the next flush. */
  readonly markDirty: (row: LeasedRow) => void
  /** The next period's row is to be fetched now. */
  readonly markUrgent: (row: LeasedRow) => void
  /** Sends after this turn. */
  readonly wake: () => void
}

/**
 * Moves gates from one period to the next, and fetches the next period's leases ahead. One timer for all.
 * Late is safe: until it is moved, a gate admits from the past period's lease, whose units belong to that period.
 */
export class WindowRollover {
  readonly #options: RolloverOptions
  #timer: Timer | null = null
  #edgeAt = Infinity
  #scan: { readonly rows: Generator<LeasedRow, void>; nextEdgeAt: number } | null = null

  constructor(options: RolloverOptions) {
    this.#options = options
  }

  /** The row has a lease: the edges of its period are watched. */
  watch(row: LeasedRow): void {
    const edgeAt = this.#edgeOf(row)
    if (this.#scan !== null) this.#scan.nextEdgeAt = Math.min(this.#scan.nextEdgeAt, edgeAt)
    else if (edgeAt < this.#edgeAt) this.#arm(edgeAt)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#edgeAt = Infinity
    this.#scan?.rows.return()
    this.#scan = null
  }

  get #time(): number {
    return this.#options.session.time
  }

  #edgeOf(row: LeasedRow): number {
    const { window, gate } = row
    if (window.end === Infinity || !row.isCurrent) return Infinity
    const fetchAt = window.end - this.#aheadMs(row)
    return gate.upcoming === null && fetchAt > this.#time ? fetchAt : window.end
  }

  #aheadMs({ window }: LeasedRow): number {
    return Math.min((window.end - window.start) / 2, AHEAD_FLUSHES * this.#options.flushIntervalMs)
  }

  #arm(edgeAt: number): void {
    this.#timer?.cancel()
    this.#edgeAt = edgeAt
    if (edgeAt === Infinity) return
    this.#timer = this.#options.clock.timer(Math.max(0, edgeAt - this.#time), () => this.#onEdge())
  }

  #onEdge(): void {
    this.#scan = { rows: this.#options.leases.all(), nextEdgeAt: Infinity }
    this.#edgeAt = Infinity
    this.#scanSlice()
  }

  #scanSlice(): void {
    const scan = this.#scan
    if (scan === null) return
    for (let looked = 0; looked < SLICE_MAX; looked += 1) {
      const next = scan.rows.next()
      if (next.done === true) {
        this.#scan = null
        this.#arm(scan.nextEdgeAt)
        this.#options.wake()
        return
      }
      this.#visit(next.value, this.#time)
      scan.nextEdgeAt = Math.min(scan.nextEdgeAt, this.#edgeOf(next.value))
    }
    this.#options.clock.soon(() => this.#scanSlice())
  }

  #visit(row: LeasedRow, time: number): void {
    if (!row.isCurrent || row.window.end === Infinity) return
    if (row.window.end <= time) {
      this.#options.leases.advance(row)
      this.#options.markDirty(row)
      return
    }
    const isNear = row.window.end - this.#aheadMs(row) <= time
    if (isNear && row.gate.upcoming === null) this.#fetchAhead(row)
  }

  /** Only for rows that were spent from lately: an idle budget loads when it is asked. */
  #fetchAhead(row: LeasedRow): void {
    const idleMs = this.#options.clock.monotonic() - row.schedule.spentAtMs
    const isWanted = row.held > 0 && row.plan.atRisk > 0 && idleMs <= this.#aheadMs(row)
    if (isWanted) this.#options.markUrgent(this.#options.leases.fetchAhead(row))
  }
}
