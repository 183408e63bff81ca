import type { Budget } from '../../../packages/vsa/dist/index.js'
import { budgetAt, type DeedOf } from './deed.ts'
import type { Dice } from './dice.ts'
import type { OwnerProcess } from './owner-process.ts'
import { rowName } from './process-books.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'

/** Callers that give units back: what they were told of, and what nobody owes. */
export class Refunders {
  readonly #context: RunContext

  constructor(context: RunContext) {
    this.#context = context
  }

  refund(owner: OwnerProcess, deed: DeedOf<'refund'>, dice: Dice): void {
    const setting = budgetAt(this.#context.setting, deed.budget)
    if (setting === undefined || deed.units === 0) return
    switch (deed.which) {
      case 'own':
      case 'other':
        return this.#refundTold(owner, setting, deed, dice)
      case 'twice':
        if (deed.units > 10) return
        return this.#refundUnowed(owner, setting, deed.units)
      case 'unknown':
        if (this.#context.audit.rows.has(rowName(setting.key, 0)) || setting.windowed || deed.units > 10) return
        this.#context.reached.note('12 refund of an unknown budget')
        return this.#refundUnowed(owner, setting, deed.units)
      case 'odd':
        return this.#refundOdd(owner, setting, deed.units, dice)
    }
  }

  /** What somebody was told of and has not given back. */
  #refundTold(owner: OwnerProcess, setting: BudgetSetting, { units, which }: DeedOf<'refund'>, dice: Dice): void {
    const { tellings, reached, storeTime } = this.#context
    const told = which === 'own' ? owner.books.told : tellings.told
    const back = which === 'own' ? owner.books.refunded : tellings.refunded
    const rows = [...told.names()].filter(
      (name) => keyOf(name) === setting.key && told.of(name) - back.of(name) >= units,
    )
    const name = dice.pickAny(rows)
    // What all processes together have not given back bounds what one may give.
    if (name === undefined || tellings.told.of(name) - tellings.refunded.of(name) < units) return
    const period = periodOf(name)
    const budget = owner.budget(setting)
    const isCurrent = owner.windowOf(setting)?.start === period
    const isDelta = isCurrent && owner.unsent(setting) >= units
    if (!this.giveBack(owner, setting, budget, units, period)) return
    reached.note(isDelta ? '12 refund before its flush' : '12 refund after its flush')
    if (owner.books.told.of(name) === 0) reached.note('12 refund by another owner')
    if (owner.windowAt(budget, period).end <= storeTime()) reached.note('12 refund after its period')
  }

  #refundUnowed(owner: OwnerProcess, setting: BudgetSetting, units: number): void {
    const budget = owner.budget(setting)
    const window = owner.windowOf(setting)
    if (window === undefined) return
    const name = rowName(setting.key, window.start)
    const owed = this.#context.tellings.told.of(name) - this.#context.tellings.refunded.of(name)
    if (owed < units) this.#context.reached.note('12 refund of more than was admitted')
    this.giveBack(owner, setting, budget, units, window.start)
  }

  /** Into a period before or after: what is not there is refused, and makes no budget. */
  #refundOdd(owner: OwnerProcess, setting: BudgetSetting, units: number, dice: Dice): void {
    if (!setting.windowed || units > 10) return
    const budget = owner.budget(setting)
    const { start, end } = owner.windowAt(budget, this.#context.storeTime())
    const length = end - start
    const { start: period } = owner.windowAt(budget, start + dice.pick([-900, -3, -1, 1, 2, 900]) * length)
    this.giveBack(owner, setting, budget, units, period)
  }

  /** @returns whether the engine took it */
  giveBack(owner: OwnerProcess, setting: BudgetSetting, budget: Budget, units: number, period?: number): boolean {
    const { tellings, isExpected, trace } = this.#context
    const into = period ?? owner.windowOf(setting)?.start
    if (into === undefined) return false
    this.#context.operations += 1
    trace(() => `${owner.name} refund ${setting.key} ${units} of ${into}`)
    try {
      if (period === undefined || period === 0) budget.refund(units)
      else budget.refund(units, { period })
    } catch (error) {
      must(isExpected(error) && owner.closing, 'O13', () => `a refund threw ${String(error)}`)
      return false
    }
    tellings.gaveBack(owner.books, setting.key, into, units)
    return true
  }
}

function keyOf(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function periodOf(name: string): number {
  return Number(name.slice(0, name.indexOf(':')))
}
