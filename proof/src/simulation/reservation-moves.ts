import type { ReservationLot, ReservationRow } from '../../../packages/vsa/dist/index.js'
import { rowName } from './process-totals.ts'

/** Units of a budget row that reservations hold: set aside, and used. */
export interface Held {
  readonly reserved: number
  readonly used: number
}

export const NOTHING_HELD: Held = { reserved: 0, used: 0 }

/** Sums of what reservations hold, by budget row, and of counters by key. Of changes: what they move. */
export class ReservationSums {
  readonly #budgets = new Map<string, Held>()
  readonly #counters = new Map<string, number>()

  of(name: string): Held {
    return this.#budgets.get(name) ?? NOTHING_HELD
  }

  get names(): IterableIterator<string> {
    return this.#budgets.keys()
  }

  counter(key: string): number {
    return this.#counters.get(key) ?? 0
  }

  get counters(): IterableIterator<string> {
    return this.#counters.keys()
  }

  /** @param times 1 adds, -1 takes away */
  add({ lots }: Pick<ReservationRow, 'lots'>, times: 1 | -1): void {
    for (const lot of lots) this.#addLot(lot, times)
  }

  /** R6: a reservation is forgotten. What it had captured is used from then on, and what it had used stays so. */
  forget({ lots }: Pick<ReservationRow, 'lots'>): void {
    for (const lot of lots) {
      if (lot.state === 'final') continue
      for (const { key, period, charged } of lot.sources)
        if (period !== null) this.#move(rowName(key, period), -charged, charged)
    }
  }

  /**
   * P6: a reservation is deleted with one of its budgets. What an open one had set aside goes back, and what one that is over had kept is used.
   * @param now ms since 1970
   */
  delete({ lots, onExpire }: Pick<ReservationRow, 'lots' | 'onExpire'>, now: number): void {
    for (const { state, expiresAt, sources } of lots) {
      if (state === 'final') continue
      const isOver = state === 'expired' || expiresAt <= now
      const isKept = isOver && (state === 'expired' || onExpire === 'capture')
      for (const { key, period, charged } of sources) {
        if (period !== null) this.#move(rowName(key, period), -charged, isKept ? charged : 0)
        else if (!isKept) this.#counters.set(key, this.counter(key) - charged)
      }
    }
  }

  #addLot({ state, sources }: ReservationLot, times: 1 | -1): void {
    for (const { key, period, charged, refunded } of sources) {
      const kept = times * (charged - (refunded ?? 0))
      if (period === null) this.#counters.set(key, this.counter(key) + kept)
      else if (state === 'final') this.#move(rowName(key, period), 0, kept)
      else this.#move(rowName(key, period), times * charged, 0)
    }
  }

  #move(name: string, reserved: number, used: number): void {
    const before = this.of(name)
    this.#budgets.set(name, { reserved: before.reserved + reserved, used: before.used + used })
  }
}
