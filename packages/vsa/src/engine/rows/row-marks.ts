const KNOWN = 1
const RETIRED = 2
const QUARANTINED = 4
const AWAITED = 8
const GROWN = 16
const LISTED = 32

/** What is true of a row or not, in one small integer: a field for each would take eight times as much memory. */
export class RowMarks {
  #marks = RETIRED

  /** This owner has seen the row: the store must have it (S4). */
  get isKnown(): boolean {
    return this.#has(KNOWN)
  }

  set isKnown(is: boolean) {
    this.#mark(KNOWN, is)
  }

  /** No gate admits from it, and its lease goes back: its period is over or has not begun, or the engine closes. So it is made. */
  get isRetired(): boolean {
    return this.#has(RETIRED)
  }

  set isRetired(is: boolean) {
    this.#mark(RETIRED, is)
  }

  /** Its books did not balance: nothing more is sent or admitted (S6). */
  get isQuarantined(): boolean {
    return this.#has(QUARANTINED)
  }

  set isQuarantined(is: boolean) {
    this.#mark(QUARANTINED, is)
  }

  /** A request was queued while an exchange for this row was in flight: its answer may serve the request. */
  get isAwaited(): boolean {
    return this.#has(AWAITED)
  }

  set isAwaited(is: boolean) {
    this.#mark(AWAITED, is)
  }

  /** The last answer brought a larger lease than the one before. */
  get hasGrown(): boolean {
    return this.#has(GROWN)
  }

  set hasGrown(is: boolean) {
    this.#mark(GROWN, is)
  }

  /** In the send queue's list of rows that were dirty. It may have been sent since. */
  get isListed(): boolean {
    return this.#has(LISTED)
  }

  set isListed(is: boolean) {
    this.#mark(LISTED, is)
  }

  #has(mark: number): boolean {
    return (this.#marks & mark) !== 0
  }

  #mark(mark: number, is: boolean): void {
    this.#marks = is ? this.#marks | mark : this.#marks & ~mark
  }
}
