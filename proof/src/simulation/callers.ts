import type { Budget, Decision } from '../../../packages/vsa/dist/index.js'
import { CreditCalls } from './credit-calls.ts'
import { CounterCalls } from './counter-calls.ts'
import { CrowdCalls } from './crowd-calls.ts'
import { withCurrentPeriod } from './current-period.ts'
import { misuse } from './misuse.ts'
import { budgetAt, type OperationOf } from './operation.ts'
import type { OwnerProcess, StoreDecision } from './owner-process.ts'
import { ABORTED, PendingCalls } from './pending-calls.ts'
import { areExact, keyOf, rowName } from './process-totals.ts'
import { RefundCalls } from './refund-calls.ts'
import { RetryHints } from './retry-hints.ts'
import type { Rng } from './rng.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'
import { WholeBudgetCalls } from './whole-budget-calls.ts'
import { wideBudget } from './wide-budgets.ts'

/** Callers that are told in one turn. */
const TOLD_MAX = 400

/** The callers of all processes: they request, spend and refund units, and record every answer. */
export class Callers {
  readonly counters: CounterCalls
  readonly credits: CreditCalls
  readonly wholeBudgets: WholeBudgetCalls
  readonly #context: RunContext
  readonly #calls: PendingCalls
  readonly #crowds: CrowdCalls
  readonly #refunds: RefundCalls
  readonly #hints: RetryHints

  constructor(context: RunContext) {
    this.#context = context
    this.#calls = new PendingCalls(context)
    this.#crowds = new CrowdCalls(context, this.#calls)
    this.#refunds = new RefundCalls(context)
    this.#hints = new RetryHints(context)
    this.counters = new CounterCalls(context, this.#calls)
    this.credits = new CreditCalls(context, this.#calls)
    this.wholeBudgets = new WholeBudgetCalls(context, this.#calls)
  }

  ask(owner: OwnerProcess, operation: OperationOf<'ask'>): void {
    const setting = this.#setting(operation.budget)
    if (setting === undefined) return
    if (operation.units === 0) return this.#look(owner, setting)
    if (this.#crowds.canAsk(owner, setting, operation)) return this.#crowds.ask(owner, setting, operation)
    for (let time = 0; time < operation.times; time += 1) this.#askOnce(owner, setting, operation)
  }

  /** Requests every row of a range at once, so that batches, wanted rows and slices of upkeep reach their limits. */
  sweep(owner: OwnerProcess, { from, rows, units }: OperationOf<'sweep'>): void {
    const once = {
      kind: 'ask',
      budget: 0,
      units,
      durable: null,
      deadlineMs: null,
      abortAfterMs: null,
      times: 1,
    } as const
    for (let number = from; number < from + rows; number += 1) {
      const setting = wideBudget(this.#context.setting, number)
      if (setting !== undefined) this.#askOnce(owner, setting, once)
    }
  }

  /** G2: a cost of 0 is admitted, whatever the state of the budget. */
  #look(owner: OwnerProcess, setting: BudgetSetting): void {
    this.#context.scenarios.note('19 cost 0')
    const budget = owner.budget(setting)
    const looks = [budget.decide(0).then(({ admitted }) => admitted), budget.admit(0)]
    if (!owner.isDurable(setting)) looks.push(Promise.resolve(budget.tryAdmit(0)))
    Promise.all(looks.map((look) => look.catch(() => false)))
      .then((admitted) =>
        must(admitted.every(Boolean), 'G2', () => `${setting.key}: a cost of 0 was answered ${admitted.join()}`),
      )
      .catch(this.#context.fail)
  }

  /** @param decided called with the decision; without it, a denial's hint is followed */
  #askOnce(
    owner: OwnerProcess,
    setting: BudgetSetting,
    operation: OperationOf<'ask'>,
    decided?: (decision: Decision) => void,
  ): void {
    const { units, durable } = operation
    const budget = owner.budget(setting)
    const deadlineMs = owner.deadlineOf(operation.deadlineMs)
    const isDurable = durable ?? owner.isDurable(setting)
    const abort = new AbortController()
    if (operation.abortAfterMs !== null) owner.machine.timer(operation.abortAfterMs, () => abort.abort(ABORTED))
    const options = { deadlineMs, signal: abort.signal, ...(durable === null ? {} : { durable }) }
    const asked = budget.decide(units, options)
    this.#calls.decided(
      owner,
      budget,
      `decide ${units} ${isDurable ? 'durably' : ''}`,
      [[budget, units]],
      asked,
      deadlineMs,
      (decision) => {
        if (decision.admitted) this.#admitted(owner, setting, decision, units, isDurable)
        if (decided !== undefined) return decided(decision)
        const once = { ...operation, units: 1, deadlineMs: null, abortAfterMs: null }
        this.#hints.follow(owner, decision, (again) => this.#askOnce(owner, setting, once, again))
      },
    )
  }

  #admitted(
    owner: OwnerProcess,
    setting: BudgetSetting,
    { period }: StoreDecision,
    units: number,
    durable: boolean,
  ): void {
    const { scenarios, admissions, audit } = this.#context
    if (!durable && owner.exchanges.givesBack(rowName(setting.key, period)))
      scenarios.note('11 admitted while units go back')
    if (units > setting.atRiskMax && !durable) scenarios.note('29 cost larger than the lease')
    admissions.addAdmitted(owner.totals, { key: setting.key, period, units, durable }, audit.latestTime)
  }

  /** All or none. At most one budget has windows, and it comes first: the decision names the period of the first budget only. */
  all(owner: OwnerProcess, operation: OperationOf<'all'>): void {
    const chosen = operation.budgets.flatMap((index) => this.#setting(index) ?? [])
    const windowed = chosen.filter((setting) => setting.windowed).slice(0, 1)
    const settings = [...windowed, ...chosen.filter((setting) => !setting.windowed)]
    if (settings.length < 2 || operation.units === 0) return
    const durable = settings.some((setting) => owner.isDurable(setting))
    const needs = settings.map((setting) => [owner.budget(setting), operation.units] as const)
    const [first] = needs
    if (first === undefined) return
    const asked = owner.vsa.decideAll(needs)
    this.#calls.decided(
      owner,
      first[0],
      `all of ${settings.length}, ${operation.units} each`,
      needs,
      asked,
      owner.deadlineOf(null),
      (decision) => {
        const { scenarios, admissions, audit } = this.#context
        if (!decision.admitted) return scenarios.note('17 several budgets, one exhausted')
        scenarios.note('17 several budgets admitted')
        for (const [index, { key }] of settings.entries()) {
          const period = index === 0 ? decision.period : 0
          admissions.addAdmitted(owner.totals, { key, period, units: operation.units, durable }, audit.latestTime)
        }
      },
    )
  }

  tryMany(owner: OwnerProcess, operation: OperationOf<'try'>): void {
    const setting = this.#setting(operation.budget)
    if (setting === undefined || owner.isDurable(setting)) return
    this.#assertOneGate(owner, setting)
    const budget = owner.budget(setting)
    for (let time = 0; time < operation.times; time += 1) this.#tryOnce(owner, setting, budget, operation.units)
  }

  /** G5: a handle that outlives an eviction and a fresh one lead to the same gate. */
  #assertOneGate(owner: OwnerProcess, setting: BudgetSetting): void {
    const [kept, fresh] = owner.handlesOf(setting)
    if (kept === fresh) return
    const textOf = ({ period, limit, remaining }: Decision): string => JSON.stringify({ period, limit, remaining })
    Promise.all([kept.decide(0), fresh.decide(0)])
      .then((looks) => {
        const [first, second] = looks.map(textOf)
        must(first === second, 'G5', () => `${setting.key}: one handle reports ${first}, the other one ${second}`)
      })
      .catch(this.#context.fail)
  }

  #tryOnce(owner: OwnerProcess, setting: BudgetSetting, budget: Budget, units: number): boolean {
    this.#context.operations += 1
    if (!budget.tryAdmit(units) || units === 0) return false
    withCurrentPeriod(budget, setting, (period) => this.#tried(owner, setting, period, units), this.#context.fail)
    return true
  }

  #tried(owner: OwnerProcess, setting: BudgetSetting, period: number, units: number): void {
    const { admissions, audit, scenarios, trace } = this.#context
    const name = rowName(setting.key, period)
    trace(() => `${owner.name} tryAdmit ${setting.key} ${units} of ${period}`)
    if (owner.exchanges.givesBack(name)) scenarios.note('11 admitted while units go back')
    if (audit.epoch(owner.epoch)?.end === 'reaped') scenarios.note('4 admits after its lease was burned')
    if (setting.atRiskMax === 1) scenarios.note('29 atRisk 1')
    admissions.addAdmitted(owner.totals, { key: setting.key, period, units, durable: false }, audit.latestTime)
    owner.exchanges.admitted(name, units)
  }

  /** Admits and refunds at once. L7: no net change may be left to write. */
  churn(owner: OwnerProcess, operation: OperationOf<'churn'>): void {
    const setting = this.#setting(operation.budget)
    if (setting === undefined || owner.isDurable(setting)) return
    const budget = owner.budget(setting)
    const before = budget.decide(0)
    for (let time = 0; time < operation.times; time += 1) {
      if (!this.#tryOnce(owner, setting, budget, 1)) break
      this.#refunds.giveBack(owner, setting, budget, 1)
    }
    Promise.all([before, budget.decide(0)])
      .then(([was, now]) => {
        for (const { period, remaining } of [was, now]) {
          // Nothing is known before the first join.
          if (period === undefined || remaining === undefined) continue
          this.#context.attempt(() => owner.exchanges.assertRemembered(rowName(setting.key, period), remaining))
        }
        const isSame = was.period !== now.period || was.remaining === now.remaining
        must(isSame, 'L7', () => `${setting.key}: churn changed what remains from ${was.remaining} to ${now.remaining}`)
        this.#context.scenarios.note('24 churn to zero')
      })
      .catch(this.#context.fail)
  }

  refund(owner: OwnerProcess, operation: OperationOf<'refund'>, rng: Rng): void {
    this.#refunds.refund(owner, operation, rng)
  }

  mint(owner: OwnerProcess, { budget, units, id }: OperationOf<'mint'>): void {
    const setting = this.#setting(budget)
    if (setting === undefined || setting.windowed) return
    const policy = owner.policyOf(setting)
    if ('initial' in policy && policy.initial === 0) this.#context.scenarios.note('29 first units by mint')
    this.#context.admissions.addMint(setting.key, id, units)
    this.#calls.waited(
      owner,
      `mint ${units} of ${setting.key} as ${id}`,
      owner.budget(setting).mint(units, { id }),
      owner.deadlineOf(null),
    )
  }

  /** All changes before the call are durable when it resolves. */
  flush(owner: OwnerProcess, { returnLeases }: OperationOf<'flush'>): void {
    const { totals } = owner
    const before = [...totals.admitted.names()].map(
      (name) => [name, totals.admitted.of(name) - totals.refunded.of(name)] as const,
    )
    const refunds = [...totals.refunded.names()].map((name) => [name, totals.refunded.of(name)] as const)
    const isWhole = !owner.fenced
    this.#calls.waited(owner, 'flush', owner.vsa.flush({ returnLeases }), owner.deadlineOf(null), () => {
      if (!isWhole || owner.fenced) return
      for (const [name, net] of before) {
        // Refunds since then may have been netted against what was spent before.
        const since = totals.refunded.of(name)
        // P6: what was spent from a lease that had been deleted is in no account.
        const settled = totals.settled.of(name) + totals.lost.of(name)
        must(settled + since >= net, 'L3', () => `${name}: flushed, and only ${settled} of ${net} units are durable`)
      }
      for (const [name, refunded] of refunds) this.#assertRefunded(owner, name, refunded)
    })
  }

  /** O4: the units given back before a flush are back in the row when it resolves, or were given up. */
  #assertRefunded({ totals, requests }: OwnerProcess, name: string, refunded: number): void {
    const { admitted, accepted, refused, settled, unaccounted, failed } = totals
    // Callers are told in portions: of very many, some are not yet told what was settled.
    if (requests.size > TOLD_MAX || !areExact(name, admitted, totals.refunded, refused, settled, accepted)) return
    const kept = settled.of(name) - accepted.of(name)
    const key = keyOf(name)
    // What is settled may include an admission whose caller is told after the flush, though by the same answer (seeds 907063, 1010133 and 1401028).
    if (requests.admits(key)) return
    const most = admitted.of(name) - refunded + refused.of(name) + unaccounted.of(key) + failed.of(key)
    must(
      kept <= most,
      'L3',
      () => `${name}: flushed, and ${kept - most} of ${refunded} refunded units are not given back`,
    )
  }

  peek(owner: OwnerProcess, operation: OperationOf<'peek'>): void {
    const setting = this.#setting(operation.budget)
    if (setting === undefined) return
    const peeked = owner.budget(setting).peek()
    this.#calls.waited(owner, `peek ${setting.key}`, peeked, owner.deadlineOf(null), (peek) => {
      const { limit, minted, used, reserved, remaining, burned } = peek
      const isSane = remaining >= 0 && used >= 0 && reserved >= 0 && limit === minted
      // More may be used than a limit that was lowered.
      const gone = used + reserved + burned
      const addsUp = gone + remaining === minted || (remaining === 0 && gone > minted)
      must(isSane && addsUp, 'L2', () => `peek: ${JSON.stringify(peek)}`)
    })
  }

  misuse(owner: OwnerProcess, operation: OperationOf<'misuse'>): void {
    misuse(this.#context, owner, operation)
  }

  #setting(index: number): BudgetSetting | undefined {
    return budgetAt(this.#context.setting, index)
  }
}
