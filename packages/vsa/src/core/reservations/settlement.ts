import { RowDraft } from '../row-draft.ts'
import type { ReservationLot } from '../rows.ts'
import type { BookedReservation } from './booked-reservation.ts'
import { charge, consume, drawInOrder, lastFirst, release, type SourceDraft, sum } from './sources.ts'

/** How long a reservation is remembered once it is settled, expired or given back, in ms of store time (R6). */
export const RESERVATION_KEPT_MS: number = 7 * 86_400_000

/** A lot with the rows that its units came from, in order; undefined for a row that was removed. */
export interface OpenedLot {
  readonly booked: BookedReservation
  readonly at: number
  readonly lot: ReservationLot
  readonly sources: readonly (SourceDraft | undefined)[]
}

/** When a settlement takes place. */
export interface SettlementTime {
  /** Store time, ms since 1970. */
  readonly time: number
  /** F3: units may be given back, and none are taken. */
  readonly isFrozen: boolean
}

/** R4, V3: of a lot that is not final. Less comes back from the last source, more is taken in order, as far as it is there. @returns the lot after it */
export function settleLot({ lot, sources }: OpenedLot, actual: number, at: SettlementTime): ReservationLot {
  const charges = lot.sources.map(({ charged }) => charged)
  const before = sum(charges)
  const back = lastFirst(charges, Math.max(0, before - actual))
  const more = Math.max(0, actual - before)
  const got = drawInOrder(at.isFrozen ? sources.map(() => undefined) : sources, more)
  const charged = charges.map((units, index) => units - (back[index] ?? 0) + (got[index] ?? 0))
  sources.forEach((source, index) => {
    release(source, back[index] ?? 0)
    consume(source, (charges[index] ?? 0) - (back[index] ?? 0))
    charge(source, got[index] ?? 0, 'used')
  })
  return {
    ...lot,
    ...{ uncovered: more - sum(got), state: 'final', keepUntil: at.time + RESERVATION_KEPT_MS },
    sources: lot.sources.map(({ key, period, refunded }, index) => ({
      key,
      period,
      charged: charged[index] ?? 0,
      refunded,
      resets: resetsOf(sources[index]),
    })),
  }
}

function resetsOf(source: SourceDraft | undefined): number {
  return source instanceof RowDraft ? source.resets : 0
}
