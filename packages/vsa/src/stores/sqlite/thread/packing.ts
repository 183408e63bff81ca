import type {
  Answer,
  AppliedAnswer,
  Batch,
  BudgetAnswer,
  BudgetEntry,
  Entry,
  EntryAnswer,
} from '../../../core/exchange.ts'
import { invariant } from '../../../core/errors.ts'

/*
 * The form of batches and answers between the threads. Plain entries are sent as columns of doubles, which represent every safe
 * integer; other entries are sent as objects. Measured for 1,000 entries on the calling thread, both directions together:
 * 0.1 ms in this form, 1.4 ms as a structured clone of the objects, 2.6 ms as JSON.
 */

/** Plain entries or answers as rows of numbers, and the others as objects with their indexes. */
interface Packed<Odd> {
  readonly numbers: Float64Array
  readonly odd: readonly (readonly [index: number, item: Odd])[]
}

export interface PackedBatch extends Omit<Batch, 'entries'>, Packed<Entry> {
  /** Of the plain entries, in order. */
  readonly keys: readonly string[]
}

export type PackedAnswer = Exclude<Answer, AppliedAnswer> | PackedAppliedAnswer

interface PackedAppliedAnswer extends Omit<AppliedAnswer, 'entries'>, Packed<EntryAnswer> {}

const ENTRY_WIDTH = 6
const ANSWER_WIDTH = 10

export function packBatch({ epoch, token, seq, entries, takes, close }: Batch): PackedBatch {
  const numbers = new Float64Array(entries.length * ENTRY_WIDTH)
  const keys: string[] = []
  const odd: [number, Entry][] = []
  let at = 0
  entries.forEach((entry, index) => {
    if (!isUsualEntry(entry)) {
      odd.push([index, entry])
      return
    }
    keys.push(entry.key)
    numbers[at] = entry.period
    numbers[at + 1] = entry.known ? 1 : 0
    numbers[at + 2] = entry.spent
    numbers[at + 3] = entry.refund
    numbers[at + 4] = entry.hold
    numbers[at + 5] = entry.wantMs
    at += ENTRY_WIDTH
  })
  return { epoch, token, seq, takes, close, numbers, keys, odd }
}

export function unpackBatch({ epoch, token, seq, takes, close, numbers, keys, odd }: PackedBatch): Batch {
  const usual = keys.map((key, index): BudgetEntry => {
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
  return { epoch, token, seq, entries: interleave(usual, odd), takes, close }
}

export function packAnswer(answer: Answer): PackedAnswer {
  if (!('entries' in answer)) return answer
  const { entries, ...rest } = answer
  const numbers = new Float64Array(entries.length * ANSWER_WIDTH)
  const odd: [number, EntryAnswer][] = []
  let at = 0
  entries.forEach((entry, index) => {
    if (entry.kind !== 'budget' || entry.mint !== undefined) {
      odd.push([index, entry])
      return
    }
    numbers[at] = entry.held
    numbers[at + 1] = entry.pool
    numbers[at + 2] = entry.used
    numbers[at + 3] = entry.burned
    numbers[at + 4] = entry.minted
    numbers[at + 5] = entry.limit
    numbers[at + 6] = entry.version
    numbers[at + 7] = entry.others
    numbers[at + 8] = entry.othersHeld
    numbers[at + 9] = entry.refunded
    at += ANSWER_WIDTH
  })
  return { ...rest, numbers: numbers.subarray(0, at), odd }
}

export function unpackAnswer(answer: PackedAnswer): Answer {
  if (!('numbers' in answer)) return answer
  const { numbers, odd, ...rest } = answer
  const usual: BudgetAnswer[] = []
  for (let at = 0; at < numbers.length; at += ANSWER_WIDTH) {
    usual.push({
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
  return { ...rest, entries: interleave(usual, odd) }
}

/** A budget entry without a policy or a mint. */
function isUsualEntry(entry: Entry): entry is BudgetEntry {
  return entry.kind === 'budget' && entry.policy === undefined && entry.mint === undefined
}

function interleave<Item>(
  usual: readonly Item[],
  odd: readonly (readonly [index: number, item: Item])[],
): readonly Item[] {
  if (odd.length === 0) return usual
  const items: Item[] = []
  let from = 0
  for (const [index, item] of odd) {
    const upTo = from + index - items.length
    items.push(...usual.slice(from, upTo), item)
    from = upTo
  }
  items.push(...usual.slice(from))
  return items
}

function cell(numbers: Float64Array, at: number): number {
  const value = numbers[at]
  invariant(value !== undefined, 'a packed row is complete')
  return value
}
