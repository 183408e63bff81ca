import type { SweepRows } from '../../core/adapter.ts'
import { sourcesOf } from '../../core/reservations/names.ts'
import { readableReservations } from './found-reservations.ts'
import { FoundRows } from './found-rows.ts'
import type { Loaded } from './loaded.ts'
import { list, text } from './rows.ts'

/** Stands for no epoch: the first one is 1. */
const NO_EPOCH = 0

/**
 * What the load of a sweep found. A reservation that cannot be read is left out.
 * @param answer of `LOAD_SWEEP`, without the state
 * @param loaded gets what a save must find unchanged
 */
export function sweepFrom(answer: readonly unknown[], loaded: Loaded): SweepRows {
  const [due, values, budgetFields, counterKeys, budgets, ended, counters] = answer
  const found = new FoundRows({
    budgets: { fields: list(budgetFields).map(text), values: budgets },
    counters: { fields: list(counterKeys).map(text), values: counters },
    ended,
  })
  found.keep(loaded, NO_EPOCH)
  const rows = readableReservations(list(due).map(text), values, found, loaded)
  return { due: rows, sources: sourcesOf(rows).map((source) => found.source(source)) }
}
