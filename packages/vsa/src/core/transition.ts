import { WANTED_ROWS_MAX, type BudgetWrite, type EntryRows, type ExchangeRows, type Writes } from './adapter.ts'
import { assertBatch } from './assert-batch.ts'
import type {
  Answer,
  AppliedAnswer,
  Batch,
  BreachedRow,
  BudgetAnswer,
  Entry,
  EntryAnswer,
  EntryNote,
  FencedAnswer,
  Outcome,
  RowName,
} from './exchange.ts'
import { BatchMints } from './batch-mints.ts'
import { grantTakes } from './grant-takes.ts'
import { type Life, ONE_LIFE } from './life.ts'
import { rulesOf } from './policies/rules.ts'
import { BooksError } from './row-draft.ts'
import type { CounterRow, LeaseRow, MintRow, OwnerRow } from './rows.ts'
import { damaged, settleEntry, type EntryEffect } from './settle-entry.ts'
import { renewed, standingOf } from './standing.ts'
import { writesOf } from './writes.ts'

export interface Transition {
  readonly answer: Answer
  /** Null when nothing is to be written: `fenced`, `stale`, `lost` and `breach` change nothing. */
  readonly writes: Writes | null
}

/**
 * The store's side of the exchange, and its specification (protocol.md section 3, stores.md section 5): rules S2 to S7, S9, F1 to F3, F5 and F7. Pure
 * and synchronous; every store loads rows, calls it, and saves what it returns.
 * @param rows the rows that the batch needs, from one snapshot
 * @param time store time, ms since 1970, read while holding the locks
 * @param life of the store in this transaction: see `lifeAt`
 * @throws InvariantError for a malformed batch, which is a bug of the caller
 */
export function transition(rows: ExchangeRows, batch: Batch, time: number, life: Life = ONE_LIFE): Transition {
  assertBatch(batch)
  const standing = standingOf(rows.owner, batch)
  if (standing.kind !== 'forgotten' && batch.incarnation !== life.incarnation)
    return supersede(rows, batch, standing.owner, time)
  switch (standing.kind) {
    case 'forgotten':
      return refusal({ kind: 'fenced', time, last: null, forgot: true, gone: batch.entries.map(() => null) })
    case 'closed': {
      const { seq, outcome } = standing.owner
      return refusal({ kind: 'fenced', time, last: { seq, outcome }, forgot: false, gone: goneOf(rows, batch) })
    }
    case 'stale':
    case 'lost':
      return refusal({ kind: standing.kind, time })
    case 'repeated':
      return balanced(time, () => replay(rows, batch, standing.owner, { time, life }))
    case 'next':
      return balanced(time, () => apply(rows, batch, standing.owner, { time, life }))
  }
}

/** When an exchange takes place, and in what state of the store. */
interface Moment {
  readonly time: number
  readonly life: Life
}

/** F1, F2: the batch is of another incarnation. It applies nothing, and its epoch ends; what is left of its leases burns (S8). */
function supersede(rows: ExchangeRows, batch: Batch, owner: OwnerRow, time: number): Transition {
  const { seq, outcome, state } = owner
  const row = { ...owner, state: 'closed', seenAt: time } as const
  return {
    answer: { kind: 'fenced', time, last: { seq, outcome }, forgot: true, gone: goneOf(rows, batch) },
    writes: state === 'closed' ? null : writesOf(time, { owners: [{ change: 'closed', row }] }),
  }
}

/** F7 */
function goneOf(rows: ExchangeRows, { entries }: Batch): FencedAnswer['gone'] {
  return entries.map((_entry, index) => {
    const loaded = rows.entries[index]
    return loaded?.kind === 'budget' && loaded.row !== undefined ? loaded.row.minted - loaded.row.pool : null
  })
}

/** S6: the answer names the row that does not balance, and nothing is written. */
function balanced(time: number, work: () => Transition): Transition {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof BooksError)) throw error
    return refusal({ kind: 'breach', time, row: rowName(error.row), detail: error.message })
  }
}

function refusal(answer: Answer): Transition {
  return { answer, writes: null }
}

function apply(rows: ExchangeRows, batch: Batch, owner: OwnerRow, { time, life }: Moment): Transition {
  const isFrozen = life.frozenUntil > 0
  const minted = new BatchMints()
  const effects = batch.entries.map((entry, index) => {
    const effect = settleEntry(entry, minted.before(entry, rows.entries[index]), time)
    minted.note(entry, effect.note)
    return effect
  })
  const granted = grantTakes(batch.takes, effects, isFrozen)
  for (const effect of effects) {
    if (effect.kind !== 'budget') continue
    rulesOf(effect.draft.kind).moveHold(effect.draft, effect.entry, { time, isFrozen })
    effect.draft.assertBalanced()
  }
  const changes = changesOf(effects, batch.epoch)
  const outcome: Outcome = { granted, notes: notesOf(effects), written: changes.written }
  const next = { ...renewed(owner, time), seq: batch.seq, outcome }
  const owners = batch.close
    ? [{ change: 'closed', row: { ...next, state: 'closed' } } as const]
    : [{ change: 'renewed', row: next } as const]
  const { budgets, leases, mints, counters } = changes
  return {
    answer: appliedAnswer(
      'applied',
      next,
      { time, life },
      {
        entries: effects.map(answerOf),
        outcome,
        wanted: wantedAfter(rows, effects, time),
      },
    ),
    writes: writesOf(time, { owners, budgets, leases, mints, counters }),
  }
}

/** S2: nothing is applied. The answer comes from the rows and from the stored outcome. */
function replay(rows: ExchangeRows, batch: Batch, owner: OwnerRow, moment: Moment): Transition {
  const { time } = moment
  const next = renewed(owner, time)
  const { outcome } = owner
  const entries = batch.entries.map((entry, index) => answerFromRows(entry, rows.entries[index], outcome.notes[index]))
  return {
    answer: appliedAnswer('replayed', next, moment, {
      entries,
      outcome,
      wanted: rows.wanted.slice(0, WANTED_ROWS_MAX),
    }),
    writes: writesOf(time, { owners: [{ change: 'renewed', row: next }] }),
  }
}

function appliedAnswer(
  kind: AppliedAnswer['kind'],
  { expiresAt }: OwnerRow,
  { time, life }: Moment,
  said: Pick<AppliedAnswer, 'entries' | 'wanted'> & { readonly outcome: Outcome },
): AppliedAnswer {
  const { entries, wanted, outcome } = said
  const { granted, written } = outcome
  return { kind, time, expiresAt, entries, granted, wanted, written, frozenUntil: life.frozenUntil }
}

interface Changes {
  readonly budgets: BudgetWrite[]
  readonly leases: LeaseRow[]
  readonly mints: MintRow[]
  readonly counters: CounterRow[]
  readonly written: Outcome['written']
}

/** The writes and their count (L7). A row whose units only moved between pool and lease is not a record. */
function changesOf(effects: readonly EntryEffect[], epoch: number): Changes {
  const [budgets, leases, mints, counters]: [BudgetWrite[], LeaseRow[], MintRow[], CounterRow[]] = [[], [], [], []]
  let records = 0
  let leaseRecords = 0
  for (const effect of effects) {
    if (effect.kind === 'counter' && effect.changed) {
      counters.push({ key: effect.key, value: effect.value })
      records += 1
    }
    if (effect.kind !== 'budget') continue
    const { draft, entry, note } = effect
    const write = draft.write()
    if (write !== null) budgets.push(write)
    const moved = draft.leaseWrites(epoch)
    leases.push(...moved)
    if (entry.mint !== undefined && note?.mint === 'minted') mints.push({ key: draft.key, ...entry.mint })
    records += draft.isRecord ? 1 : 0
    leaseRecords += moved.length + (write !== null && !draft.isRecord ? 1 : 0)
  }
  return { budgets, leases, mints, counters, written: { records, leaseRecords } }
}

function notesOf(effects: readonly EntryEffect[]): Outcome['notes'] {
  const notes: Record<number, EntryNote> = {}
  effects.forEach((effect, index) => {
    if (effect.note !== undefined) notes[index] = effect.note
  })
  return notes
}

/** O12, after this exchange: rows of the batch as they are now, and the others as they were loaded. */
function wantedAfter({ wanted }: ExchangeRows, effects: readonly EntryEffect[], time: number): readonly RowName[] {
  const after: RowName[] = []
  for (const effect of effects) {
    if (effect.kind !== 'budget' || effect.draft.held === 0 || effect.draft.wantedUntil <= time) continue
    after.push({ key: effect.draft.key, period: effect.draft.period })
  }
  if (wanted.length === 0) return after
  const named = new Set<string>()
  for (const effect of effects) {
    if (effect.kind === 'budget') named.add(`${effect.draft.period}:${effect.draft.key}`)
  }
  const rest = wanted.filter(({ key, period }) => !named.has(`${period}:${key}`))
  return [...after, ...rest].slice(0, WANTED_ROWS_MAX)
}

function answerOf(effect: EntryEffect): EntryAnswer {
  switch (effect.kind) {
    case 'none':
      return { kind: effect.noRow }
    case 'counter':
      return { kind: 'counter', value: effect.value, overflow: effect.note?.overflow ?? false }
    case 'budget':
      return budgetAnswer(effect.draft, effect.note)
  }
}

function answerFromRows(entry: Entry, rows: EntryRows | null | undefined, note: EntryNote | undefined): EntryAnswer {
  if (entry.kind === 'void') return { kind: 'void' }
  if (rows?.kind === 'damaged') {
    throw damaged(entry, rows)
  }
  if (rows?.kind === 'counter') return { kind: 'counter', value: rows.value, overflow: note?.overflow ?? false }
  if (note?.noRow !== undefined) return { kind: note.noRow }
  // The row had no lease and was past its retention. The effect of this seq on it still counts.
  if (rows?.row === undefined) return { kind: 'removed', refunded: note?.refunded ?? 0 }
  const { held, others, othersHeld, ended } = rows
  const burned = ended.reduce((sum, lease) => sum + lease.held, rows.row.burned)
  return budgetAnswer({ ...rows.row, burned, held, others, othersHeld }, note)
}

type RowFigures = Omit<BudgetAnswer, 'kind' | 'refunded' | 'mint'>

function budgetAnswer(row: RowFigures, note: EntryNote | undefined): BudgetAnswer {
  const { held, pool, used, burned, minted, limit, version, others, othersHeld } = row
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

/** Without the rest of a row that an error may carry. */
function rowName({ key, period, isCounter }: BreachedRow): BreachedRow {
  return isCounter ? { key, period, isCounter } : { key, period }
}
