import type { Exchanged } from '../../core/adapter.ts'
import type { Batch, BudgetAnswer, BudgetEntry, EntryAnswer, Outcome } from '../../core/exchange.ts'
import { isPlainBatch } from '../../core/plain-batch.ts'
import { BUDGET_DOUBLES, bytesOf, DOUBLE, list, pairs, rowNameFrom, text } from './rows.ts'

/* The client's side of the fast path: which batches may go there, and what the answer of `EXCHANGE` means. */

/**
 * The script decides it, or says that it does not. A key may be minted in two of its periods under one id: that is not decided there.
 * @param incarnation of the store, as it was last seen
 */
export function isPlain(batch: Batch, incarnation: string): boolean {
  if (!isPlainBatch(batch, { mints: true, closes: true, incarnation })) return false
  return batch.entries.every((entry) => entry.kind !== 'budget' || hasTimes(entry))
}

function hasTimes({ period, policy }: BudgetEntry): boolean {
  return Number.isSafeInteger(period) && (policy === undefined || (isTime(policy.endsAt) && isTime(policy.keepUntil)))
}

function isTime(time: number | null): boolean {
  return time === null || Number.isSafeInteger(time)
}

/** @param value the answer of `EXCHANGE` @returns null when it did not decide */
export function exchangedFrom(value: unknown, { entries }: Batch): Exchanged | null {
  if (value === null) return null
  const [numbers, outcomeText, wanted, rows] = list(value)
  const doubles = new Doubles(Buffer.concat([numbers, ...list(rows)].map(bytesOf)))
  const [time, timeSeen, expiresAt] = [doubles.at(0), doubles.at(1), doubles.at(2)]
  // Only the script has written it.
  const outcome = JSON.parse(text(outcomeText)) as Outcome
  const { granted, written } = outcome
  return {
    time,
    timeSeen,
    clock: time,
    made: doubles.at(3),
    isUpkeepDue: doubles.at(4) === 1,
    answer: {
      kind: 'applied',
      time,
      expiresAt,
      entries: answersFrom(entries, doubles, outcome),
      granted,
      wanted: pairs(wanted).map(([field]) => rowNameFrom(field)),
      written,
      frozenUntil: 0,
    },
  }
}

/** Time and the others in front. */
const HEAD_DOUBLES = 5

function answersFrom(entries: Batch['entries'], doubles: Doubles, { notes }: Outcome): readonly EntryAnswer[] {
  const budgets = entries.reduce((sum, { kind }) => sum + (kind === 'budget' ? 1 : 0), 0)
  const counters = entries.reduce((sum, { kind }) => sum + (kind === 'counter' ? 1 : 0), 0)
  let held = HEAD_DOUBLES
  let counter = held + budgets
  let row = counter + counters
  return entries.map((entry, at): EntryAnswer => {
    if (entry.kind === 'void') return { kind: 'void' }
    if (entry.kind === 'counter') return { kind: 'counter', value: doubles.at(counter++), overflow: false }
    const { refunded = 0, mint } = notes[at] ?? {}
    const answer = budgetAnswer(doubles, row, doubles.at(held++), refunded)
    row += BUDGET_DOUBLES
    return mint === undefined ? answer : { ...answer, mint }
  })
}

/** @param row where the packed row begins */
function budgetAnswer(doubles: Doubles, row: number, held: number, refunded: number): BudgetAnswer {
  const lessees = doubles.at(row + 6)
  const reserved = doubles.at(row + 13)
  return {
    kind: 'budget',
    held,
    pool: doubles.at(row + 3),
    used: doubles.at(row + 2),
    burned: doubles.at(row + 4),
    minted: doubles.at(row + 1),
    ...(reserved > 0 && { reserved }),
    limit: doubles.at(row + 7),
    version: doubles.at(row + 9),
    others: held > 0 ? lessees - 1 : lessees,
    othersHeld: doubles.at(row + 5) - held,
    refunded,
  }
}

/** Packed doubles, by their positions. */
class Doubles {
  readonly #view: DataView

  constructor(bytes: Buffer) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  at(position: number): number {
    return this.#view.getFloat64(position * DOUBLE, true)
  }
}
