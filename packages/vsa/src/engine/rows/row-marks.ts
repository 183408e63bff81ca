const KNOWN = 1
const RETIRED = 2
const QUARANTINED = 4
const AWAITED = 8
const GROWN = 16
const LISTED = 32
const LEASED = 64
const SPENT = 128
const DELETED = 256
const USED = 512

/** What is true of a row or not, in one small integer: a field for each would take eight times as much memory. */
export class RowMarks {
  #marks = RETIRED

  /** This owner has seen the row: the store must have it (S4). */
  get isKnown(): boolean {
    return (this.#marks & KNOWN) !== 0
  }

  set isKnown(is: boolean) {
    this.#marks = withMark(this.#marks, KNOWN, is)
  }

  /** No gate admits from it, and its lease goes back: its period is over or has not begun, or the engine closes. So it is made. */
  get isRetired(): boolean {
    return (this.#marks & RETIRED) !== 0
  }

  set isRetired(is: boolean) {
    this.#marks = withMark(this.#marks, RETIRED, is)
  }

  /** Its books did not balance: nothing more is sent or admitted (S6). */
  get isQuarantined(): boolean {
    return (this.#marks & QUARANTINED) !== 0
  }

  set isQuarantined(is: boolean) {
    this.#marks = withMark(this.#marks, QUARANTINED, is)
  }

  /** A request was queued while an exchange for this row was in flight: its answer may serve the request. */
  get isAwaited(): boolean {
    return (this.#marks & AWAITED) !== 0
  }

  set isAwaited(is: boolean) {
    this.#marks = withMark(this.#marks, AWAITED, is)
  }

  /** The last answer brought a larger lease than the one before. */
  get hasGrown(): boolean {
    return (this.#marks & GROWN) !== 0
  }

  set hasGrown(is: boolean) {
    this.#marks = withMark(this.#marks, GROWN, is)
  }

  /** In the send queue's list of rows that were dirty. It may have been sent since. */
  get isListed(): boolean {
    return (this.#marks & LISTED) !== 0
  }

  set isListed(is: boolean) {
    this.#marks = withMark(this.#marks, LISTED, is)
  }

  /** There was a lease on this row, which may be gone. */
  get wasLeased(): boolean {
    return (this.#marks & LEASED) !== 0
  }

  set wasLeased(is: boolean) {
    this.#marks = withMark(this.#marks, LEASED, is)
  }

  /** P6: the last answer told that the row was deleted: the next entry makes a fresh one. */
  get isDeleted(): boolean {
    return (this.#marks & DELETED) !== 0
  }

  set isDeleted(is: boolean) {
    this.#marks = withMark(this.#marks, DELETED, is)
  }

  /** One of those leases was spent from. */
  get wasSpent(): boolean {
    return (this.#marks & SPENT) !== 0
  }

  set wasSpent(is: boolean) {
    this.#marks = withMark(this.#marks, SPENT, is)
  }

  /** Spent from since the last send, although all of it may have been given back: the hot path counts neither. */
  get isUsed(): boolean {
    return (this.#marks & USED) !== 0
  }

  set isUsed(is: boolean) {
    this.#marks = withMark(this.#marks, USED, is)
  }
}

/** Not a private method: each object of a class that has one keeps a field for it. */
function withMark(marks: number, mark: number, is: boolean): number {
  return is ? marks | mark : marks & ~mark
}
