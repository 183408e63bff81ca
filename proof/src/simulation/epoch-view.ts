import type { AppliedAnswer, Batch, OwnerRow, Outcome } from '../../../packages/vsa/dist/index.js'
import type { ProcessTotals } from './process-totals.ts'

/** The expected state of one epoch in the store: what was applied, and how it ended. */
export interface EpochView {
  readonly epoch: number
  /** The name of the process that joined. */
  readonly label: string
  /** Null while it is not known which process joined: its answer may be lost. */
  totals: ProcessTotals | null
  seq: number
  outcome: Pick<Outcome, 'granted' | 'notes' | 'credits'>
  expiresAt: number
  /** As the store has it: later where the owner was spared. */
  storedExpiresAt: number
  end: 'closed' | 'reaped' | null
  /** It ended so long ago that the store need not know how. */
  isForgotten: boolean
}

export type AnswerKind = 'applied' | 'replayed' | 'fenced' | 'stale' | 'lost'

/** S2: the kind of answer that the store must give to a batch. */
export function kindFor(view: EpochView | undefined, batch: Batch): AnswerKind {
  if (view === undefined || view.end !== null) return 'fenced'
  if (batch.seq < view.seq) return 'stale'
  if (batch.seq === view.seq) return 'replayed'
  return batch.seq === view.seq + 1 ? 'applied' : 'lost'
}

/** The part of an applied batch's outcome that cannot be read from the rows later. */
export function outcomeOf(answer: AppliedAnswer): EpochView['outcome'] {
  const notes: Record<number, Outcome['notes'][number]> = {}
  for (const [index, entry] of answer.entries.entries()) {
    if (entry.kind === 'budget') {
      const mint = entry.mint === undefined ? {} : { mint: entry.mint }
      if (entry.refunded > 0 || entry.mint !== undefined) notes[index] = { refunded: entry.refunded, ...mint }
    } else if (entry.kind === 'removed') {
      if (entry.refunded > 0) notes[index] = { refunded: entry.refunded }
    } else if (entry.kind === 'period_closed' || entry.kind === 'row_lost' || entry.kind === 'deleted') {
      notes[index] = { noRow: entry.kind }
    } else if (entry.kind === 'counter' && entry.overflow) {
      notes[index] = { overflow: true }
    }
  }
  return { granted: answer.granted, notes, ...(answer.credits && { credits: answer.credits }) }
}

export function viewOf(row: OwnerRow): EpochView {
  return {
    epoch: row.epoch,
    label: row.label,
    totals: null,
    seq: 0,
    outcome: { granted: [], notes: {} },
    expiresAt: row.expiresAt,
    storedExpiresAt: row.expiresAt,
    end: null,
    isForgotten: false,
  }
}
