import { RowDraft } from '../row-draft.ts'
import type { ReservationSource } from '../rows.ts'
import { damageOf, type ReservationBooks } from './books.ts'
import type { ChangeOutcome, ReservationChange } from './messages.ts'
import { type OpenedLot, RESERVATION_KEPT_MS, settleLot } from './settlement.ts'
import { charge, drawInOrder, lastFirst, type SourceDraft, sum } from './sources.ts'

/** Applies one change. `isFrozen` (F3): it may give units back, and takes none. A damaged row stops the reservations that need it alone. */
export function applyChange(books: ReservationBooks, change: ReservationChange, isFrozen: boolean): ChangeOutcome {
  try {
    const lot = books.lot(change.key, change.id)
    if (lot === undefined) return { kind: 'unknown' }
    switch (change.op) {
      case 'settle':
        return settle(books, lot, change.units, isFrozen)
      case 'extend':
        return extend(books, lot, change, isFrozen)
      case 'refund':
        return refund(books, lot, change.units)
    }
  } catch (error) {
    return { kind: 'damaged', detail: damageOf(error) }
  }
}

/** R4: once, open or expired. */
function settle(books: ReservationBooks, opened: OpenedLot, actual: number, isFrozen: boolean): ChangeOutcome {
  const repeated = opened.lot.state === 'final'
  const lot = repeated ? opened.lot : settleLot(opened, actual, { time: books.time, isFrozen })
  if (!repeated) books.replace(opened, lot)
  return {
    kind: 'settled',
    settled: sum(lot.sources.map(({ charged }) => charged)),
    uncovered: lot.uncovered,
    repeated,
  }
}

/** R5: absolute, so a repeat changes nothing. */
function extend(
  books: ReservationBooks,
  opened: OpenedLot,
  { units: wanted, ttlMs }: Pick<Extract<ReservationChange, { op: 'extend' }>, 'units' | 'ttlMs'>,
  isFrozen: boolean,
): ChangeOutcome {
  const { lot, sources } = opened
  if (lot.state !== 'open') return { kind: 'not_open', state: lot.state }
  const lacking = Math.max(0, wanted - lot.units)
  const more = drawInOrder(isFrozen ? sources.map(() => undefined) : sources, lacking)
  if (sum(more) < lacking) return { kind: 'refused' }
  sources.forEach((source, at) => charge(source, more[at] ?? 0, 'reserved'))
  const units = Math.max(lot.units, wanted)
  const expiresAt = Math.max(lot.expiresAt, books.time + ttlMs)
  if (units !== lot.units || expiresAt !== lot.expiresAt)
    books.replace(opened, {
      ...lot,
      ...{ units, expiresAt },
      sources: lot.sources.map((source, at) => ({ ...source, charged: source.charged + (more[at] ?? 0) })),
    })
  return { kind: 'extended', units, expiresAt }
}

/** I2, V3: once, the last source first, from each at most what it was charged and what its row has in `used`. */
function refund(books: ReservationBooks, opened: OpenedLot, asked: number): ChangeOutcome {
  const { lot, sources } = opened
  if (lot.state !== 'final') return { kind: 'not_final', state: lot.state }
  if (lot.sources.some(({ refunded }) => refunded !== null))
    return { kind: 'refunded', units: sum(lot.sources.map(({ refunded }) => refunded ?? 0)), repeated: true }
  const back = lastFirst(
    lot.sources.map((source, at) => refundable(source, sources[at])),
    asked,
  )
  sources.forEach((source, at) => giveBack(source, back[at] ?? 0))
  books.replace(opened, {
    ...lot,
    keepUntil: books.time + RESERVATION_KEPT_MS,
    sources: lot.sources.map((source, at) => ({ ...source, refunded: back[at] ?? 0 })),
  })
  return { kind: 'refunded', units: sum(back), repeated: false }
}

/** A row that was removed, or reset since, gives nothing. */
function refundable({ charged, resets }: ReservationSource, source: SourceDraft | undefined): number {
  if (source === undefined) return 0
  if (!(source instanceof RowDraft)) return charged
  return source.resets === resets ? Math.min(charged, source.used) : 0
}

function giveBack(source: SourceDraft | undefined, units: number): void {
  if (source instanceof RowDraft) source.refund(units)
  else source?.add(-units)
}
