import { settleEntry, type EntryEffect } from './apply-entry.ts'
import { grantTakes } from './apply-takes.ts'
import {
  BATCH_ENTRIES_MAX,
  type Answer,
  type Batch,
  type BudgetAnswer,
  type Entry,
  type EntryAnswer,
  type EntryNote,
  type Outcome,
} from './exchange.ts'
import { invariant } from './errors.ts'
import type { BudgetRow, Ledger, LeaseTotals, OwnerRow } from './ledger.ts'
import { BooksError } from './row-draft.ts'
import { moveHold } from './apply-hold.ts'

/** Rows that one answer names as wanted; the next answer names the rest. */
const WANTED_ROWS_MAX = 1_000

/**
 * The store's side of the exchange, and its executable specification (protocol.md section 3). Runs inside one transaction of the
 * caller's: it reads and writes through `ledger`, and writes only after everything has been computed. Rules S2 to S7 and S9; `exchangeOn` adds time, reaping and retention.
 *
 * Answers `fenced`, `stale`, `lost` and `breach` have written nothing.
 * @param time store time, ms since 1970, read after the locks
 */
export function applyExchange(ledger: Ledger, batch: Batch, time: number): Answer {
  assertBatch(batch)
  const owner = ledger.owner(batch.epoch)
  if (owner === undefined) return { kind: 'fenced', time, last: null }
  if (owner.state === 'closed') return { kind: 'fenced', time, last: { seq: owner.seq, outcome: owner.outcome } }
  if (batch.seq < owner.seq) return { kind: 'stale', time }
  if (batch.seq > owner.seq + 1) return { kind: 'lost', time }
  if (batch.seq === owner.seq) return replay(ledger, batch, owner, time)
  try {
    return apply(ledger, batch, owner, time)
  } catch (error) {
    if (error instanceof BooksError) return { kind: 'breach', time, row: error.row, detail: error.message }
    throw error
  }
}

function apply(ledger: Ledger, batch: Batch, owner: OwnerRow, time: number): Answer {
  const effects = batch.entries.map((entry) => settleEntry(ledger, entry, batch.epoch, time))
  const granted = grantTakes(batch.takes, effects)
  for (const effect of effects) moveHold(effect, time)
  for (const effect of effects) if (effect.kind === 'budget') effect.draft.assertBalanced()

  let records = 0
  let leaseRecords = 0
  for (const effect of effects) {
    const written = saveEffect(ledger, effect)
    records += written.records
    leaseRecords += written.leaseRecords
  }
  const outcome: Outcome = { granted, notes: notesOf(effects), written: { records, leaseRecords } }
  const next = renewed(owner, time)
  ledger.saveOwner({ ...next, seq: batch.seq, outcome, state: batch.close ? 'closed' : 'open' })
  const wanted = ledger.wanted(batch.epoch, time, WANTED_ROWS_MAX)
  const entries = effects.map(answerOf)
  return { kind: 'applied', time, expiresAt: next.expiresAt, entries, granted, wanted, written: outcome.written }
}

/** S2: nothing is applied; the rows tell what they can, the kept outcome the rest. */
function replay(ledger: Ledger, batch: Batch, owner: OwnerRow, time: number): Answer {
  const next = renewed(owner, time)
  ledger.saveOwner(next)
  const { granted, notes, written } = owner.outcome
  const entries = batch.entries.map((entry, index) => answerFromRow(ledger, entry, batch.epoch, notes[index]))
  const wanted = ledger.wanted(batch.epoch, time, WANTED_ROWS_MAX)
  return { kind: 'replayed', time, expiresAt: next.expiresAt, entries, granted, wanted, written }
}

function renewed(owner: OwnerRow, time: number): OwnerRow {
  return { ...owner, seenAt: time, expiresAt: Math.max(owner.expiresAt, time + owner.leaseTtlMs) }
}

function answerOf(effect: EntryEffect): EntryAnswer {
  switch (effect.kind) {
    case 'none':
      return { kind: effect.noRow }
    case 'counter':
      return { kind: 'counter', value: effect.value, overflow: effect.note?.overflow ?? false }
    case 'budget':
      return budgetAnswer(effect.draft, effect.draft.leases(), effect.note)
  }
}

function answerFromRow(ledger: Ledger, entry: Entry, epoch: number, note: EntryNote | undefined): EntryAnswer {
  if (entry.kind === 'void') return { kind: 'void' }
  if (entry.kind === 'counter') {
    return { kind: 'counter', value: ledger.counter(entry.key) ?? 0, overflow: note?.overflow ?? false }
  }
  if (note?.noRow !== undefined) return { kind: note.noRow }
  const row = ledger.budget(entry.key, entry.period)
  // It was unleased and past its retention. What this seq did to it counts all the same.
  if (row === undefined) return { kind: 'removed', refunded: note?.refunded ?? 0 }
  return budgetAnswer(row, ledger.leases(entry.key, entry.period, epoch), note)
}

type RowFigures = Pick<BudgetRow, 'pool' | 'used' | 'burned' | 'minted' | 'limit' | 'version'>

function budgetAnswer(row: RowFigures, leases: LeaseTotals, note: EntryNote | undefined): BudgetAnswer {
  const { pool, used, burned, minted, limit, version } = row
  const { held, others, othersHeld } = leases
  const refunded = note?.refunded ?? 0
  const figures = {
    kind: 'budget',
    held,
    pool,
    used,
    burned,
    minted,
    limit,
    version,
    others,
    othersHeld,
    refunded,
  } as const
  return note?.mint === undefined ? figures : { ...figures, mint: note.mint }
}

function saveEffect(ledger: Ledger, effect: EntryEffect): { records: number; leaseRecords: number } {
  switch (effect.kind) {
    case 'none':
      return { records: 0, leaseRecords: 0 }
    case 'counter':
      if (!effect.changed) return { records: 0, leaseRecords: 0 }
      ledger.saveCounter(effect.key, effect.value)
      return { records: 1, leaseRecords: 0 }
    case 'budget':
      return effect.draft.save(ledger)
  }
}

function notesOf(effects: readonly EntryEffect[]): Outcome['notes'] {
  const notes: Record<number, EntryNote> = {}
  effects.forEach((effect, index) => {
    if (effect.note !== undefined) notes[index] = effect.note
  })
  return notes
}

/** A batch is made by an engine: a malformed one is a bug, and must not touch a row. */
function assertBatch(batch: Batch): void {
  invariant(
    Number.isSafeInteger(batch.epoch) && batch.epoch > 0,
    `batch.epoch must be a positive integer, got ${batch.epoch}`,
  )
  invariant(Number.isSafeInteger(batch.seq) && batch.seq > 0, `batch.seq must be a positive integer, got ${batch.seq}`)
  invariant(
    batch.entries.length <= BATCH_ENTRIES_MAX,
    `a batch carries at most ${BATCH_ENTRIES_MAX} entries, got ${batch.entries.length}`,
  )
  invariant(
    batch.takes.length <= BATCH_ENTRIES_MAX,
    `a batch carries at most ${BATCH_ENTRIES_MAX} runs of takes, got ${batch.takes.length}`,
  )
  const rows = new Set<string>()
  for (const entry of batch.entries) {
    if (entry.kind === 'void') continue
    const name = entry.kind === 'budget' ? `${entry.period}:${entry.key}` : `counter:${entry.key}`
    invariant(!rows.has(name), `a batch names each row once, got ${name} twice`)
    rows.add(name)
  }
}
