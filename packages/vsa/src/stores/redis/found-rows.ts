import type { EntryRows, SourceRows } from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import type { RowName } from '../../core/exchange.ts'
import type { ReservationSource } from '../../core/rows.ts'
import { fieldOf, leaseNameOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import { bytesOrNone, list, number, text, unpackBudget } from './rows.ts'

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
  readonly #held: ReadonlyMap<string, Buffer | undefined>
  readonly #ended: ReadonlyMap<string, readonly FoundLease[]>

  constructor({ budgets, counters, held, ended }: Answered) {
    this.#budgets = byName(budgets.fields, budgets.values)
    this.#counters = byName(counters.fields, counters.values)
    this.#held = held === undefined ? new Map() : byName(budgets.fields, held)
    this.#ended = endedByRow(budgets.fields, ended)
  }

  /** What a save must find unchanged. @param epoch the one of `held` */
  keep(loaded: Loaded, epoch: number): void {
    for (const [field, row] of this.#budgets) loaded.budget(field, row)
    for (const [key, value] of this.#counters) loaded.counter(key, value)
    for (const [field, held] of this.#held) keepLease(loaded, { field, epoch, held })
    for (const leases of this.#ended.values()) for (const lease of leases) keepLease(loaded, lease)
  }

  /** @throws InvariantError for a row that this store cannot have written */
  budget(name: RowName, mintedBefore?: number): Extract<EntryRows, { kind: 'budget' }> {
    const field = fieldOf(name)
    const bytes = this.#budgets.get(field)
    if (bytes === undefined)
      return { kind: 'budget', row: undefined, held: 0, others: 0, othersHeld: 0, ended: [], mintedBefore }
    const { row, leased, lessees } = unpackBudget(name, bytes)
    const held = unitsOf(this.#held.get(field))
    const ended = (this.#ended.get(field) ?? []).map((lease) => ({
      ...name,
      epoch: lease.epoch,
      held: unitsOf(lease.held),
    }))
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

/** Its units are not read yet. */
interface FoundLease {
  readonly field: string
  readonly epoch: number
  readonly held: Buffer | undefined
}

/** @throws InvariantError for units that this store cannot have written: none is kept as no lease */
function unitsOf(held: Buffer | undefined): number {
  if (held === undefined) return 0
  const units = number(held)
  if (units <= 0) throw new InvariantError(`expected the units of a lease in Redis, got ${units}`)
  return units
}

/** A row whose lease cannot be read is not saved. */
function keepLease(loaded: Loaded, { field, epoch, held }: FoundLease): void {
  const units = readable(() => unitsOf(held))
  if (held !== undefined && typeof units === 'number') loaded.lease(leaseNameOf(field, epoch), units)
}

/** @param ended flat list of (epoch, position of the budget, held) */
function endedByRow(names: readonly string[], ended: unknown): ReadonlyMap<string, readonly FoundLease[]> {
  const flat = list(ended)
  const rows = new Map<string, FoundLease[]>()
  for (let at = 0; at < flat.length; at += 3) {
    const field = names[number(flat[at + 1])] ?? text(flat[at + 1])
    const lease = { field, epoch: number(flat[at]), held: bytesOrNone(flat[at + 2]) }
    const onRow = rows.get(field)
    if (onRow === undefined) rows.set(field, [lease])
    else onRow.push(lease)
  }
  return rows
}
