import type { StoreTime, SweepRows } from '../adapter.ts'
import type { Writes } from '../written-rows.ts'
import { CounterDraft } from '../counter-draft.ts'
import { pruneTimeOf } from '../leap.ts'
import type { RowName } from '../exchange.ts'
import { RowDraft } from '../row-draft.ts'
import type { MintRow, ReservationRow } from '../rows.ts'
import { writesOf } from '../writes.ts'
import { damageOf, ReservationBooks } from './books.ts'
import type { DroppedIntent, MintIntent } from './intents.ts'
import { isOpen, nameOf, sweepAtOf } from './names.ts'
import { consume, type SourceDraft, SourceDrafts } from './sources.ts'

/** Stands for no epoch: the first one is 1. */
const NO_EPOCH = 0

/**
 * T1, R3, R6: applies intents, ends reservations whose time has passed, and forgets those that were settled, expired or given back long ago. Pure, and
 * bounded by what was loaded. A reservation or a mint whose row cannot be read stays, and the others go on.
 * @param isFrozen F3: nothing is taken
 * @returns null when there is nothing to do
 */
export function sweep({ due, sources, intents = [] }: SweepRows, at: StoreTime, isFrozen = false): Writes | null {
  const time = pruneTimeOf(at)
  const settlements = intents.filter((intent) => intent.op === 'settle')
  const drafts = new SourceDrafts([], sources)
  const books = new ReservationBooks(due, drafts, time, { intents: settlements, isFrozen })
  for (const { key, id } of settlements) find(books, key, id)
  const removed = due.filter((row) => isForgotten(books, row, time))
  const minted = mintIntents(
    intents.filter((intent) => intent.op === 'mint'),
    drafts,
  )
  const reservations = books.writes
  const removedIntents = [...books.removedIntents, ...minted.removedIntents]
  if (reservations.length + removed.length + removedIntents.length === 0) return null
  const budgets = drafts.own.flatMap((draft) => (draft instanceof CounterDraft ? [] : draft))
  for (const draft of budgets) draft.assertBalanced()
  return writesOf(at.time, {
    reservations,
    removedReservations: removed,
    mints: minted.mints,
    removedIntents,
    droppedIntents: [...books.droppedIntents, ...minted.droppedIntents],
    budgets: budgets.flatMap((draft) => draft.write() ?? []),
    leases: budgets.flatMap((draft) => draft.leaseWrites(NO_EPOCH)),
    counters: drafts.own.flatMap((draft) =>
      draft instanceof CounterDraft && draft.isChanged ? { key: draft.key, value: draft.value } : [],
    ),
  })
}

/** As it is now; undefined also where a row of it cannot be read, or does not balance. */
function find(books: ReservationBooks, key: string, id: string): ReservationRow | undefined {
  try {
    return books.find(key, id)
  } catch (error) {
    damageOf(error)
    return undefined
  }
}

/** Counts its end. @returns whether it is forgotten: what was captured is used from now on */
function isForgotten(books: ReservationBooks, loaded: ReservationRow, time: number): boolean {
  const row = find(books, loaded.key, loaded.id)
  if (row === undefined || row.lots.some(isOpen) || sweepAtOf(row) > time) return false
  try {
    for (const { lot, sources } of books.opened(row))
      if (lot.state === 'expired') lot.sources.forEach(({ charged }, index) => consume(sources[index], charged))
    return true
  } catch (error) {
    damageOf(error)
    return false
  }
}

/** T1, L3: the id counts once, directly or by an intent. One whose row is not there, or cannot be read, stays. */
function mintIntents(
  intents: readonly MintIntent[],
  drafts: SourceDrafts,
): Pick<Writes, 'mints' | 'removedIntents' | 'droppedIntents'> {
  const [mints, removedIntents, droppedIntents]: [MintRow[], number[], DroppedIntent[]] = [[], [], []]
  const known = new Map<string, number>()
  for (const { number, op, key, id, units, period, mintedBefore } of intents) {
    const row = draftFor(drafts, { key, period })
    if (!(row instanceof RowDraft)) continue
    const name = nameOf(key, id)
    const outcome = row.mint({ units }, known.get(name) ?? mintedBefore)
    removedIntents.push(number)
    if (outcome === 'id_conflict' || outcome === 'units_overflow')
      droppedIntents.push({ number, op, key, id, units, reason: outcome })
    if (outcome !== 'minted') continue
    known.set(name, units)
    mints.push({ key, id, units })
  }
  return { mints, removedIntents, droppedIntents }
}

function draftFor(drafts: SourceDrafts, name: RowName): SourceDraft | undefined {
  try {
    return drafts.find(name)
  } catch (error) {
    damageOf(error)
    return undefined
  }
}
