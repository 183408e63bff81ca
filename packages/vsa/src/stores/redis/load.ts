import { WANTED_ROWS_MAX, type DamagedRow, type EntryRows, type ExchangeRows } from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Batch, BudgetEntry, Entry } from '../../core/exchange.ts'
import type { LeaseRow } from '../../core/rows.ts'
import { needsRows } from '../../core/standing.ts'
import type { RedisArgument } from './client.ts'
import { fieldOf, leaseNameOf, mintFieldOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import {
  bytesOrNone,
  list,
  number,
  pairs,
  rowNameFrom,
  text,
  unpackBudget,
  unpackOwner,
  type StoredBudget,
} from './rows.ts'

/* What the load of an exchange asks for, and what its answer means. */

/** The names of a batch, as the fields of hashes. */
interface Names {
  readonly budgets: readonly string[]
  readonly counters: readonly string[]
  readonly mints: readonly string[]
}

/** The arguments of `LOAD_EXCHANGE`, behind the time. */
export function exchangeArguments(batch: Batch): readonly RedisArgument[] {
  const { budgets, counters, mints } = namesIn(batch)
  const lists = [budgets, counters, mints].flatMap((names) => [String(names.length), ...names])
  return [String(batch.epoch), ...lists, String(WANTED_ROWS_MAX + batch.entries.length)]
}

function namesIn({ entries }: Batch): Names {
  const budgets = entries.filter((entry) => entry.kind === 'budget').filter((entry) => refused(entry) === undefined)
  return {
    budgets: budgets.map(fieldOf),
    counters: entries.flatMap((entry) => (entry.kind === 'counter' ? entry.key : [])),
    mints: budgets.flatMap(({ key, mint }) => (mint === undefined ? [] : mintFieldOf(key, mint.id))),
  }
}

/** Such an entry must not fail the whole batch: its row is answered `breach` (S6). */
function refused({ period }: BudgetEntry): DamagedRow | undefined {
  if (Number.isSafeInteger(period)) return undefined
  return { kind: 'damaged', detail: `the period must be a safe integer, got ${period}` }
}

interface Found {
  /** Not unpacked yet, so that one damaged row does not hide the others. */
  readonly budgets: ReadonlyMap<string, Buffer | undefined>
  readonly held: ReadonlyMap<string, number>
  readonly ended: ReadonlyMap<string, readonly LeaseRow[]>
  readonly counters: ReadonlyMap<string, Buffer | undefined>
  readonly mints: ReadonlyMap<string, Buffer | undefined>
}

/**
 * @param answer of `LOAD_EXCHANGE`, without the state
 * @param at store time, ms since 1970, and whether acknowledged writes may be forgotten
 * @param loaded gets what a save must find unchanged
 */
export function exchangeFrom(
  answer: readonly unknown[],
  batch: Batch,
  { time, mayForget }: { readonly time: number; readonly mayForget: boolean },
  loaded: Loaded,
): ExchangeRows {
  const [ownerBytes, budgets, held, ended, counters, mints, wanted] = answer
  const bytes = bytesOrNone(ownerBytes)
  const owner = bytes === undefined ? undefined : unpackOwner(batch.epoch, bytes)
  if (!needsRows(owner, batch, mayForget)) return { owner, entries: [], wanted: [] }
  const names = namesIn(batch)
  const found: Found = {
    budgets: byName(names.budgets, budgets),
    held: new Map(numbersByName(names.budgets, held)),
    ended: endedByRow(names.budgets, ended),
    counters: byName(names.counters, counters),
    mints: byName(names.mints, mints),
  }
  loaded.owner(batch.epoch, bytes)
  for (const [field, row] of found.budgets) loaded.budget(field, row)
  for (const [key, value] of found.counters) loaded.counter(key, value)
  for (const [field, units] of found.held) loaded.lease(leaseNameOf(field, batch.epoch), units)
  for (const [field, leases] of found.ended)
    for (const { epoch, held: units } of leases) loaded.lease(leaseNameOf(field, epoch), units)
  return {
    owner,
    entries: batch.entries.map((entry) => entryRows(found, entry)),
    wanted: pairs(wanted)
      .filter(([, until]) => number(until) > time)
      .map(([field]) => rowNameFrom(field)),
  }
}

function entryRows(found: Found, entry: Entry): EntryRows | null {
  if (entry.kind === 'void') return null
  try {
    if (entry.kind === 'budget') return refused(entry) ?? budgetRows(found, entry)
    const value = found.counters.get(entry.key)
    return { kind: 'counter', value: value === undefined ? 0 : number(value) }
  } catch (error) {
    // A value that this store cannot have written (S6): the answer names the row, and other rows are not affected.
    if (error instanceof InvariantError) return { kind: 'damaged', detail: error.message }
    throw error
  }
}

function budgetRows(found: Found, entry: BudgetEntry): EntryRows {
  const field = fieldOf(entry)
  const bytes = found.budgets.get(field)
  const minted = entry.mint === undefined ? undefined : found.mints.get(mintFieldOf(entry.key, entry.mint.id))
  const mintedBefore = minted === undefined ? undefined : number(minted)
  const held = found.held.get(field) ?? 0
  if (bytes === undefined)
    return { kind: 'budget', row: undefined, held: 0, others: 0, othersHeld: 0, ended: [], mintedBefore }
  const { row, leased, lessees }: StoredBudget = unpackBudget(entry, bytes)
  const ended = found.ended.get(field) ?? []
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

function byName(names: readonly string[], values: unknown): ReadonlyMap<string, Buffer | undefined> {
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
