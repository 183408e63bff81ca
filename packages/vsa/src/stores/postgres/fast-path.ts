import { WANTED_ROWS_MAX, type Exchanged } from '../../core/adapter.ts'
import type { Batch, BudgetEntry, CounterEntry, EntryAnswer, Outcome, Take } from '../../core/exchange.ts'
import { isPlainBatch } from '../../core/plain-batch.ts'
import { encodeText } from '../../core/stored-text.ts'
import { EXCHANGE } from './exchange-function.ts'
import { booleanArray, integerArray, integerLiteral, textArray, textLiteral } from './literals.ts'
import { refused } from './load.ts'
import { integer, list, rowNameFrom } from './rows.ts'

/* The client's side of the fast path: which batches may go there, the call, and what its answer means. */

/** The figures of each row in the answer. */
const ROW_WIDTH = 10

/**
 * The function decides it, or says that it does not. An entry that Postgres cannot have must be named by the general path (S6).
 * @param incarnation of the store, as it was last seen
 */
export function isPlain(batch: Batch, incarnation: string): boolean {
  return (
    isPlainBatch(batch, { mints: false, closes: false, incarnation }) &&
    batch.entries.every((entry) => refused(entry) === undefined)
  )
}

/**
 * @param floor store time that this handle has told, ms since 1970
 * @param isWatched the function decides only in the incarnation of the batch, and while the store is not frozen
 */
export function exchangeCall(schema: string, batch: Batch, floor: number, isWatched: boolean): string {
  const { epoch, token, incarnation, seq, entries, takes } = batch
  const budgets = entries.flatMap((entry, at) => (entry.kind === 'budget' ? { at, entry } : []))
  const counters = entries.filter((entry) => entry.kind === 'counter')
  const values = [
    ...[integerLiteral(epoch), textLiteral(encodeText(token)), integerLiteral(seq), integerLiteral(floor)],
    ...budgetValues(budgets),
    ...policyValues(budgets),
    ...takeValues(takes, budgets),
    ...counterValues(counters),
    integerLiteral(WANTED_ROWS_MAX),
    isWatched ? textLiteral(incarnation) : 'null',
  ]
  return `select ${schema}.${EXCHANGE}(${values.join(',\n')}) answer`
}

interface Positioned {
  /** Index in the batch. */
  readonly at: number
  readonly entry: BudgetEntry
}

function budgetValues(budgets: readonly Positioned[]): readonly string[] {
  const numbers = (of: (entry: BudgetEntry) => number): string => integerArray(budgets.map(({ entry }) => of(entry)))
  return [
    integerArray(
      budgets.map(({ at }) => at),
      'int',
    ),
    textArray(budgets.map(({ entry }) => encodeText(entry.key))),
    numbers(({ period }) => period),
    booleanArray(budgets.map(({ entry }) => entry.known)),
    numbers(({ spent }) => spent),
    numbers(({ refund }) => refund),
    numbers(({ hold }) => hold),
    numbers(({ wantMs }) => wantMs),
  ]
}

function policyValues(budgets: readonly Positioned[]): readonly string[] {
  const policies = budgets.map(({ entry }) => entry.policy)
  if (policies.every((policy) => policy === undefined)) return Array.from({ length: 6 }, () => 'null')
  return [
    textArray(policies.map((policy) => policy?.kind.charAt(0) ?? null)),
    integerArray(policies.map((policy) => policy?.limit ?? null)),
    integerArray(policies.map((policy) => policy?.burnMax ?? null)),
    integerArray(policies.map((policy) => policy?.version ?? null)),
    integerArray(policies.map((policy) => policy?.endsAt ?? null)),
    integerArray(policies.map((policy) => policy?.keepUntil ?? null)),
  ]
}

function takeValues(takes: readonly Take[], budgets: readonly Positioned[]): readonly string[] {
  if (takes.length === 0) return Array.from({ length: 4 }, () => 'null')
  const numberOf = new Map(budgets.map(({ at }, index) => [at, index + 1]))
  const needs = takes.flatMap(({ need }, run) => need.map(([at, cost]) => ({ run: run + 1, at, cost })))
  return [
    integerArray(takes.map(({ n }) => n)),
    integerArray(
      needs.map(({ run }) => run),
      'int',
    ),
    integerArray(
      needs.map(({ at }) => numberOf.get(at) ?? null),
      'int',
    ),
    integerArray(needs.map(({ cost }) => cost)),
  ]
}

function counterValues(counters: readonly CounterEntry[]): readonly string[] {
  if (counters.length === 0) return Array.from({ length: 2 }, () => 'null')
  return [textArray(counters.map(({ key }) => encodeText(key))), integerArray(counters.map(({ add }) => add))]
}

interface Reply {
  readonly time: number
  readonly seen: number
  readonly expiresAt: number
  readonly made: number
  readonly isUpkeepDue: boolean
  readonly rows: readonly number[]
  readonly counters: readonly number[]
  readonly wanted: readonly unknown[]
  readonly outcome: Outcome
}

/** @param value JSON of the function, which only this version's code has written */
export function exchangedFrom(value: unknown, { entries }: Batch): Exchanged {
  const { time, seen, expiresAt, made, isUpkeepDue, rows, counters, wanted, outcome } = value as Reply
  let [row, counter] = [0, 0]
  const answers = entries.map((entry, at): EntryAnswer => {
    if (entry.kind === 'void') return { kind: 'void' }
    if (entry.kind === 'counter') return { kind: 'counter', value: integer(counters[counter++]), overflow: false }
    const figures = rows.slice(row, (row += ROW_WIDTH)).map(integer) as unknown as Figures
    const [held, pool, used, burned, minted, reserved, limit, version, others, othersHeld] = figures
    const refunded = outcome.notes[at]?.refunded ?? 0
    const aside = reserved > 0 ? { reserved } : {}
    return { kind: 'budget', held, pool, used, burned, minted, ...aside, limit, version, others, othersHeld, refunded }
  })
  const { granted, written } = outcome
  const names = list(wanted).map(rowNameFrom)
  return {
    time: integer(time),
    timeSeen: integer(seen),
    clock: integer(time),
    made: integer(made),
    isUpkeepDue,
    answer: { kind: 'applied', time, expiresAt, entries: answers, granted, wanted: names, written, frozenUntil: 0 },
  }
}

type Figures = readonly [number, number, number, number, number, number, number, number, number, number]
