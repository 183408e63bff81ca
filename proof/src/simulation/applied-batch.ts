import type { AppliedAnswer, Batch, BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type { EpochView } from './epoch-view.ts'
import { rowName } from './process-totals.ts'
import type { RowChange } from './row-view.ts'

/** A batch that the store has applied, for the first time, and the epoch that sent it. */
export interface AppliedBatch {
  readonly batch: Batch
  readonly answer: AppliedAnswer
  readonly view: EpochView
}

/** What one entry of a batch did to its row. */
export interface Settling extends RowChange {
  readonly entry: BudgetEntry
  readonly said: Extract<AppliedAnswer['entries'][number], { readonly kind: 'budget' }>
  /** Units that the batch's takes took by way of the entry. */
  readonly taken: number
  /** At least one take that needs the entry was denied. */
  readonly denied: boolean
  /** The sender's lease in units: before the batch, before it less what was spent, and now. */
  readonly heldBefore: number
  readonly base: number
  readonly held: number
}

/** The indexes of budget entries, by row. */
export function indexByRow({ batch }: AppliedBatch): ReadonlyMap<string, number> {
  const indices = new Map<string, number>()
  for (const [index, entry] of batch.entries.entries())
    if (entry.kind === 'budget') indices.set(rowName(entry.key, entry.period), index)
  return indices
}

/** @returns undefined where the entry was refused */
export function settlingOf({ batch, answer }: AppliedBatch, index: number, change: RowChange): Settling | undefined {
  const entry = batch.entries[index]
  const said = answer.entries[index]
  if (entry?.kind !== 'budget' || said?.kind !== 'budget') return undefined
  const taken = takenFrom(batch, answer, index)
  const denied = isDenied(batch, answer, index)
  const heldBefore = change.was?.leases.get(batch.epoch) ?? 0
  const held = change.row.leases.get(batch.epoch) ?? 0
  return { ...change, entry, said, taken, denied, heldBefore, base: heldBefore - entry.spent, held }
}

function takenFrom(batch: Batch, answer: AppliedAnswer, index: number): number {
  let units = 0
  for (const [at, { need }] of batch.takes.entries()) {
    for (const [entry, cost] of need) if (entry === index) units += cost * (answer.granted[at] ?? 0)
  }
  return units
}

function isDenied(batch: Batch, answer: AppliedAnswer, index: number): boolean {
  return batch.takes.some(({ need, n }, at) => (answer.granted[at] ?? 0) < n && need.some(([entry]) => entry === index))
}

export function limitChangeOf({ was, row }: RowChange): number {
  return was === undefined ? 0 : row.budget.limit - was.budget.limit
}

/** L7: whether the row counts as a record. @param minted units that the entry's mint created */
export function isRecord({ was, row }: RowChange, minted: number): boolean {
  if (was === undefined) return row.budget.used !== 0 || minted !== 0
  return (['used', 'minted', 'limit', 'version', 'burnMax'] as const).some(
    (part) => was.budget[part] !== row.budget[part],
  )
}
