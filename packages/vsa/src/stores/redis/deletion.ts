import type { DeletionRows } from '../../core/adapter.ts'
import { sourcesOf } from '../../core/reservations/names.ts'
import type { RedisArgument } from './client.ts'
import { readableReservations } from './found-reservations.ts'
import { FoundRows } from './found-rows.ts'
import { fieldOf, idFieldRange, memberRange, rowNameOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import { reservationNameOf } from './reservations.ts'
import { bytesOf, list, number, text } from './rows.ts'
import { scan } from './scan.ts'
import { LIST_NAMES } from './scripts/load-deletion.ts'
import type { Session } from './session.ts'

/* P6: what the load of a deletion asks for, and what its answer means. */

/** Stands for no epoch: the first one is 1. */
const NO_EPOCH = 0
/** Names of one script (R5). */
const SLICE_NAMES = 250

/** The ranges of the key in the indexes of rows, mints and reservations. */
function rangesOf(key: string): readonly (readonly [index: 'i' | 'j' | 'q', first: string, last: string])[] {
  const [first, last] = idFieldRange(key)
  return [
    ['i', ...memberRange(key)],
    ['j', first, last],
    ['q', first, last],
  ]
}

/** The arguments of `LOAD_DELETION`, behind the time. */
export function deletionArguments(key: string, max: number): readonly RedisArgument[] {
  return [String(max), ...rangesOf(key).flatMap(([, first, last]) => [first, last])]
}

/** Lists the names of all mints and reservations, in slices: for the first deletion. May be repeated. */
export async function listNames(session: Session): Promise<void> {
  for (const key of ['m', 'r'])
    for await (const _slice of scan(session, LIST_NAMES, SLICE_NAMES, [key])) {
      // A slice answers nothing but the cursor.
    }
}

/**
 * @param answer of `LOAD_DELETION`, without the state
 * @param loaded gets what a save must find unchanged: not the rows of the key where they go, because the script that removes them takes them as they are
 * @returns a text about the lists of names, where they do not have them all
 */
export function deletionFrom(
  answer: readonly unknown[],
  key: string,
  max: number,
  loaded: Loaded,
): DeletionRows | string {
  const [fault, rows, members, mints, mintFields, reservationNames, nameFields, ...others] = answer
  if (text(fault) !== '') return text(fault)
  const [values, budgetFields, counterKeys, budgets, ended, counters] = others
  const found = new FoundRows({
    budgets: { fields: list(budgetFields).map(text), values: budgets },
    counters: { fields: list(counterKeys).map(text), values: counters },
    ended,
  })
  found.keep(loaded, NO_EPOCH)
  const reservations = readableReservations(list(nameFields).map(text), values, found, loaded)
  const sources = sourcesOf(reservations)
  const names = list(members).flatMap((member) => rowNameOf(bytesOf(member)) ?? [])
  const hasMoreReservations = number(reservationNames) > list(nameFields).length
  if (!hasMoreReservations) {
    for (const name of names) loaded.budgets.delete(fieldOf(name))
    for (const [at, [index, first, last]] of rangesOf(key).entries())
      loaded.ranges.push({ key: index, first, last, count: number([rows, mints, reservationNames][at]) })
  }
  return {
    reservations,
    sources: sources.map((source) => found.source(source)),
    budgets: names,
    // The script finds and removes them, whatever they are then.
    leases: [],
    mints: list(mintFields).flatMap((field) => reservationNameOf(text(field)) ?? []),
    hasMoreReservations,
    hasMoreBudgets: number(rows) > list(members).length,
    hasMoreMints: number(mints) > max,
  }
}
