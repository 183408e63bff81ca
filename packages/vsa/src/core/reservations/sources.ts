import type { SourceRows } from '../adapter.ts'
import { CounterDraft } from '../counter-draft.ts'
import { BooksError, RowDraft } from '../row-draft.ts'
import type { ReservationSource } from '../rows.ts'
import type { EntryEffect } from '../settle-entry.ts'
import { sourceNameOf } from './names.ts'

/** What units come from: a budget, or a counter, which never lacks (V3). */
export type SourceDraft = RowDraft | CounterDraft

/** The rows of one transaction, by name: those of its entries, and those that its reservations were made from. */
export class SourceDrafts {
  readonly #drafts = new Map<string, SourceDraft>()
  readonly #loaded = new Map<string, SourceRows>()
  /** Made here: no entry names them. */
  readonly #own: SourceDraft[] = []

  constructor(effects: readonly EntryEffect[], loaded: readonly SourceRows[]) {
    for (const effect of effects) {
      if (effect.kind === 'budget') this.#drafts.set(sourceNameOf(effect.draft), effect.draft)
      else if (effect.kind === 'counter')
        this.#drafts.set(sourceNameOf({ key: effect.draft.key, period: null }), effect.draft)
    }
    for (const source of loaded) this.#loaded.set(sourceNameOf(source), source)
  }

  /** Undefined where the row was removed. @throws BooksError where it cannot be read, or does not balance */
  find(source: Pick<ReservationSource, 'key' | 'period'>): SourceDraft | undefined {
    const name = sourceNameOf(source)
    const known = this.#drafts.get(name)
    const loaded = this.#loaded.get(name)?.rows
    if (known !== undefined || loaded === undefined) return known
    const draft = draftOf(source, loaded)
    if (draft === undefined) return undefined
    this.#drafts.set(name, draft)
    this.#own.push(draft)
    return draft
  }

  /** Those that no entry names. */
  get own(): readonly SourceDraft[] {
    return this.#own
  }
}

function draftOf(
  { key, period }: Pick<ReservationSource, 'key' | 'period'>,
  loaded: SourceRows['rows'],
): SourceDraft | undefined {
  switch (loaded.kind) {
    case 'damaged':
      throw new BooksError({ key, period: period ?? 0, ...(period === null && { isCounter: true }) }, loaded.detail)
    case 'counter':
      return new CounterDraft(key, loaded.value)
    case 'budget':
      return loaded.row === undefined ? undefined : new RowDraft(loaded.row, loaded)
  }
}

/** What can be taken from it. */
export function roomOf(source: SourceDraft | undefined): number {
  if (source === undefined) return 0
  if (source instanceof RowDraft) return Math.max(0, source.pool)
  return Math.min(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - source.value)
}

/**
 * Takes units from the pool. What is reserved of a counter is in its value at once: it has nothing to set aside. A source that gives nothing is left
 * alone: its pool may be negative.
 */
export function charge(source: SourceDraft | undefined, units: number, as: 'used' | 'reserved'): void {
  if (units === 0) return
  if (source instanceof CounterDraft) source.add(units)
  else if (as === 'used') source?.take(units)
  else source?.reserve(units)
}

/** Units that were set aside go back. */
export function release(source: SourceDraft | undefined, units: number): void {
  if (source instanceof RowDraft) source.release(units)
  else source?.add(-units)
}

/** Units that were set aside are used. */
export function consume(source: SourceDraft | undefined, units: number): void {
  if (source instanceof RowDraft) source.consume(units)
}

/** V1: each source gives what it has, in order, until the units are covered. The sum may be less. */
export function drawInOrder(sources: readonly (SourceDraft | undefined)[], units: number): readonly number[] {
  let left = units
  return sources.map((source) => {
    const share = Math.min(left, roomOf(source))
    left -= share
    return share
  })
}

/** V3: the units are taken off `parts`, the last one first. In the order of `parts`; the sum may be less. */
export function lastFirst(parts: readonly number[], units: number): readonly number[] {
  let left = units
  const taken = parts.map(() => 0)
  for (let at = parts.length - 1; at >= 0; at -= 1) {
    const some = Math.min(left, parts[at] ?? 0)
    taken[at] = some
    left -= some
  }
  return taken
}

export function sum(units: readonly number[]): number {
  let total = 0
  for (const one of units) total += one
  return total
}
