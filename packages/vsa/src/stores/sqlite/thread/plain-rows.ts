import type { BudgetAnswer, BudgetEntry } from '../../../core/exchange.ts'
import { invariant } from '../../../core/errors.ts'

/*
 * Plain entries and answers as rows of numbers. A few are cheapest as a list each, many as columns of doubles, which represent every safe integer.
 */

/** The most rows that are sent as lists. */
const LISTED_MAX = 4

type EntryList = readonly [
  key: string,
  period: number,
  known: boolean,
  spent: number,
  refund: number,
  hold: number,
  wantMs: number,
]

type AnswerList = readonly [
  held: number,
  pool: number,
  used: number,
  burned: number,
  minted: number,
  limit: number,
  version: number,
  others: number,
  othersHeld: number,
  refunded: number,
]

/** Budget entries without a policy or a mint, in order. */
export type PackedEntries = readonly EntryList[] | { readonly keys: readonly string[]; readonly numbers: Float64Array }

/** Budget answers without a mint, in order. */
export type PackedAnswers = readonly AnswerList[] | { readonly numbers: Float64Array }

const ENTRY_WIDTH = 6
const ANSWER_WIDTH = 10

export function packEntries(entries: readonly BudgetEntry[]): PackedEntries {
  if (entries.length <= LISTED_MAX) return listed(entries, entryList)
  const numbers = new Float64Array(entries.length * ENTRY_WIDTH)
  const keys: string[] = []
  let at = 0
  for (const entry of entries) {
    keys.push(entry.key)
    numbers[at] = entry.period
    numbers[at + 1] = entry.known ? 1 : 0
    numbers[at + 2] = entry.spent
    numbers[at + 3] = entry.refund
    numbers[at + 4] = entry.hold
    numbers[at + 5] = entry.wantMs
    at += ENTRY_WIDTH
  }
  return { keys, numbers }
}

export function unpackEntries(packed: PackedEntries): readonly BudgetEntry[] {
  if (!('numbers' in packed))
    return packed.map(([key, period, known, spent, refund, hold, wantMs]) => ({
      kind: 'budget',
      key,
      period,
      known,
      spent,
      refund,
      hold,
      wantMs,
    }))
  const { keys, numbers } = packed
  return keys.map((key, index) => {
    const at = index * ENTRY_WIDTH
    return {
      kind: 'budget',
      key,
      period: cell(numbers, at),
      known: cell(numbers, at + 1) === 1,
      spent: cell(numbers, at + 2),
      refund: cell(numbers, at + 3),
      hold: cell(numbers, at + 4),
      wantMs: cell(numbers, at + 5),
    }
  })
}

export function packAnswers(answers: readonly BudgetAnswer[]): PackedAnswers {
  if (answers.length <= LISTED_MAX) return listed(answers, answerList)
  const numbers = new Float64Array(answers.length * ANSWER_WIDTH)
  let at = 0
  for (const one of answers) {
    numbers[at] = one.held
    numbers[at + 1] = one.pool
    numbers[at + 2] = one.used
    numbers[at + 3] = one.burned
    numbers[at + 4] = one.minted
    numbers[at + 5] = one.limit
    numbers[at + 6] = one.version
    numbers[at + 7] = one.others
    numbers[at + 8] = one.othersHeld
    numbers[at + 9] = one.refunded
    at += ANSWER_WIDTH
  }
  return { numbers }
}

export function unpackAnswers(packed: PackedAnswers): readonly BudgetAnswer[] {
  if (!('numbers' in packed))
    return packed.map(([held, pool, used, burned, minted, limit, version, others, othersHeld, refunded]) => ({
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
    }))
  const { numbers } = packed
  const answers: BudgetAnswer[] = []
  for (let at = 0; at < numbers.length; at += ANSWER_WIDTH) {
    answers.push({
      kind: 'budget',
      held: cell(numbers, at),
      pool: cell(numbers, at + 1),
      used: cell(numbers, at + 2),
      burned: cell(numbers, at + 3),
      minted: cell(numbers, at + 4),
      limit: cell(numbers, at + 5),
      version: cell(numbers, at + 6),
      others: cell(numbers, at + 7),
      othersHeld: cell(numbers, at + 8),
      refunded: cell(numbers, at + 9),
    })
  }
  return answers
}

/** As `map`, which leaves a list that V8 clones index by index. */
export function listed<Item, Packed>(items: readonly Item[], pack: (item: Item) => Packed): Packed[] {
  const list: Packed[] = []
  for (const item of items) list.push(pack(item))
  return list
}

function entryList({ key, period, known, spent, refund, hold, wantMs }: BudgetEntry): EntryList {
  return [key, period, known, spent, refund, hold, wantMs]
}

function answerList(answer: BudgetAnswer): AnswerList {
  const { held, pool, used, burned, minted, limit, version, others, othersHeld, refunded } = answer
  return [held, pool, used, burned, minted, limit, version, others, othersHeld, refunded]
}

function cell(numbers: Float64Array, at: number): number {
  const value = numbers[at]
  invariant(value !== undefined, 'a packed row is complete')
  return value
}
