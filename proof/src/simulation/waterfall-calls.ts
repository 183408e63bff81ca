import type { Budget, Counter, Decision, DecisionShare } from '../../../packages/vsa/dist/index.js'
import type { CreditRequest } from './credit-operations.ts'
import { sumOf } from './lot-replay.ts'
import { isCounterFull } from './no-room.ts'
import type { OwnerProcess } from './owner-process.ts'
import type { PendingCalls } from './pending-calls.ts'
import { rowName } from './process-totals.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'

/** A waterfall without an id. */
export interface Waterfall {
  readonly request: CreditRequest
  /** Of its budgets, in order. */
  readonly settings: readonly BudgetSetting[]
  readonly sources: readonly (Budget | Counter)[]
  readonly durable: boolean
}

interface Given {
  readonly decision: Decision
  readonly from: readonly DecisionShare[]
  readonly setting: BudgetSetting
}

/** V1 to V3: waterfalls without an id, from memory or from the store, and what comes back of them. */
export class WaterfallCalls {
  readonly #context: RunContext
  readonly #calls: PendingCalls
  /** Decisions that were not given back yet, by process and request. */
  readonly #given = new WeakMap<OwnerProcess, Map<number, Given>>()

  constructor(context: RunContext, calls: PendingCalls) {
    this.#context = context
    this.#calls = calls
  }

  ask(owner: OwnerProcess, waterfall: Waterfall, isDecided: boolean, deadlineMs: number | null): void {
    const { request, settings, sources } = waterfall
    const { units } = request
    const options = deadlineMs === null ? {} : { deadlineMs }
    const text = `first ${units} of ${sources.map(({ key }) => key).join()}`
    const keys = settings.map(({ key }) => key)
    const within = owner.deadlineOf(deadlineMs)
    if (!isDecided) {
      // It does not tell the shares.
      this.noteUntold(owner, request)
      const admitted = unlessFull(owner.vsa.admitFirst(sources, units, options), false)
      return this.#calls.waited(owner, text, admitted, within, undefined, keys)
    }
    const dueAtMs = owner.machine.monotonic() + within
    const decided = owner.vsa.decideFirst(sources, units, options)
    decided.catch(() => this.#noteFailed(owner, waterfall))
    const onDecision = (decision: Decision | null): void => {
      if (decision === null) return
      this.#context.trace(() => `${owner.name} ${text}: ${JSON.stringify(decision)}`)
      const isLate = !decision.admitted && owner.machine.monotonic() >= dueAtMs
      if (isLate || decision.reason === 'unavailable' || decision.reason === 'reserved')
        this.#noteFailed(owner, waterfall)
      this.#decided(owner, waterfall, decision)
    }
    this.#calls.waited(owner, text, unlessFull(decided, null), within, onDecision, keys)
  }

  /** Units that may have been taken from any of the budgets. */
  noteUntold({ totals }: OwnerProcess, { budgets, units }: CreditRequest): void {
    for (const index of budgets) {
      const key = this.#context.setting.budgets[index]?.key
      if (key !== undefined) totals.unaccounted.add(key, units)
    }
  }

  #noteFailed({ totals }: OwnerProcess, { request, settings }: Waterfall): void {
    for (const { key } of settings) totals.failed.add(key, request.units)
  }

  #decided(owner: OwnerProcess, waterfall: Waterfall, decision: Decision): void {
    const { request, settings, durable } = waterfall
    const { scenarios, admissions, audit } = this.#context
    if (decision.unaccounted === true) {
      this.#noteFailed(owner, waterfall)
      const counter = request.overage === null ? undefined : this.#context.setting.counters[request.overage]
      if (counter !== undefined) owner.totals.addedUntold.add(counter)
      return
    }
    if (!decision.admitted) {
      if (decision.reason !== 'unavailable') scenarios.note('17 a waterfall is denied')
      return
    }
    const from = decision.from ?? []
    this.#assertFrom(waterfall, from)
    if (from.length > 1) scenarios.note('17 a waterfall over several budgets')
    for (const { key, units, period } of from) {
      if (period === null) owner.totals.added.add(key, units)
      else admissions.addAdmitted(owner.totals, { key, period, units, durable }, audit.latestTime)
      if (period === null) scenarios.note('17 a waterfall takes the overage')
    }
    const [setting] = settings
    if (setting === undefined) return
    const given = this.#given.get(owner) ?? new Map<number, Given>()
    this.#given.set(owner, given.set(request.tag, { decision, from, setting }))
  }

  /** V1: from sums to the units, in order, and no source is there twice. */
  #assertFrom({ request, settings, sources }: Waterfall, from: readonly DecisionShare[]): void {
    const text = (): string =>
      `${request.units} of ${settings.map(({ key }) => key).join()} came from ${JSON.stringify(from)}`
    must(sumOf(from.map(({ units }) => units)) === request.units, 'V1', text)
    must(
      from.every(({ units }) => units > 0),
      'V1',
      text,
    )
    const places = from.map(({ key, period }) =>
      sources.findIndex((source, at) => source.key === key && (period === null) === at >= settings.length),
    )
    must(
      places.every((place, at) => place > (places[at - 1] ?? -1)),
      'V1',
      text,
    )
  }

  /** V3: the last source first. Each decision once. */
  giveBack(owner: OwnerProcess, tag: number, units: number): void {
    const given = this.#given.get(owner)
    const past = given?.get(tag)
    if (past === undefined || units === 0) return
    const back = lastFirst(past.from, units)
    const { admissions, scenarios, isExpected } = this.#context
    for (const { key, units: share, period } of back) {
      if (period === null) continue
      const name = rowName(key, period)
      if (admissions.admitted.of(name) - admissions.refunded.of(name) < share) return
    }
    given?.delete(tag)
    this.#context.operations += 1
    try {
      owner.budget(past.setting).refund(units, past.decision)
    } catch (error) {
      must(isExpected(error), 'O13', () => `a refund threw ${String(error)}`)
      // Some of it may have been taken.
      for (const { key, units: share, period } of back) {
        if (period === null) owner.totals.addedUntold.add(key)
        else owner.totals.unaccounted.add(key, share)
      }
      return
    }
    scenarios.note('12 refund with a waterfall’s decision')
    for (const { key, units: share, period } of back) {
      this.#context.trace(() => `${owner.name} gives back ${share} of ${key} ${period}`)
      if (period === null) owner.totals.added.add(key, -share)
      else {
        admissions.addRefunded(owner.totals, key, period, share)
        owner.exchanges.gaveBack(rowName(key, period), share)
      }
    }
  }
}

/** @param full the answer where the overage's counter is full */
function unlessFull<Answer, Full>(answer: Promise<Answer>, full: Full): Promise<Answer | Full> {
  return answer.catch((error: unknown) => {
    if (isCounterFull(error)) return full
    throw error
  })
}

function lastFirst(from: readonly DecisionShare[], units: number): readonly DecisionShare[] {
  let left = units
  return from.toReversed().flatMap((share) => {
    const some = Math.min(left, share.units)
    left -= some
    return some === 0 ? [] : [{ ...share, units: some }]
  })
}
