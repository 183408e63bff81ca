import type { Exchanged } from '../../core/adapter.ts'
import type { Batch, BudgetEntry, EntryAnswer, Outcome, RowPolicy, Take } from '../../core/exchange.ts'
import { isPlainBatch } from '../../core/plain-batch.ts'
import type { RedisArgument } from './client.ts'
import { fieldOf, mintFieldOf } from './keys.ts'
import { bytesOf, DOUBLE, list, NULL, number, packed, pairs, rowNameFrom, text, unpacked } from './rows.ts'

/* The client's side of the fast path: which batches may go there, the arguments of `EXCHANGE`, and what its answer means. */

/** The figures of each budget in the answer. */
const FIGURES = 9

/**
 * The script decides it, or says that it does not.
 * @param incarnation of the store, as it was last seen
 */
export function isPlain(batch: Batch, incarnation: string): boolean {
  if (!isPlainBatch(batch, { mints: true, closes: true, incarnation })) return false
  const mints = mintsIn(batch)
  // A key may be minted in two of its periods under one id.
  if (mints.length > 1 && new Set(mints.map(({ field }) => field)).size < mints.length) return false
  return batch.entries.every((entry) => entry.kind !== 'budget' || hasTimes(entry))
}

interface PositionedMint {
  /** Among the budgets, from 0. */
  readonly at: number
  readonly field: string
  readonly units: number
}

function mintsIn({ entries }: Batch): readonly PositionedMint[] {
  const budgets = entries.filter((entry) => entry.kind === 'budget')
  return budgets.flatMap(({ key, mint }, at) => {
    return mint === undefined ? [] : [{ at, field: mintFieldOf(key, mint.id), units: mint.units }]
  })
}

function hasTimes({ period, policy }: BudgetEntry): boolean {
  return Number.isSafeInteger(period) && (policy === undefined || [policy.endsAt, policy.keepUntil].every(isTime))
}

function isTime(time: number | null): boolean {
  return time === null || Number.isSafeInteger(time)
}

interface Positioned {
  /** Index in the batch. */
  readonly at: number
  readonly entry: BudgetEntry
}

/**
 * Behind the time.
 * @param run the process of the server that was checked
 */
export function plainArguments(batch: Batch, run: string): readonly RedisArgument[] {
  const { epoch, token, incarnation, seq, entries, takes, close } = batch
  const mints = mintsIn(batch)
  const budgets = entries.flatMap((entry, at) => (entry.kind === 'budget' ? { at, entry } : []))
  const counters = entries.filter((entry) => entry.kind === 'counter')
  const policies = budgets.flatMap(({ entry: { policy } }, at) => (policy === undefined ? [] : [{ at, policy }]))
  return [
    packed([epoch, seq, budgets.length, counters.length, policies.length, takes.length, mints.length, close ? 1 : 0]),
    token,
    packed(budgets.flatMap(budgetNumbers)),
    packed(policies.flatMap(policyNumbers)),
    packed(takeNumbers(takes, budgets)),
    packed(counters.map(({ add }) => add)),
    packed(mints.flatMap(({ at, units }) => [at + 1, units])),
    run,
    incarnation,
    ...budgets.map(({ entry }) => fieldOf(entry)),
    ...counters.map(({ key }) => key),
    ...mints.map(({ field }) => field),
  ]
}

function budgetNumbers({ at, entry: { known, spent, refund, hold, wantMs } }: Positioned): readonly number[] {
  return [at, known ? 1 : 0, spent, refund, hold, wantMs]
}

/** @param at position among the budgets, from 0 */
function policyNumbers({ at, policy }: { readonly at: number; readonly policy: RowPolicy }): readonly number[] {
  const { kind, limit, burnMax, version, endsAt, keepUntil } = policy
  return [at + 1, kind === 'initial' ? 0 : 1, limit, burnMax, version, endsAt ?? NULL, keepUntil ?? NULL]
}

function takeNumbers(takes: readonly Take[], budgets: readonly Positioned[]): readonly number[] {
  if (takes.length === 0) return []
  const positions = new Map(budgets.map(({ at }, position) => [at, position + 1]))
  return takes.flatMap(({ n, need }) => {
    return [n, need.length, ...need.flatMap(([at, cost]) => [positions.get(at) ?? NULL, cost])]
  })
}

/** @param value the answer of `EXCHANGE` @returns null when it did not decide */
export function exchangedFrom(value: unknown, { entries }: Batch): Exchanged | null {
  if (value === null) return null
  const [timeText, seen, expiresAt, made, isUpkeepDue, figures, counters, outcomeText, wanted] = list(value)
  const time = number(timeText)
  // Only the script has written it.
  const outcome = JSON.parse(text(outcomeText)) as Outcome
  const answers = answersFrom(entries, numbersIn(figures), numbersIn(counters), outcome)
  const { granted, written } = outcome
  return {
    time,
    timeSeen: number(seen),
    clock: time,
    made: number(made),
    isUpkeepDue: number(isUpkeepDue) === 1,
    answer: {
      kind: 'applied',
      time,
      expiresAt: number(expiresAt),
      entries: answers,
      granted,
      wanted: pairs(wanted).map(([field]) => rowNameFrom(field)),
      written,
      frozenUntil: 0,
    },
  }
}

function answersFrom(
  entries: Batch['entries'],
  figures: readonly number[],
  counters: readonly number[],
  { notes }: Outcome,
): readonly EntryAnswer[] {
  let [figure, counter] = [0, 0]
  return entries.map((entry, at): EntryAnswer => {
    if (entry.kind === 'void') return { kind: 'void' }
    if (entry.kind === 'counter') return { kind: 'counter', value: counters[counter++] ?? Number.NaN, overflow: false }
    const row = figures.slice(figure, (figure += FIGURES)) as unknown as Figures
    const [held, pool, used, burned, minted, limit, version, others, othersHeld] = row
    const { refunded = 0, mint } = notes[at] ?? {}
    const answer = { held, pool, used, burned, minted, limit, version, others, othersHeld, refunded }
    return { kind: 'budget', ...answer, ...(mint === undefined ? {} : { mint }) }
  })
}

type Figures = readonly [number, number, number, number, number, number, number, number, number]

function numbersIn(value: unknown): readonly number[] {
  const bytes = bytesOf(value)
  return unpacked(bytes, bytes.length / DOUBLE)
}
