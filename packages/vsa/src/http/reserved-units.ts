import { type Budget, type Reservation, VsaError } from '../index.ts'
import type { Ended } from './ended.ts'
import type { HttpClock } from './http-clock.ts'
import { type IsRefunded, printError, type Spent, whenAsked } from './spent.ts'

/** The store is asked again so often, with such pauses: for five minutes, the default of `ttlMs`. */
const SETTLE_TRIES_MAX = 60
const SETTLE_PAUSE_MS = 5_000

/** What a handler says of work whose cost was not known before. */
export interface Charge {
  /**
   * Counts units (default 1) as used, of the budget of that name, else of all. True while what was reserved covers them. False is a reason to stop: what
   * is used beyond it is taken from the budget as far as there is something. Where nothing is ever metered, all that was reserved stays spent.
   * @throws TypeError for an unknown name; TypeError, RangeError for what is no number of units
   */
  meter(units?: number, name?: string): boolean
}

/** What was set aside of one budget. */
export interface Reserved {
  readonly name: string
  readonly budget: Budget
  readonly reservation: Reservation
}

interface ReservedPart extends Reserved {
  isMetered: boolean
  meteredUnits: number
}

export interface ReservedTerms {
  readonly isRefunded: IsRefunded | null
  readonly clock: HttpClock
  readonly ttlMs: number
  /** Called once, when what was not used is about to go back. */
  readonly onOver: () => void
}

/** Units that are set aside until the response has ended, or their time is over. */
export class ReservedUnits implements Spent, Charge {
  readonly isWatched = true
  readonly #parts: readonly ReservedPart[]
  readonly #isRefunded: IsRefunded | null
  readonly #clock: HttpClock
  readonly #onOver: () => void
  readonly #timer: { cancel(): void }
  /** Nothing more is metered. */
  #isOver = false
  #isSettled = false

  constructor(reserved: readonly Reserved[], { isRefunded, clock, ttlMs, onOver }: ReservedTerms) {
    this.#parts = reserved.map((one) => ({ ...one, isMetered: false, meteredUnits: 0 }))
    this.#isRefunded = isRefunded
    this.#clock = clock
    this.#onOver = onOver
    this.#timer = clock.timer(ttlMs, () => this.#settle(false))
  }

  meter(units = 1, name?: string): boolean {
    if (this.#isOver) return false
    const parts = name === undefined ? this.#parts : this.#parts.filter((part) => part.name === name)
    if (parts.length === 0)
      throw new TypeError(`name must be one of ${this.#parts.map((part) => part.name).join(', ')}`)
    let isCovered = true
    for (const part of parts) {
      if (!part.reservation.meter(units)) isCovered = false
      part.isMetered = true
      part.meteredUnits = Math.min(part.meteredUnits + units, Number.MAX_SAFE_INTEGER)
    }
    return isCovered
  }

  abandon(): void {
    this.#finish(() => true)
  }

  end(ended: Ended): void {
    this.#finish(() => this.#isRefunded?.(ended) ?? false)
  }

  #finish(isRefunded: () => boolean | Promise<boolean>): void {
    if (this.#isOver) return
    this.#isOver = true
    // An answer that never comes does not keep the units.
    whenAsked(isRefunded, (isBack) => this.#settle(isBack))
  }

  #settle(isBack: boolean): void {
    if (this.#isSettled) return
    this.#isOver = true
    this.#isSettled = true
    this.#timer.cancel()
    this.#onOver()
    for (const part of this.#parts) this.#settlePart(part, isBack, 1)
  }

  #settlePart(part: ReservedPart, isBack: boolean, tries: number): void {
    settle(part, isBack, tries > 1).catch((error: unknown) => {
      const isAway = error instanceof VsaError && error.statusCode === 503
      if (!isAway || tries >= SETTLE_TRIES_MAX) return printError(error)
      this.#clock.timer(SETTLE_PAUSE_MS, () => this.#settlePart(part, isBack, tries + 1))
    })
  }
}

/** @param isAgain an earlier try may have reached the store: what it says again is its own outcome */
async function settle(part: ReservedPart, isBack: boolean, isAgain: boolean): Promise<void> {
  const { budget, reservation, isMetered, meteredUnits } = part
  const units = isMetered ? meteredUnits : reservation.units
  const { repeated } = await (isBack ? reservation.cancel() : reservation.settle(units))
  if (!repeated || isAgain || isBack || units === 0) return
  // Another request under the same id has settled it: what this one used is taken besides, as far as there is something.
  const besides = await budget.reserve(0)
  await besides?.settle(units)
}
