/** The longest pause between two reads of a row that is asked for and lacks the units, in ms (O12). */
export const READ_PAUSE_LONGEST_MS = 1_000
/** A row is kept for this long after a denial, in ms, so that the next one is from memory. */
const DENIAL_KEPT_MS = READ_PAUSE_LONGEST_MS + 100

/** What follows for a row when units of it were denied: when it is read again (O12), and how long it is kept. Most rows have none. */
export class RowDenials {
  /** When the figures came, by an answer or a read; -Infinity where they are not relied on. */
  heardAtMs: number
  /** How long they are relied on, before the row is read again. */
  readPauseMs: number
  /** In the list of rows to be read, or being read. */
  isToRead = false
  /** Units were denied. */
  hasDenied = false
  /** How long the lease is kept after each use, in ms, where that is longer than other leases are. */
  leaseKeptMs = 0
  /** The row is kept until then although it is not used, and so is its lease. */
  #keptUntilMs = -Infinity
  #leaseKeptUntilMs = -Infinity

  constructor(heardAtMs: number, readPauseMs: number) {
    this.heardAtMs = heardAtMs
    this.readPauseMs = Math.min(readPauseMs, READ_PAUSE_LONGEST_MS)
  }

  deny(nowMs: number): void {
    this.hasDenied = true
    this.keep(nowMs)
  }

  /** For as long as its figures count. */
  keep(nowMs: number): void {
    this.#keptUntilMs = nowMs + DENIAL_KEPT_MS
  }

  /** The lease is asked for, or used. */
  use(nowMs: number): void {
    this.#leaseKeptUntilMs = nowMs + this.leaseKeptMs
  }

  /** Figures have come. Those that show more end the pause; a read that shows no more doubles it. */
  heard(nowMs: number, pauseFirstMs: number, news: { readonly isRead: boolean; readonly hasMore: boolean }): void {
    const pauseMs = news.hasMore ? pauseFirstMs : this.readPauseMs * (news.isRead ? 2 : 1)
    this.readPauseMs = Math.min(pauseMs, READ_PAUSE_LONGEST_MS)
    this.heardAtMs = nowMs
  }

  isKept(nowMs: number, hasLease: boolean): boolean {
    return nowMs < this.#keptUntilMs || (hasLease && nowMs < this.#leaseKeptUntilMs)
  }
}
