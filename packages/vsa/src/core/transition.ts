import { WANTED_ROWS_MAX, type ExchangeRows, type SourceRows } from './adapter.ts'
import type { BudgetWrite, LeaseName, ReservationWrite, Writes } from './written-rows.ts'
import { assertBatch } from './assert-batch.ts'
import type {
  Answer,
  AppliedAnswer,
  Batch,
  BreachedRow,
  EntryNote,
  FencedAnswer,
  Outcome,
  RowName,
} from './exchange.ts'
import { BatchMints } from './batch-mints.ts'
import { grantTakes } from './grant-takes.ts'
import { type Life, ONE_LIFE } from './life.ts'
import { CounterDraft } from './counter-draft.ts'
import { rulesOf } from './policies/rules.ts'
import { ReservationBooks } from './reservations/books.ts'
import { applyChange } from './reservations/changes.ts'
import type { ChangeOutcome, TakeOutcome } from './reservations/messages.ts'
import { SourceDrafts } from './reservations/sources.ts'
import { BooksError, RowDraft } from './row-draft.ts'
import type { CounterRow, LeaseRow, MintRow, OwnerRow } from './rows.ts'
import { answerFromRows, answerOf } from './entry-answers.ts'
import { settleEntry, type EntryEffect } from './settle-entry.ts'
import { renewed, standingOf } from './standing.ts'
import { isUnits } from './units.ts'
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

/** F7. Null where it cannot be told, also of a damaged row: an answer with something else is refused as a whole. */
function goneOf(rows: ExchangeRows, { entries }: Batch): FencedAnswer['gone'] {
  return entries.map((_entry, index) => {
    const loaded = rows.entries[index]
    if (loaded?.kind !== 'budget' || loaded.row === undefined) return null
    const gone = loaded.row.minted - loaded.row.pool
    return isUnits(gone) ? gone : null
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
  const sources = new SourceDrafts(effects, [...(rows.sources ?? []), ...freshRows(rows, batch, effects)])
  const scene = { damaged: rows.damagedReservations, intents: rows.intents, isFrozen }
  const books = new ReservationBooks(rows.reservations ?? [], sources, time, scene)
  const changed = (batch.changes ?? []).slice(0, rows.changesMax).map((change) => applyChange(books, change, isFrozen))
  const { granted, outcomes } = grantTakes(batch.takes, { entries: batch.entries, effects, books, isFrozen })
  for (const effect of effects) {
    if (effect.kind !== 'budget') continue
    rulesOf(effect.draft.kind).moveHold(effect.draft, effect.entry, { time, isFrozen })
    effect.draft.assertBalanced()
  }
  for (const draft of books.sources.own) if (draft instanceof RowDraft) draft.assertBalanced()
  const changes = changesOf(effects, books, batch.epoch)
  const credits = creditsOf(outcomes, changed)
  const outcome: Outcome = { granted, notes: notesOf(effects), ...credits, written: changes.written }
  const next = { ...renewed(owner, time), seq: batch.seq, outcome }
  const owners = batch.close
    ? [{ change: 'closed', row: { ...next, state: 'closed' } } as const]
    : [{ change: 'renewed', row: next } as const]
  const { budgets, leases, mints, counters, reservations } = changes
  const heardDeletions = heardIn(batch, effects)
  const { removedIntents, droppedIntents } = books
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
    writes: writesOf(time, {
      ...{ owners, budgets, leases, mints, counters, reservations, removedIntents, droppedIntents, heardDeletions },
    }),
  }
}

/** P6: an entry is answered `deleted` although there is a fresh row, of which a reservation that the batch names may be. */
function freshRows(rows: ExchangeRows, { entries }: Batch, effects: readonly EntryEffect[]): readonly SourceRows[] {
  if ((rows.reservations ?? []).length === 0) return []
  return entries.flatMap((entry, index) => {
    const loaded = rows.entries[index]
    if (entry.kind !== 'budget' || effects[index]?.kind !== 'none' || loaded?.kind !== 'budget') return []
    return { key: entry.key, period: entry.period, rows: loaded }
  })
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
  const { granted, credits, written } = outcome
  const { frozenUntil } = life
  return { kind, time, expiresAt, entries, granted, ...(credits && { credits }), wanted, written, frozenUntil }
}

interface Changes {
  readonly budgets: BudgetWrite[]
  readonly leases: LeaseRow[]
  readonly mints: MintRow[]
  readonly counters: CounterRow[]
  readonly reservations: readonly ReservationWrite[]
  readonly written: Outcome['written']
}

/** The writes and their count (L7). A row whose units only moved between pool and lease is not a record. */
function changesOf(effects: readonly EntryEffect[], books: ReservationBooks, epoch: number): Changes {
  const [budgets, leases, mints, counters]: [BudgetWrite[], LeaseRow[], MintRow[], CounterRow[]] = [[], [], [], []]
  const reservations = books.writes
  let records = reservations.length
  let leaseRecords = 0
  const write = (draft: RowDraft | CounterDraft): void => {
    if (draft instanceof CounterDraft) {
      if (!draft.isChanged) return
      counters.push({ key: draft.key, value: draft.value })
      records += 1
      return
    }
    const written = draft.write()
    if (written !== null) budgets.push(written)
    const moved = draft.leaseWrites(epoch)
    leases.push(...moved)
    records += draft.isRecord ? 1 : 0
    leaseRecords += moved.length + (written !== null && !draft.isRecord ? 1 : 0)
  }
  for (const effect of effects) {
    if (effect.kind === 'none') continue
    write(effect.draft)
    if (effect.kind !== 'budget') continue
    const { entry, draft, note } = effect
    if (entry.mint !== undefined && note?.mint === 'minted') mints.push({ key: draft.key, ...entry.mint })
  }
  for (const draft of books.sources.own) write(draft)
  return { budgets, leases, mints, counters, reservations, written: { records, leaseRecords } }
}

/** Absent where the batch had nothing of the kind. */
function creditsOf(
  takes: Readonly<Record<number, TakeOutcome>>,
  changes: readonly ChangeOutcome[],
): Pick<Outcome, 'credits'> {
  return changes.length === 0 && Object.keys(takes).length === 0 ? {} : { credits: { takes, changes } }
}

function notesOf(effects: readonly EntryEffect[]): Outcome['notes'] {
  const notes: Record<number, EntryNote> = {}
  effects.forEach((effect, index) => {
    if (effect.note !== undefined) notes[index] = effect.note
  })
  return notes
}

/** P6: the answer tells this epoch that its leases on these rows were deleted. */
function heardIn({ entries, epoch }: Batch, effects: readonly EntryEffect[]): readonly LeaseName[] {
  return effects.flatMap((effect, index) => {
    const entry = entries[index]
    if (effect.kind !== 'none' || effect.noRow !== 'deleted' || entry?.kind !== 'budget') return []
    return { key: entry.key, period: entry.period, epoch }
  })
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

/** Without the rest of a row that an error may carry. */
function rowName({ key, period, isCounter }: BreachedRow): BreachedRow {
  return isCounter ? { key, period, isCounter } : { key, period }
}
