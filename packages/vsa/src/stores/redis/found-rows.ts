import type { EntryRows, SourceRows } from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import type { RowName } from '../../core/exchange.ts'
import type { LeaseRow, ReservationSource } from '../../core/rows.ts'
import { fieldOf, leaseNameOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import { bytesOrNone, list, number, rowNameFrom, text, unpackBudget } from './rows.ts'

/** What a script found, and the fields that it looked for, in the same order. */
export interface Answered {
  readonly budgets: { readonly fields: readonly string[]; readonly values: unknown }
  readonly counters: { readonly fields: readonly string[]; readonly values: unknown }
  /** Leases of the epoch on the budgets; undefined for none. */
  readonly held?: unknown
  /** Leases of ended epochs on the budgets: a flat list of (epoch, position of the budget, held). */
  readonly ended: unknown
}

/** Budgets and counters of one load, not unpacked yet, so that one damaged row does not hide the others. */
export class FoundRows {
  readonly #budgets: ReadonlyMap<string, Buffer | undefined>
  readonly #counters: ReadonlyMap<string, Buffer | undefined>
  readonly #held: ReadonlyMap<string, number>
  readonly #ended: ReadonlyMap<string, readonly LeaseRow[]>

  constructor({ budgets, counters, held, ended }: Answered) {
    this.#budgets = byName(budgets.fields, budgets.values)
    this.#counters = byName(counters.fields, counters.values)
    this.#held = new Map(held === undefined ? [] : numbersByName(budgets.fields, held))
    this.#ended = endedByRow(budgets.fields, ended)
  }

  /** What a save must find unchanged. @param epoch the one of `held` */
  keep(loaded: Loaded, epoch: number): void {
    for (const [field, row] of this.#budgets) loaded.budget(field, row)
    for (const [key, value] of this.#counters) loaded.counter(key, value)
    for (const [field, units] of this.#held) loaded.lease(leaseNameOf(field, epoch), units)
    for (const [field, leases] of this.#ended)
      for (const { epoch: other, held } of leases) loaded.lease(leaseNameOf(field, other), held)
  }

  /** @throws InvariantError for a row that this store cannot have written */
  budget(name: RowName, mintedBefore?: number): Extract<EntryRows, { kind: 'budget' }> {
    const field = fieldOf(name)
    const bytes = this.#budgets.get(field)
    if (bytes === undefined)
      return { kind: 'budget', row: undefined, held: 0, others: 0, othersHeld: 0, ended: [], mintedBefore }
    const { row, leased, lessees } = unpackBudget(name, bytes)
    const held = this.#held.get(field) ?? 0
    const ended = this.#ended.get(field) ?? []
    const endedHeld = ended.reduce((sum, lease) => sum + lease.held, 0)
    return {
      kind: 'budget',
      row,
      held,
      others: lessees - ended.length - (held > 0 ? 1 : 0),
      othersHeld: leased - endedHeld - held,
      ended,
      mintedBefore,
    }
  }

  /** @throws InvariantError for a value that this store cannot have written */
  counter(key: string): EntryRows {
    const value = this.#counters.get(key)
    return { kind: 'counter', value: value === undefined ? 0 : number(value) }
  }

  /** The script has looked for it. */
  has({ key, period }: Pick<ReservationSource, 'key' | 'period'>): boolean {
    return period === null ? this.#counters.has(key) : this.#budgets.has(fieldOf({ key, period }))
  }

  /** The rows that units of reservations came from. */
  source({ key, period }: Pick<ReservationSource, 'key' | 'period'>): SourceRows {
    return { key, period, rows: readable(() => (period === null ? this.counter(key) : this.budget({ key, period }))) }
  }
}

/** A value that this store cannot have written (S6): the answer names the row, and other rows are not affected. */
export function readable<T>(read: () => T): T | Extract<EntryRows, { kind: 'damaged' }> {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvariantError) return { kind: 'damaged', detail: error.message }
    throw error
  }
}

export function byName(names: readonly string[], values: unknown): ReadonlyMap<string, Buffer | undefined> {
  const found = list(values)
  return new Map(names.map((name, at) => [name, bytesOrNone(found[at])]))
}

function numbersByName(names: readonly string[], values: unknown): (readonly [string, number])[] {
  const found = list(values)
  return names.flatMap((name, at) => (found[at] === null ? [] : [[name, number(found[at])] as const]))
}

/** @param ended flat list of (epoch, position of the budget, held) */
function endedByRow(names: readonly string[], ended: unknown): ReadonlyMap<string, readonly LeaseRow[]> {
  const flat = list(ended)
  const rows = new Map<string, LeaseRow[]>()
  for (let at = 0; at < flat.length; at += 3) {
    const field = names[number(flat[at + 1])] ?? text(flat[at + 1])
    const lease = { ...rowNameFrom(Buffer.from(field)), epoch: number(flat[at]), held: number(flat[at + 2]) }
    const onRow = rows.get(field)
    if (onRow === undefined) rows.set(field, [lease])
    else onRow.push(lease)
  }
  return rows
}
