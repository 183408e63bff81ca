import type {
  BudgetEntry,
  CounterEntry,
  Entry,
  EntryNote,
  Mint,
  MintOutcome,
  NoRowKind,
  RowPolicy,
} from './exchange.ts'
import type { BudgetRow, Ledger } from './ledger.ts'
import { RowDraft } from './row-draft.ts'
import { isUnits, UNITS_MAX } from './units.ts'

/** A row may be created until this long after its period has ended, and at most this long before it begins (S4). */
const PERIOD_SLACK_MS = 60_000

/** What one entry does, before anything is written. */
export type EntryEffect = BudgetEffect | CounterEffect | NoRowEffect

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

interface CounterEffect {
  readonly kind: 'counter'
  readonly key: string
  readonly value: number
  readonly changed: boolean
  readonly note: EntryNote | undefined
}

/** S3, the part of each entry by itself: policy, mint, spent, refund. */
export function settleEntry(ledger: Ledger, entry: Entry, epoch: number, time: number): EntryEffect {
  switch (entry.kind) {
    case 'void':
      return { kind: 'none', noRow: 'void', note: undefined }
    case 'counter':
      return addToCounter(ledger, entry)
    case 'budget':
      return settleBudget(ledger, entry, epoch, time)
  }
}

function addToCounter(ledger: Ledger, entry: CounterEntry): CounterEffect {
  const before = ledger.counter(entry.key) ?? 0
  const value = before + entry.add
  if (!Number.isSafeInteger(value)) {
    return { kind: 'counter', key: entry.key, value: before, changed: false, note: { overflow: true } }
  }
  return { kind: 'counter', key: entry.key, value, changed: entry.add !== 0, note: undefined }
}

function settleBudget(ledger: Ledger, entry: BudgetEntry, epoch: number, time: number): EntryEffect {
  const row = ledger.budget(entry.key, entry.period)
  if (row === undefined) {
    const refusal = refuseToCreate(entry, time)
    if (refusal !== undefined) return { kind: 'none', noRow: refusal, note: { noRow: refusal } }
  }
  const created = row === undefined
  const draft = new RowDraft(
    row ?? newRow(entry),
    created ? { held: 0, others: 0, othersHeld: 0 } : ledger.leases(entry.key, entry.period, epoch),
    epoch,
    created,
  )
  if (!created && entry.policy !== undefined) adoptPolicy(draft, entry.policy)
  const mint = entry.mint === undefined ? undefined : mintOnce(ledger, draft, entry.key, entry.mint)

  draft.require(isUnits(entry.spent) && entry.spent <= draft.held, `spent ${entry.spent} of a lease of ${draft.held}`)
  draft.held -= entry.spent
  draft.used += entry.spent

  draft.require(isUnits(entry.refund), `refund is ${entry.refund}`)
  const refunded = Math.min(entry.refund, draft.used)
  draft.used -= refunded
  draft.pool += refunded
  return { kind: 'budget', entry, draft, note: noteOf(refunded, mint) }
}

function noteOf(refunded: number, mint: MintOutcome | undefined): EntryNote | undefined {
  if (mint !== undefined) return { refunded, mint }
  return refunded > 0 ? { refunded } : undefined
}

/** S4. A row that was known and is gone is never made again: it would be a fresh budget. */
function refuseToCreate(entry: BudgetEntry, time: number): NoRowKind | undefined {
  if (entry.known) return 'row_lost'
  const { policy, period } = entry
  if (policy === undefined) return 'row_lost'
  if (policy.endsAt === null) return undefined
  if (policy.endsAt <= time - PERIOD_SLACK_MS) return 'period_closed'
  const aheadMs = Math.min(policy.endsAt - period, PERIOD_SLACK_MS)
  return period > time + aheadMs ? 'period_closed' : undefined
}

function newRow(entry: BudgetEntry): BudgetRow {
  const { key, period, policy } = entry
  if (policy === undefined) throw new Error('unreachable: refuseToCreate refuses an entry without a policy')
  const { kind, limit, burnMax, version, endsAt } = policy
  const keepUntil = keptUntil(policy)
  return {
    key,
    period,
    kind,
    minted: limit,
    used: 0,
    pool: limit,
    burned: 0,
    limit,
    burnMax,
    version,
    wantedUntil: 0,
    endsAt,
    keepUntil,
  }
}

/** A higher version changes the limit; minted and pool move by the difference. `initial` only ever creates. */
function adoptPolicy(draft: RowDraft, policy: RowPolicy): void {
  if (policy.version <= draft.version || draft.kind === 'initial' || policy.kind === 'initial') return
  const difference = policy.limit - draft.limit
  draft.minted += difference
  draft.pool += difference
  draft.limit = policy.limit
  draft.burnMax = policy.burnMax
  draft.version = policy.version
  // A longer retention holds at once; a shorter one never lets a row go earlier than was promised before.
  if (draft.keepUntil !== null && policy.keepUntil !== null)
    draft.keepUntil = Math.max(draft.keepUntil, policy.keepUntil)
}

/** S4, S10: however short its retention, a row outlives the time in which it could be made again, as a fresh budget. */
function keptUntil({ endsAt, keepUntil }: RowPolicy): number | null {
  return endsAt === null || keepUntil === null ? null : Math.max(keepUntil, endsAt + PERIOD_SLACK_MS)
}

function mintOnce(ledger: Ledger, draft: RowDraft, key: string, mint: Mint): MintOutcome {
  const before = ledger.mintedUnits(key, mint.id)
  if (before !== undefined) return before === mint.units ? 'repeated' : 'id_conflict'
  if (!isUnits(mint.units) || mint.units > UNITS_MAX - draft.minted) return 'units_overflow'
  draft.minted += mint.units
  draft.pool += mint.units
  draft.addMint(mint)
  return 'minted'
}
