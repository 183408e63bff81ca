import type { Budget } from '../../../packages/vsa/dist/index.js'
import { budgetAt, type DeedOf } from './deed.ts'
import type { Dice } from './dice.ts'
import { misuse } from './misuse.ts'
import type { OwnerProcess } from './owner-process.ts'
import { Refunders } from './refunders.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'
import { ABORTED, WatchedCalls } from './watched-calls.ts'

/** The callers of all processes: they ask, spend, give back, and write down what they are told. */
export class Callers {
  readonly #context: RunContext
  readonly #calls: WatchedCalls
  readonly #refunders: Refunders

  constructor(context: RunContext) {
    this.#context = context
    this.#calls = new WatchedCalls(context)
    this.#refunders = new Refunders(context)
  }

  ask(owner: OwnerProcess, deed: DeedOf<'ask'>): void {
    const setting = this.#setting(deed.budget)
    if (setting === undefined) return
    if (deed.units === 0) return this.#look(owner, setting)
    for (let time = 0; time < deed.times; time += 1) this.#askOnce(owner, setting, deed)
  }

  /** G2: a cost of 0 is admitted, whatever is known of the budget. */
  #look(owner: OwnerProcess, setting: BudgetSetting): void {
    this.#context.reached.note('19 cost 0')
    const budget = owner.budget(setting)
    const looks = [budget.decide(0).then(({ admitted }) => admitted), budget.admit(0)]
    if (!owner.isDurable(setting)) looks.push(Promise.resolve(budget.tryAdmit(0)))
    Promise.all(looks.map((look) => look.catch(() => false)))
      .then((admitted) =>
        must(admitted.every(Boolean), 'G2', () => `${setting.key}: a look was answered ${admitted.join()}`),
      )
      .catch(this.#context.fail)
  }

  #askOnce(owner: OwnerProcess, setting: BudgetSetting, deed: DeedOf<'ask'>): void {
    const { units, durable } = deed
    const budget = owner.budget(setting)
    const deadlineMs = owner.deadlineOf(deed.deadlineMs)
    const isDurable = durable ?? owner.isDurable(setting)
    const abort = new AbortController()
    if (deed.abortAfterMs !== null) owner.machine.timer(deed.abortAfterMs, () => abort.abort(ABORTED))
    const options = { deadlineMs, signal: abort.signal, ...(durable === null ? {} : { durable }) }
    const wasAway = owner.givesBack(budget)
    this.#calls.decided(
      owner,
      budget,
      `decide ${units} ${isDurable ? 'durably' : ''}`,
      [[budget, units]],
      budget.decide(units, options),
      deadlineMs,
      (decision) => {
        if (!decision.admitted) return
        if (wasAway && !isDurable) this.#context.reached.note('11 admitted while units go back')
        if (units > setting.atRiskMax && !isDurable) this.#context.reached.note('29 cost larger than the lease')
        this.#context.tellings.admitted(owner.books, setting.key, decision.period, units, isDurable)
      },
    )
  }

  /** All or none. One window at most, and first: the record tells the period of the first need alone. */
  all(owner: OwnerProcess, deed: DeedOf<'all'>): void {
    const chosen = deed.budgets.flatMap((index) => this.#setting(index) ?? [])
    const windowed = chosen.filter(({ windowed }) => windowed).slice(0, 1)
    const settings = [...windowed, ...chosen.filter(({ windowed }) => !windowed)]
    if (settings.length < 2 || deed.units === 0) return
    const isDurable = settings.some((setting) => owner.isDurable(setting))
    const needs = settings.map((setting) => [owner.budget(setting), deed.units] as const)
    const [first] = needs
    if (first === undefined) return
    const asked = owner.vsa.decideAll(needs)
    this.#calls.decided(
      owner,
      first[0],
      `all of ${settings.length}, ${deed.units} each`,
      needs,
      asked,
      owner.deadlineOf(null),
      (decision) => {
        const { reached, tellings } = this.#context
        if (!decision.admitted) return reached.note('17 several budgets, one exhausted')
        reached.note('17 several budgets admitted')
        for (const [index, { key }] of settings.entries()) {
          tellings.admitted(owner.books, key, index === 0 ? decision.period : 0, deed.units, isDurable)
        }
      },
    )
  }

  /** @returns whether any unit was admitted */
  tryMany(owner: OwnerProcess, deed: DeedOf<'try'>): boolean {
    const setting = this.#setting(deed.budget)
    if (setting === undefined || owner.isDurable(setting)) return false
    let isAny = false
    const budget = owner.budget(setting)
    for (let time = 0; time < deed.times; time += 1) isAny = this.#tryOnce(owner, setting, budget, deed.units) || isAny
    return isAny
  }

  #tryOnce(owner: OwnerProcess, setting: BudgetSetting, budget: Budget, units: number): boolean {
    this.#context.operations += 1
    const wasAway = owner.givesBack(budget)
    if (!budget.tryAdmit(units) || units === 0) return false
    const { tellings, audit, reached, trace } = this.#context
    const window = owner.windowOf(setting)
    must(window !== undefined, 'O1', () => `${setting.key} admits from no row`)
    trace(() => `${owner.name} tryAdmit ${setting.key} ${units} of ${window.start}`)
    // O11: never of a period that has not begun. Clocks of store and owner go at one speed here.
    must(
      window.start <= audit.latestTime,
      'O11',
      () => `${setting.key.slice(0, 20)}: admitted of ${window.start}, and it is ${audit.latestTime}`,
    )
    tellings.admitted(owner.books, setting.key, window.start, units, false)
    if (wasAway) reached.note('11 admitted while units go back')
    if (audit.epoch(owner.vsa.stats().epoch)?.end === 'reaped') reached.note('4 admits after its lease was burned')
    if (setting.atRiskMax === 1) reached.note('29 atRisk 1')
    return true
  }

  /** Admits and gives back at once: nothing of it may be written. */
  churn(owner: OwnerProcess, deed: DeedOf<'churn'>): void {
    const setting = this.#setting(deed.budget)
    if (setting === undefined || owner.isDurable(setting)) return
    const budget = owner.budget(setting)
    const before = owner.unsent(setting)
    for (let time = 0; time < deed.times; time += 1) {
      if (!this.#tryOnce(owner, setting, budget, 1)) return
      this.#refunders.giveBack(owner, setting, budget, 1)
    }
    must(owner.unsent(setting) === before, 'L7', () => `${setting.key}: churn left a delta of ${owner.unsent(setting)}`)
    this.#context.reached.note('24 churn to zero')
  }

  refund(owner: OwnerProcess, deed: DeedOf<'refund'>, dice: Dice): void {
    this.#refunders.refund(owner, deed, dice)
  }

  mint(owner: OwnerProcess, { budget, units, id }: DeedOf<'mint'>): void {
    const setting = this.#setting(budget)
    if (setting === undefined || setting.windowed) return
    const policy = owner.policyOf(setting)
    if ('initial' in policy && policy.initial === 0) this.#context.reached.note('29 first units by mint')
    this.#context.tellings.mints(setting.key, id, units)
    this.#calls.waited(
      owner,
      `mint ${units} of ${setting.key} as ${id}`,
      owner.budget(setting).mint(units, { id }),
      owner.deadlineOf(null),
    )
  }

  add(owner: OwnerProcess, { counter, units }: DeedOf<'add'>): void {
    const key = this.#context.setting.counters[counter]
    if (key === undefined) return
    this.#context.operations += 1
    this.#context.trace(() => `${owner.name} add ${units} to ${key}`)
    try {
      owner.vsa.counter(key).add(units)
    } catch (error) {
      // More than a safe integer waits to be sent already; or the last batch has left.
      const isExpected = error instanceof RangeError || (owner.closing && this.#context.isExpected(error))
      must(isExpected, 'O13', () => `a counter threw ${String(error)}`)
      return
    }
    owner.books.added.add(key, units)
  }

  count(owner: OwnerProcess, { counter }: DeedOf<'count'>): void {
    const key = this.#context.setting.counters[counter]
    if (key === undefined) return
    this.#calls.waited(owner, `read ${key}`, owner.vsa.counter(key).read(), owner.deadlineOf(null))
  }

  /** Everything before the call is durable when it resolves. */
  flush(owner: OwnerProcess, { returnLeases }: DeedOf<'flush'>): void {
    const { books } = owner
    const before = [...books.told.names()].map((name) => [name, books.told.of(name) - books.refunded.of(name)] as const)
    const isWhole = !owner.fenced
    this.#calls.waited(owner, 'flush', owner.vsa.flush({ returnLeases }), owner.deadlineOf(null), () => {
      if (!isWhole || owner.fenced) return
      for (const [name, net] of before) {
        // Refunds since then may have been netted against what was spent before.
        const since = books.refunded.of(name)
        const settled = books.settled.of(name)
        must(settled + since >= net, 'L3', () => `${name}: flushed, and of ${net} units ${settled} are durable`)
      }
    })
  }

  peek(owner: OwnerProcess, deed: DeedOf<'peek'>): void {
    const setting = this.#setting(deed.budget)
    if (setting === undefined) return
    // It calls the store once, without a deadline of its own.
    this.#calls.settled(owner, `peek ${setting.key}`, owner.budget(setting).peek(), (peek) => {
      const isSane = peek.remaining >= 0 && peek.remaining <= Math.max(peek.minted, peek.limit)
      must(isSane, 'L1', () => `peek: ${JSON.stringify(peek)}`)
    })
  }

  misuse(owner: OwnerProcess, deed: DeedOf<'misuse'>): void {
    misuse(this.#context, owner, deed)
  }

  #setting(index: number): BudgetSetting | undefined {
    return budgetAt(this.#context.setting, index)
  }
}
