import type { Budget } from '../../../packages/vsa/dist/index.js'
import { withCurrentPeriod } from './current-period.ts'
import { hasNoRoom } from './no-room.ts'
import { budgetAt, type OperationOf } from './operation.ts'
import type { OwnerProcess } from './owner-process.ts'
import type { DecisionKind, PastDecision } from './past-decisions.ts'
import { keyOf, periodOf, rowName } from './process-totals.ts'
import type { Rng } from './rng.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'

/** The largest refund of units that were not admitted, so that it weakens the L1 check little. Units. */
const UNOWED_MAX = 10

/** The largest refund with a decision. Units. */
const EXACT_MAX = 1_000_000

/** Callers that refund units: admitted ones, and ones that were never admitted. */
export class RefundCalls {
  readonly #context: RunContext

  constructor(context: RunContext) {
    this.#context = context
  }

  refund(owner: OwnerProcess, operation: OperationOf<'refund'>, rng: Rng): void {
    const setting = budgetAt(this.#context.setting, operation.budget)
    if (setting === undefined || operation.units === 0) return
    switch (operation.which) {
      case 'own':
      case 'other':
        return this.#refundAdmitted(owner, setting, operation, rng)
      case 'twice':
        return this.#refundUnowed(owner, setting, operation.units)
      case 'unknown':
        if (this.#context.audit.rows.has(rowName(setting.key, 0)) || setting.windowed) return
        this.#context.scenarios.note('12 refund of an unknown budget')
        return this.#refundUnowed(owner, setting, operation.units)
      case 'odd':
        return this.#refundOdd(owner, setting, operation.units, rng)
      case 'denied':
      case 'unaccounted':
      case 'foreign':
      case 'together':
        return this.#refundDecision(owner, setting, operation, rng)
    }
  }

  /** L1: a decision gives back what it took from the budget, and nothing else. */
  #refundDecision(owner: OwnerProcess, drawn: BudgetSetting, { units, which }: OperationOf<'refund'>, rng: Rng): void {
    const past = owner.decisions.pick(rng, which as DecisionKind, drawn.key)
    // Sums of more units would not be exact.
    if (past === undefined || owner.closing || units > EXACT_MAX) return
    const { decision, keys } = past
    const { scenarios } = this.#context
    const key = rng.pickAny(keys)
    const asked = this.#context.setting.budgets.find((budget) => budget.key === key)
    const setting = which === 'foreign' ? drawn : asked
    if (setting === undefined) return
    // At most one budget has windows, and it comes first.
    const period = keys[0] === setting.key ? (decision.period ?? 0) : 0
    if (which === 'together') {
      scenarios.note('33 refund with a decision about several budgets')
      if (this.#isOwed(owner, rowName(setting.key, period), units))
        this.#giveBackWith(owner, setting, units, past, period)
      return
    }
    scenarios.note(
      which === 'foreign'
        ? '33 refund with a decision of another budget'
        : `33 refund with ${which === 'denied' ? 'a denied' : 'an unaccounted'} decision`,
    )
    const { refundsRefused, refundedUnits } = owner.vsa.stats()
    this.#context.operations += 1
    if (which === 'unaccounted') {
      if (!this.#refundWith(owner, setting, units, decision)) return
    } else this.#refuseRefund(owner, setting, units, decision)
    const now = owner.vsa.stats()
    must(
      now.refundsRefused === refundsRefused && now.refundedUnits === refundedUnits,
      'L1',
      () => `${setting.key}: a ${which} decision gave ${units} units back: ${JSON.stringify(decision)}`,
    )
  }

  /** A mistake of the caller, which is told at once. */
  #refuseRefund(owner: OwnerProcess, setting: BudgetSetting, units: number, decision: PastDecision['decision']): void {
    let thrown: unknown
    try {
      owner.budget(setting).refund(units, decision)
    } catch (error) {
      thrown = error
    }
    must(
      thrown instanceof TypeError && thrown.message.startsWith('decision must be '),
      'L1',
      () => `${setting.key}: ${units} units were taken back with ${JSON.stringify(decision)}: ${String(thrown)}`,
    )
  }

  /** @returns false when the refund was not taken, because the store is away and too much waits for it */
  #refundWith(owner: OwnerProcess, setting: BudgetSetting, units: number, decision: PastDecision['decision']): boolean {
    try {
      owner.budget(setting).refund(units, decision)
      return true
    } catch (error) {
      must(this.#context.isExpected(error) && hasNoRoom(error), 'O13', () => `a refund threw ${String(error)}`)
      return false
    }
  }

  /** No more than this process and all together have admitted and not refunded. */
  #isOwed(owner: OwnerProcess, name: string, units: number): boolean {
    const { admitted, refunded } = this.#context.admissions
    const { totals } = owner
    return (
      admitted.of(name) - refunded.of(name) >= units && totals.admitted.of(name) - totals.refunded.of(name) >= units
    )
  }

  #giveBackWith(
    owner: OwnerProcess,
    setting: BudgetSetting,
    units: number,
    { decision }: PastDecision,
    period: number,
  ): void {
    const before = owner.vsa.stats().refundsRefused
    this.#context.operations += 1
    if (!this.#refundWith(owner, setting, units, decision)) return
    const refused = owner.vsa.stats().refundsRefused - before
    must(
      refused === 0 || setting.key === this.#context.setting.corrupt,
      'L1',
      () => `${setting.key}: ${refused} of ${units} units were refused at once: ${JSON.stringify(decision)}`,
    )
    this.#gaveBack(owner, setting, period, units)
  }

  /** Units admitted and not refunded yet. */
  #refundAdmitted(
    owner: OwnerProcess,
    setting: BudgetSetting,
    { units, which }: OperationOf<'refund'>,
    rng: Rng,
  ): void {
    const { admissions, scenarios, storeTime, windows } = this.#context
    const { admitted, refunded } = which === 'own' ? owner.totals : admissions
    const rows = [...admitted.names()].filter(
      (name) => keyOf(name) === setting.key && admitted.of(name) - refunded.of(name) >= units,
    )
    const name = rng.pickAny(rows)
    // One refund is bounded by what all processes together have admitted and not refunded.
    if (name === undefined || admissions.admitted.of(name) - admissions.refunded.of(name) < units) return
    const period = periodOf(name)
    const isDelta = owner.exchanges.unsent(name) >= units
    if (!this.giveBack(owner, setting, owner.budget(setting), units, period)) return
    scenarios.note(isDelta ? '12 refund before its flush' : '12 refund after its flush')
    if (owner.totals.admitted.of(name) === 0) scenarios.note('12 refund by another owner')
    if (windows.windowAt(owner.policyOf(setting), period).end <= storeTime())
      scenarios.note('12 refund after its period')
  }

  #refundUnowed(owner: OwnerProcess, setting: BudgetSetting, units: number): void {
    if (units > UNOWED_MAX || owner.epoch === null) return
    const { admissions, scenarios, fail, windows, storeTime } = this.#context
    const budget = owner.budget(setting)
    const giveBack = (period: number): void => {
      const name = rowName(setting.key, period)
      const owed = admissions.admitted.of(name) - admissions.refunded.of(name)
      if (owed < units) scenarios.note('12 refund of more than was admitted')
      this.giveBack(owner, setting, budget, units, period)
    }
    // A closing engine refuses a cost of 0.
    if (owner.closing) giveBack(windows.windowAt(owner.policyOf(setting), storeTime()).start)
    else withCurrentPeriod(budget, setting, giveBack, fail)
  }

  /** A refund into an earlier or later period: a missing row refuses it, and no budget is created. */
  #refundOdd(owner: OwnerProcess, setting: BudgetSetting, units: number, rng: Rng): void {
    if (!setting.windowed || units > UNOWED_MAX) return
    const policy = owner.policyOf(setting)
    const { windows, storeTime } = this.#context
    const { start, end } = windows.windowAt(policy, storeTime())
    const offset = rng.pick([-900, -3, -1, 1, 2, 900]) * (end - start)
    const { start: period } = windows.windowAt(policy, start + offset)
    this.giveBack(owner, setting, owner.budget(setting), units, period)
  }

  /**
   * @param period the one that is named in the call; without it the engine's current one
   * @returns whether the engine accepted it
   */
  giveBack(owner: OwnerProcess, setting: BudgetSetting, budget: Budget, units: number, period?: number): boolean {
    const { isExpected, fail } = this.#context
    this.#context.operations += 1
    try {
      if (period === undefined || period === 0) budget.refund(units)
      else budget.refund(units, { period })
    } catch (error) {
      must(isExpected(error) && (owner.closing || hasNoRoom(error)), 'O13', () => `a refund threw ${String(error)}`)
      return false
    }
    if (period === undefined)
      withCurrentPeriod(budget, setting, (into) => this.#gaveBack(owner, setting, into, units), fail)
    else this.#gaveBack(owner, setting, period, units)
    return true
  }

  #gaveBack(owner: OwnerProcess, { key }: BudgetSetting, period: number, units: number): void {
    const { admissions, trace } = this.#context
    trace(() => `${owner.name} refund ${key} ${units} of ${period}`)
    admissions.addRefunded(owner.totals, key, period, units)
    owner.exchanges.gaveBack(rowName(key, period), units)
  }
}
