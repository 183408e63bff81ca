import type { EntryRows } from './adapter.ts'
import type { BudgetAnswer, Entry, EntryAnswer, EntryNote } from './exchange.ts'
import { RowDraft } from './row-draft.ts'
import { damaged, type EntryEffect } from './settle-entry.ts'

/** Of an entry that was applied now. */
export function answerOf(effect: EntryEffect): EntryAnswer {
  switch (effect.kind) {
    case 'none':
      return { kind: effect.noRow }
    case 'counter':
      return { kind: 'counter', value: effect.draft.value, overflow: effect.note?.overflow ?? false }
    case 'budget':
      return budgetAnswer(effect.draft, effect.note)
  }
}

/** S2: of an entry that had been applied before. @throws BooksError for a row that is damaged or does not balance */
export function answerFromRows(
  entry: Entry,
  rows: EntryRows | null | undefined,
  note: EntryNote | undefined,
): EntryAnswer {
  if (entry.kind === 'void') return { kind: 'void' }
  if (rows?.kind === 'damaged') {
    throw damaged(entry, rows)
  }
  if (rows?.kind === 'counter') return { kind: 'counter', value: rows.value, overflow: note?.overflow ?? false }
  if (note?.noRow !== undefined) return { kind: note.noRow }
  // The row had no lease and was past its retention, or it was deleted since. The effect of this seq on it still counts.
  if (rows?.row === undefined || rows.isDeleted === true) return { kind: 'removed', refunded: note?.refunded ?? 0 }
  return budgetAnswer(new RowDraft(rows.row, rows), note)
}

type RowFigures = Omit<BudgetAnswer, 'kind' | 'refunded' | 'mint' | 'reserved'> & { readonly reserved: number }

function budgetAnswer(row: RowFigures, note: EntryNote | undefined): BudgetAnswer {
  const { held, pool, used, burned, minted, reserved, limit, version, others, othersHeld } = row
  const refunded = note?.refunded ?? 0
  const figures = {
    kind: 'budget',
    held,
    pool,
    used,
    burned,
    minted,
    ...(reserved > 0 && { reserved }),
    limit,
    version,
    others,
    othersHeld,
    refunded,
  } as const
  return note?.mint === undefined ? figures : { ...figures, mint: note.mint }
}
