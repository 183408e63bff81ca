import type { CallRecord } from './call-log.ts'

/** What all processes were told of one id of one budget. */
export interface CreditAnswers {
  /** Units that a settlement, or a refund, was told: one outcome for ever. */
  readonly outcomes: Set<number>
  /** How often the outcome was told as the first one. */
  firsts: number
  /** How often an admission was told as new, and as repeated. */
  admittedFirst: number
  admittedAgain: number
  reserved: number
}

/** By budget, id and kind: what was told of settlements, admissions and refunds. */
export class CreditTotals {
  readonly #answers = new Map<string, CreditAnswers>()
  calls = 0

  add({ kind, name, units, period, id }: CallRecord): void {
    if (kind !== 'reserved' && kind !== 'settled' && kind !== 'admitted-once' && kind !== 'given-back') return
    const isRefund = kind === 'given-back'
    const answers = this.of(name, isRefund ? refundOf(id) : id)
    const isFirst = period === 0
    this.calls += 1
    if (kind === 'reserved') answers.reserved += 1
    else if (kind === 'admitted-once') {
      if (isFirst) answers.admittedFirst += 1
      else answers.admittedAgain += 1
    } else {
      answers.outcomes.add(units)
      if (isFirst) answers.firsts += 1
    }
  }

  of(key: string, id: string): CreditAnswers {
    const name = `${key} ${id}`
    const known = this.#answers.get(name)
    if (known !== undefined) return known
    const answers = { outcomes: new Set<number>(), firsts: 0, admittedFirst: 0, admittedAgain: 0, reserved: 0 }
    this.#answers.set(name, answers)
    return answers
  }
}

/** Refunds of an admission are counted by themselves. */
export function refundOf(id: string): string {
  return `${id} refund`
}
