import type { AppliedAnswer, Batch, BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type { EpochView } from './epoch-view.ts'
import { rowName } from './process-totals.ts'
import type { Held } from './reservation-moves.ts'
import type { RowChange } from './row-view.ts'

/** A batch that the store has applied, for the first time, and the epoch that sent it. */
export interface AppliedBatch {
  readonly batch: Batch
  readonly answer: AppliedAnswer
  readonly view: EpochView
  /** By the index of an entry: what the batch's takes did to it. Entries that no take needs are absent. */
  readonly taken: ReadonlyMap<number, Taken>
}

interface Taken {
  /** Units that were taken by way of the entry. */
  readonly units: number
  /** At least one take that needs the entry was denied. */
  readonly denied: boolean
}

export function appliedBatch(batch: Batch, answer: AppliedAnswer, view: EpochView): AppliedBatch {
  return { batch, answer, view, taken: takenByEntry(batch, answer) }
}

function takenByEntry(batch: Batch, answer: AppliedAnswer): ReadonlyMap<number, Taken> {
  const taken = new Map<number, Taken>()
  for (const [at, { need, n, remember }] of batch.takes.entries()) {
    const granted = answer.granted[at] ?? 0
    const outcome = answer.credits?.takes[at]
    const isDenied = remember === undefined ? granted < n : outcome === undefined
    for (const [index, [entry, cost]] of need.entries()) {
      const { units, denied } = taken.get(entry) ?? UNTAKEN
      const drawn = outcome?.kind === 'drawn' ? (outcome.charged[index] ?? 0) : cost * granted
      // What is remembered is counted with the reservations.
      taken.set(entry, { units: units + (remember === undefined ? drawn : 0), denied: denied || isDenied })
    }
  }
  return taken
}

const UNTAKEN: Taken = { units: 0, denied: false }

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
  /** What reservations moved in the row. */
  readonly moved: Held
}

/** The indexes of budget entries, by row. */
export function indexByRow({ batch }: AppliedBatch): ReadonlyMap<string, number> {
  const indices = new Map<string, number>()
  for (const [index, entry] of batch.entries.entries())
    if (entry.kind === 'budget') indices.set(rowName(entry.key, entry.period), index)
  return indices
}

/** @returns undefined where the entry was refused */
export function settlingOf(
  { batch, answer, taken }: AppliedBatch,
  index: number,
  change: RowChange,
  moved: Held,
): Settling | undefined {
  const entry = batch.entries[index]
  const said = answer.entries[index]
  if (entry?.kind !== 'budget' || said?.kind !== 'budget') return undefined
  const { units, denied } = taken.get(index) ?? UNTAKEN
  const heldBefore = change.was?.leases.get(batch.epoch) ?? 0
  const held = change.row.leases.get(batch.epoch) ?? 0
  return { ...change, entry, said, taken: units, denied, heldBefore, base: heldBefore - entry.spent, held, moved }
}

export function limitChangeOf({ was, row }: RowChange): number {
  return was === undefined ? 0 : row.budget.limit - was.budget.limit
}

/** L7: whether the row counts as a record. @param minted units that the entry's mint created */
export function isRecord({ was, row }: RowChange, minted: number): boolean {
  if (was === undefined)
    return row.budget.used !== 0 || row.budget.reserved !== 0 || row.budget.resets !== 0 || minted !== 0
  return (['used', 'reserved', 'minted', 'limit', 'version', 'burnMax', 'resets'] as const).some(
    (part) => was.budget[part] !== row.budget[part],
  )
}
