import type { Budget, Decision, Need } from '../../../packages/vsa/dist/index.js'
import type { Dice } from './dice.ts'
import { MISUSES } from './draw-script.ts'
import { isUnaccounted, type OwnerProcess } from './owner-process.ts'
import { rowName } from './process-books.ts'
import type { Reached } from './reached.ts'
import type { BudgetSetting, Deed, Setting } from './script.ts'
import type { StoreAudit } from './store-audit.ts'
import type { Tellings } from './tellings.ts'
import { must } from './violation.ts'

type DeedOf<Kind extends Deed['kind']> = Extract<Deed, { readonly kind: Kind }>

/** What the callers of a run share. */
export interface CallerContext {
  readonly setting: Setting
  readonly tellings: Tellings
  readonly audit: StoreAudit
  readonly reached: Reached
  /** The store's time as its machine has it. */
  readonly storeTime: () => number
  /** Whether the error is one that users may expect: a `VsaError` or a `StoreError`. */
  readonly isExpected: (error: unknown) => boolean
  readonly trace: (line: () => string) => void
  /** Something did not hold: ends the run. */
  readonly fail: (error: unknown) => void
  /** Requests that callers made. */
  operations: number
}

/** The callers of all processes: they ask, spend, give back, and write down what they are told. */
export class Callers {
  readonly #context: CallerContext

  constructor(context: CallerContext) {
    this.#context = context
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
    Promise.all(looks)
      .then((admitted) => must(admitted.every(Boolean), 'G2', () => `${setting.key}: a look was answered ${admitted.join()}`))
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
    this.#decided(owner, budget, `decide ${units} ${isDurable ? 'durably' : ''}`, [[budget, units]], budget.decide(units, options), deadlineMs, (decision) => {
      if (wasAway && !isDurable) this.#context.reached.note('11 admitted while units go back')
      if (units > setting.atRiskMax && !isDurable) this.#context.reached.note('29 cost larger than the lease')
      this.#context.tellings.admitted(owner.books, setting.key, decision.period, units, isDurable)
    })
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
    const told = this.#decided(owner, first[0], `all of ${settings.length}, ${deed.units} each`, needs, asked, owner.deadlineOf(null), (decision) => {
      this.#context.reached.note('17 several budgets admitted')
      for (const [index, { key }] of settings.entries()) {
        this.#context.tellings.admitted(owner.books, key, index === 0 ? decision.period : 0, deed.units, isDurable)
      }
    })
    told.then(
      (decision) => {
        if (decision?.admitted === false) this.#context.reached.note('17 several budgets, one exhausted')
      },
      () => undefined,
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
    must(window.start <= audit.latestTime, 'O11', () => `${setting.key.slice(0, 20)}: admitted of ${window.start}, and it is ${audit.latestTime}`)
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
      this.#giveBack(owner, setting, budget, 1)
    }
    must(owner.unsent(setting) === before, 'L7', () => `${setting.key}: churn left a delta of ${owner.unsent(setting)}`)
    this.#context.reached.note('24 churn to zero')
  }

  refund(owner: OwnerProcess, deed: DeedOf<'refund'>, dice: Dice): void {
    const setting = this.#setting(deed.budget)
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
    const rows = [...told.names()].filter((name) => keyOf(name) === setting.key && told.of(name) - back.of(name) >= units)
    const name = dice.pickAny(rows)
    // What all processes together have not given back bounds what one may give.
    if (name === undefined || tellings.told.of(name) - tellings.refunded.of(name) < units) return
    const period = periodOf(name)
    const budget = owner.budget(setting)
    const isCurrent = owner.windowOf(setting)?.start === period
    const isDelta = isCurrent && owner.unsent(setting) >= units
    if (!this.#giveBack(owner, setting, budget, units, period)) return
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
    this.#giveBack(owner, setting, budget, units, window.start)
  }

  /** Into a period before or after: what is not there is refused, and makes no budget. */
  #refundOdd(owner: OwnerProcess, setting: BudgetSetting, units: number, dice: Dice): void {
    if (!setting.windowed || units > 10) return
    const budget = owner.budget(setting)
    const { start, end } = owner.windowAt(budget, this.#context.storeTime())
    const length = end - start
    const { start: period } = owner.windowAt(budget, start + dice.pick([-900, -3, -1, 1, 2, 900]) * length)
    this.#giveBack(owner, setting, budget, units, period)
  }

  /** @returns whether the engine took it */
  #giveBack(owner: OwnerProcess, setting: BudgetSetting, budget: Budget, units: number, period?: number): boolean {
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

  mint(owner: OwnerProcess, { budget, units, id }: DeedOf<'mint'>): void {
    const setting = this.#setting(budget)
    if (setting === undefined || setting.windowed) return
    const policy = owner.policyOf(setting)
    if ('initial' in policy && policy.initial === 0) this.#context.reached.note('29 first units by mint')
    this.#context.tellings.mints(setting.key, id, units)
    this.#waited(owner, `mint ${units} of ${setting.key} as ${id}`, owner.budget(setting).mint(units, { id }), owner.deadlineOf(null))
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
    if (key !== undefined) this.#waited(owner, `read ${key}`, owner.vsa.counter(key).read(), owner.deadlineOf(null))
  }

  /** Everything before the call is durable when it resolves. */
  flush(owner: OwnerProcess, { returnLeases }: DeedOf<'flush'>): void {
    const { books } = owner
    const before = [...books.told.names()].map((name) => [name, books.told.of(name) - books.refunded.of(name)] as const)
    const isWhole = !owner.fenced
    const flushed = this.#waited(owner, 'flush', owner.vsa.flush({ returnLeases }), owner.deadlineOf(null))
    flushed.then((answer) => {
      if (answer === FAILED || !isWhole || owner.fenced) return
      for (const [name, net] of before) {
        // Refunds since then may have been netted against what was spent before.
        const since = books.refunded.of(name)
        const settled = books.settled.of(name)
        must(settled + since >= net, 'L3', () => `${name}: flushed, and of ${net} units ${settled} are durable`)
      }
    }).catch(this.#context.fail)
  }

  peek(owner: OwnerProcess, deed: DeedOf<'peek'>): void {
    const setting = this.#setting(deed.budget)
    if (setting === undefined) return
    // It calls the store once, without a deadline of its own.
    const seen = this.#settled(owner, `peek ${setting.key}`, owner.budget(setting).peek())
    seen.then((peek) => {
      if (peek === FAILED) return
      must(peek.remaining >= 0 && peek.remaining <= Math.max(peek.minted, peek.limit), 'L1', () => `peek: ${JSON.stringify(peek)}`)
    }).catch(this.#context.fail)
  }

  /** Arguments that make no sense throw, and change nothing. */
  misuse(owner: OwnerProcess, deed: DeedOf<'misuse'>): void {
    const setting = this.#setting(deed.budget)
    if (setting === undefined) return
    const units = MISUSES[deed.how] as number
    const budget = owner.budget(setting)
    const before = JSON.stringify(owner.vsa.stats())
    if (!owner.isDurable(setting)) this.#assertThrows(() => budget.tryAdmit(units), units)
    this.#assertThrows(() => budget.refund(units), units)
    for (const promise of [budget.admit(units), budget.decide(units), owner.vsa.admitAll([[budget, units]])]) {
      promise.then(
        () => this.#context.fail(new TypeError(`G1: ${String(units)} was taken for a number of units`)),
        (error: unknown) => {
          if (!isRefusal(error)) this.#context.fail(error)
        },
      )
    }
    must(JSON.stringify(owner.vsa.stats()) === before, 'G1', () => `${String(units)} changed something`)
    this.#context.reached.note('19 misuse')
  }

  #assertThrows(call: () => unknown, units: unknown): void {
    try {
      call()
    } catch (error) {
      if (isRefusal(error)) return
      throw error
    }
    must(false, 'G1', () => `${String(units)} was taken for a number of units`)
  }

  #setting(index: number): BudgetSetting | undefined {
    const { budgets } = this.#context.setting
    return budgets[index % budgets.length]
  }

  #decided(
    owner: OwnerProcess,
    budget: Budget,
    what: string,
    needs: readonly Need[],
    asked: Promise<Decision>,
    deadlineMs: number,
    admitted: (decision: Decision) => void,
  ): Promise<Decision | undefined> {
    const text = `${what} of ${budget.key}`
    const told = this.#waited(owner, text, asked, deadlineMs).then((decision) => {
      if (decision === FAILED) return undefined
      if (isUnaccounted(decision)) {
        for (const [{ key }, units] of needs) owner.books.doubtful.add(key, units)
        return undefined
      }
      this.#context.trace(() => `${owner.name} ${text}: ${decision.admitted ? `admitted of ${decision.period}` : decision.reason}`)
      if (decision.admitted) admitted(decision)
      else this.#noteDenied(decision.reason)
      return decision
    })
    told.catch(this.#context.fail)
    return told
  }

  #noteDenied(reason: string): void {
    if (reason === 'over-limit') this.#context.reached.note('19 cost above the limit')
  }

  /** A call with a deadline: answered by then, or a law is broken. */
  #waited<T>(owner: OwnerProcess, what: string, promise: Promise<T>, deadlineMs: number): Promise<T | typeof FAILED> {
    const told = owner.requests.add(what, deadlineMs)
    return this.#settled(owner, what, promise, told)
  }

  #settled<T>(owner: OwnerProcess, what: string, promise: Promise<T>, told: () => void = () => undefined): Promise<T | typeof FAILED> {
    const { trace, fail, isExpected } = this.#context
    this.#context.operations += 1
    trace(() => `${owner.name} ${what}`)
    const heard = promise.then<T, typeof FAILED>(
      (value) => {
        told()
        return value
      },
      (error: unknown) => {
        told()
        trace(() => `${owner.name} ${what}: ${String(error)}`)
        if (error !== ABORTED && !isExpected(error)) throw error
        return FAILED
      },
    )
    heard.catch(fail)
    return heard
  }
}

/** Instead of a value: the call failed as calls may. */
export const FAILED: unique symbol = Symbol('failed')
const ABORTED = new Error('the caller has gone')

function isRefusal(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError
}

function keyOf(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function periodOf(name: string): number {
  return Number(name.slice(0, name.indexOf(':')))
}
