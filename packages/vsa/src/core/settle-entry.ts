import type { DamagedRow, EarlierTerms, EntryRows, LoadedBudget, LoadedCounter } from './adapter.ts'
import { invariant, InvariantError } from './errors.ts'
import type { BudgetEntry, CounterEntry, Entry, EntryNote, MintOutcome, NoRowKind, RowPolicy } from './exchange.ts'
import { CounterDraft } from './counter-draft.ts'
import { rulesOf } from './policies/rules.ts'
import { BooksError, RowDraft } from './row-draft.ts'
import type { BudgetRow } from './rows.ts'

/** A row may be created up to this long after its period's end by store time, and up to this long before its start (S4). */
export const PERIOD_SLACK_MS = 60_000

/** The effect of one entry, before takes and holds. Nothing is written yet. */
export type EntryEffect = NoRowEffect | BudgetEffect | CounterEffect

interface NoRowEffect {
  readonly kind: 'none'
  readonly noRow: NoRowKind
  readonly note: EntryNote | undefined
}

export interface BudgetEffect {
  readonly kind: 'budget'
  readonly entry: BudgetEntry
  readonly draft: RowDraft
  readonly note: EntryNote | undefined
}

export interface CounterEffect {
  readonly kind: 'counter'
  readonly draft: CounterDraft
  readonly note: EntryNote | undefined
}

const VOID: NoRowEffect = { kind: 'none', noRow: 'void', note: undefined }

/** S3, the part of each entry by itself: policy, mint, spent, refund. @throws BooksError for a row that is damaged or does not balance */
export function settleEntry(entry: Entry, rows: EntryRows | null | undefined, time: number): EntryEffect {
  if (entry.kind === 'void') return VOID
  if (rows?.kind === 'damaged') {
    throw damaged(entry, rows)
  }
  if (entry.kind === 'counter') {
    if (rows?.kind !== 'counter') throw notLoaded(entry)
    return addToCounter(entry, rows)
  }
  if (rows?.kind !== 'budget') throw notLoaded(entry)
  return settleBudget(entry, rows, time)
}

/** S6: the row is named, and the others go on. */
export function damaged(entry: BudgetEntry | CounterEntry, { detail }: DamagedRow): BooksError {
  const { key } = entry
  return new BooksError(
    entry.kind === 'budget' ? { key, period: entry.period } : { key, period: 0, isCounter: true },
    detail,
  )
}

function notLoaded({ kind, key }: BudgetEntry | CounterEntry): InvariantError {
  return new InvariantError(`the store loaded no ${kind} for ${JSON.stringify(key)}`)
}

function addToCounter(entry: CounterEntry, { value: before }: LoadedCounter): CounterEffect {
  const draft = new CounterDraft(entry.key, before)
  return { kind: 'counter', draft, note: draft.add(entry.add) ? undefined : { overflow: true } }
}

function settleBudget(entry: BudgetEntry, loaded: LoadedBudget, time: number): EntryEffect {
  // P6: what this owner knows is of a row that is gone. It forgets that, and asks again.
  if (loaded.isDeleted === true) return { kind: 'none', noRow: 'deleted', note: { noRow: 'deleted' } }
  if (loaded.row === undefined) {
    const refusal = refuseToCreate(entry, time)
    if (refusal !== undefined) return { kind: 'none', noRow: refusal, note: { noRow: refusal } }
  }
  const draft = new RowDraft(loaded.row ?? newRow(entry, loaded.earlier), loaded)
  const { refunded, mint } = rulesOf(draft.kind).settle(draft, entry)
  return { kind: 'budget', entry, draft, note: noteOf(refunded, mint) }
}

/** The outcome for the answer and for a replay that is not in the row; undefined when there is none. */
function noteOf(refunded: number, mint: MintOutcome | undefined): EntryNote | undefined {
  if (mint !== undefined) return { refunded, mint }
  return refunded > 0 ? { refunded } : undefined
}

/** S4. A row that was known and is missing is never created again, because that would mint its units twice. */
function refuseToCreate(entry: BudgetEntry, time: number): NoRowKind | undefined {
  if (entry.known) return 'row_lost'
  const { policy, period } = entry
  if (policy === undefined) return 'row_lost'
  if (policy.endsAt === null) return undefined
  if (policy.endsAt <= time - PERIOD_SLACK_MS) return 'period_closed'
  const aheadMs = Math.min(policy.endsAt - period, PERIOD_SLACK_MS)
  return period > time + aheadMs ? 'period_closed' : undefined
}

/** P2: a change at run time outlives the period in which it was made, although an older process makes the next row. */
function newRow({ key, period, policy }: BudgetEntry, earlier: EarlierTerms | undefined): BudgetRow {
  invariant(policy !== undefined, 'a row is made from a policy')
  const { kind, endsAt } = policy
  const { limit, burnMax, version } = handsOn(earlier, { ...policy, period }) ? earlier : policy
  const keepUntil = keptUntil(policy)
  return {
    key,
    period,
    kind,
    minted: limit,
    used: 0,
    reserved: 0,
    pool: limit,
    burned: 0,
    limit,
    burnMax,
    version,
    resets: 0,
    wantedUntil: 0,
    endsAt,
    keepUntil,
  }
}

/** A higher version, of a period that is as long: the days of months and of changes of the clock are less than an eighth. Another `per` has other limits (P3). */
function handsOn(
  earlier: EarlierTerms | undefined,
  next: Pick<EarlierTerms, 'version' | 'period' | 'endsAt'>,
): earlier is EarlierTerms {
  if (earlier === undefined || earlier.version <= next.version || earlier.endsAt === null || next.endsAt === null)
    return false
  const [before, now] = [earlier.endsAt - earlier.period, next.endsAt - next.period]
  return 8 * Math.abs(now - before) < Math.max(now, before)
}

/** S4, S10: however short its retention, a row is kept while it could still be created, because a second creation would mint its units twice. */
function keptUntil({ endsAt, keepUntil }: RowPolicy): number | null {
  return endsAt === null || keepUntil === null ? null : Math.max(keepUntil, endsAt + PERIOD_SLACK_MS)
}
