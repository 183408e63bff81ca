import type { Reservation } from '../index.ts'
import type { Ended } from './ended.ts'
import type { HttpClock } from './http-clock.ts'
import { type IsRefunded, printError, type Spent } from './spent.ts'

/** What a handler says of work whose cost was not known before. */
export interface Charge {
  /**
   * Counts units (default 1) as used, of the budget of that name, else of all. True while what was reserved covers them. False is a reason to stop: what
   * is used beyond it is taken from the budget as far as there is something. Where nothing is ever metered, all that was reserved stays spent.
   * @throws TypeError for an unknown name; TypeError, RangeError for what is no number of units
   */
  meter(units?: number, name?: string): boolean
}

interface ReservedPart {
  readonly name: string
  readonly reservation: Reservation
  isMetered: boolean
}

export interface ReservedTerms {
  readonly isRefunded: IsRefunded | null
  readonly clock: HttpClock
  /** Null: the store ends them. */
  readonly ttlMs: number | null
}

/** Units that are set aside until the response has ended, or their time is over. */
export class ReservedUnits implements Spent, Charge {
  readonly isWatched = true
  readonly #parts: readonly ReservedPart[]
  readonly #isRefunded: IsRefunded | null
  readonly #timer: { cancel(): void } | null
  #isOver = false

  constructor(
    reserved: readonly { readonly name: string; readonly reservation: Reservation }[],
    { isRefunded, clock, ttlMs }: ReservedTerms,
  ) {
    this.#parts = reserved.map((one) => ({ ...one, isMetered: false }))
    this.#isRefunded = isRefunded
    this.#timer = ttlMs === null ? null : clock.timer(ttlMs, () => this.#finish(() => false))
  }

  meter(units = 1, name?: string): boolean {
    const parts = name === undefined ? this.#parts : this.#parts.filter((part) => part.name === name)
    if (parts.length === 0)
      throw new TypeError(`name must be one of ${this.#parts.map((part) => part.name).join(', ')}`)
    let isCovered = true
    for (const part of parts) {
      if (!part.reservation.meter(units)) isCovered = false
      part.isMetered = true
    }
    return isCovered
  }

  abandon(): void {
    this.#finish(() => true)
  }

  end(ended: Ended): void {
    this.#finish(() => this.#isRefunded?.(ended) === true)
  }

  #finish(isRefunded: () => boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    let isBack = false
    try {
      isBack = isRefunded()
    } catch (error) {
      printError(error)
    }
    for (const part of this.#parts) settle(part, isBack).catch(printError)
  }
}

async function settle({ reservation, isMetered }: ReservedPart, isBack: boolean): Promise<void> {
  if (isBack) await reservation.cancel()
  else await (isMetered ? reservation.settle() : reservation.settle(reservation.units))
}
