import type {
  Budget,
  Counter,
  Decision,
  DurableReserve,
  GivenBack,
  Reservation,
  Settled,
} from '../../../packages/vsa/dist/index.js'
import { type AskedOnce, type ChangedOnce, CreditAnswers } from './credit-answers.ts'
import type { CreditOperation, CreditRequest } from './credit-operations.ts'
import type { OwnerProcess } from './owner-process.ts'
import type { PendingCalls } from './pending-calls.ts'
import type { RunContext } from './run-context.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'
import { type Waterfall, WaterfallCalls } from './waterfall-calls.ts'

type OperationOf<Kind extends CreditOperation['kind']> = Extract<CreditOperation, { readonly kind: Kind }>

/** The callers that reserve, admit once, settle, extend and give back, and record every answer. */
export class CreditCalls {
  readonly #context: RunContext
  readonly #calls: PendingCalls
  readonly #answers: CreditAnswers
  readonly #waterfalls: WaterfallCalls
  /** The handles that each process has, by request. */
  readonly #handles = new WeakMap<OwnerProcess, Map<string, readonly Reservation[]>>()

  constructor(context: RunContext, calls: PendingCalls) {
    this.#context = context
    this.#calls = calls
    this.#answers = new CreditAnswers(context)
    this.#waterfalls = new WaterfallCalls(context, calls)
  }

  act(owner: OwnerProcess, operation: CreditOperation): void {
    if (this.#settingsOf(operation.request).length < operation.request.budgets.length) return
    switch (operation.kind) {
      case 'reserve':
        return this.#reserve(owner, operation)
      case 'admit':
        return this.#admit(owner, operation)
      case 'settle':
        return this.#settle(owner, operation)
      case 'extend':
        return this.#extend(owner, operation)
      case 'give-back':
        return this.#giveBack(owner, operation)
    }
  }

  #reserve(owner: OwnerProcess, { request, ttlMs, onExpire }: OperationOf<'reserve'>): void {
    const { id, form, units } = request
    const budgets = this.#budgetsOf(owner, request)
    const [first] = budgets
    if (first === undefined) return
    const options: DurableReserve | undefined = id === null ? undefined : { id, ttlMs, onExpire }
    const needs = budgets.map((budget) => [budget, units] as const)
    // Without an id its shares are not told: its units may have been taken from any of them.
    if (id === null) this.#waterfalls.noteUntold(owner, request)
    const made = ((): Promise<readonly Reservation[] | null> => {
      if (form === 'all') return owner.vsa.reserveAll(needs, options)
      if (form === 'one') return first.reserve(units, options).then(listOf)
      return owner.vsa.reserveFirst(this.#sourcesOf(owner, request), units, options).then(listOf)
    })()
    this.#ask(owner, request, 'reservation', made, null, (reservations, asked) => {
      if (reservations !== null) this.#keep(owner, request, reservations)
      if (asked === null) return
      if (reservations === null) return this.#answers.denied(asked)
      // Nominal: the store did not answer, and `onStoreUnavailable` admits.
      if (reservations.some((one) => one.id === undefined)) return
      this.#answers.granted(asked, undefined)
    })
  }

  #admit(owner: OwnerProcess, { request, isDecided, deadlineMs }: OperationOf<'admit'>): void {
    const { id, form, units } = request
    const budgets = this.#budgetsOf(owner, request)
    const [first] = budgets
    if (first === undefined) return
    if (id === null) return this.#waterfalls.ask(owner, this.#waterfallOf(owner, request), isDecided, deadlineMs)
    const options = { id, ...(deadlineMs !== null && { deadlineMs }) }
    const needs = budgets.map((budget) => [budget, units] as const)
    const sources = this.#sourcesOf(owner, request)
    const { vsa } = owner
    if (isDecided) {
      const decided =
        form === 'all'
          ? vsa.decideAll(needs, options)
          : form === 'one'
            ? first.decide(units, options)
            : vsa.decideFirst(sources, units, options)
      this.#ask(owner, request, 'admission', decided, deadlineMs, (decision, asked) => this.#decided(decision, asked))
      return
    }
    const admitted =
      form === 'all'
        ? vsa.admitAll(needs, options)
        : form === 'one'
          ? first.admit(units, options)
          : vsa.admitFirst(sources, units, options)
    this.#ask(owner, request, 'admission', admitted, deadlineMs, (isAdmitted, asked) => {
      if (asked === null) return
      if (!isAdmitted) this.#answers.denied(asked)
      else if (this.#context.setting.onStoreUnavailable !== 'allow') this.#answers.granted(asked, undefined)
    })
  }

  #decided(decision: Decision, asked: AskedOnce | null): void {
    if (asked === null || decision.unaccounted === true) return
    if (decision.admitted) this.#answers.granted(asked, decision.repeated === true, decision.from)
    else this.#answers.denied(asked, decision.reason)
  }

  /** R4: by the handle that this process has, or by the id. */
  #settle(owner: OwnerProcess, { request, at, units }: OperationOf<'settle'>): void {
    const reservation = this.#handleOf(owner, request, at)
    if (reservation === undefined) return
    const changed = this.#changeOf(owner, request, at)
    const isKept = reservation.id !== undefined
    if (!isKept) this.#waterfalls.noteUntold(owner, { ...request, units: units ?? 0 })
    const settled = units === null ? reservation.cancel() : reservation.settle(units)
    this.#change(owner, `settle ${units}`, { request, at, isKept }, settled, (outcome: Settled) => {
      must(outcome.uncovered >= 0 && outcome.settled >= 0, 'R4', () => `settled ${JSON.stringify(outcome)}`)
      if (changed !== null && isKept) this.#answers.settled(changed, units ?? 0, outcome)
    })
  }

  #extend(owner: OwnerProcess, { request, at, units, ttlMs }: OperationOf<'extend'>): void {
    const reservation = this.#handleOf(owner, request, at)
    if (reservation === undefined) return
    const changed = this.#changeOf(owner, request, at)
    const isKept = reservation.id !== undefined
    if (!isKept) this.#waterfalls.noteUntold(owner, { ...request, units })
    const extended = reservation.extend(isKept ? { units, ttlMs } : { units })
    this.#change(owner, `extend to ${units}`, { request, at, isKept }, extended, (isExtended: boolean) => {
      if (isExtended && changed !== null && isKept) this.#answers.extended(changed, units)
    })
  }

  /** I2; V3 with the decision, where there is no id. */
  #giveBack(owner: OwnerProcess, { request, at, units }: OperationOf<'give-back'>): void {
    const { id } = request
    const changed = this.#changeOf(owner, request, at)
    if (id === null || changed === null) return this.#waterfalls.giveBack(owner, request.tag, units)
    const budget = this.#budgetsOf(owner, request)[at]
    if (budget === undefined) return
    // A refund of no units is refused.
    const asked = Math.max(1, units)
    const given = budget.refund(asked, { id })
    given.catch((error: unknown) => {
      if (codeOf(error) === 'reservation_unknown') this.#context.scenarios.note('12 refund by id of what is not known')
    })
    this.#change(owner, `give back ${asked}`, { request, at, isKept: true }, given, (back: GivenBack) =>
      this.#answers.refunded(changed, asked, back),
    )
  }

  /** A call under an id, or one without, which asks for units. */
  #ask<T>(
    owner: OwnerProcess,
    request: CreditRequest,
    as: AskedOnce['as'],
    promise: Promise<T>,
    deadlineMs: number | null,
    onAnswer: (value: T, asked: AskedOnce | null) => void,
  ): void {
    const { id } = request
    const since = this.#context.audit.reservations.lives.moment
    const asked = id === null ? null : { owner, request, as, id, since }
    promise.catch((error: unknown) => {
      if (asked !== null) this.#context.attempt(() => this.#answers.refused(asked, codeOf(error)))
    })
    const keys = this.#settingsOf(request).map(({ key }) => key)
    const what = `${as} ${id} ${request.form} of ${keys.join()}, ${request.units}`
    const onValue = (value: T): void => {
      this.#context.trace(() => `${owner.name} ${what}: ${JSON.stringify(value)}`)
      onAnswer(value, asked)
    }
    this.#calls.waited(owner, what, promise, owner.deadlineOf(deadlineMs), onValue, id === null ? keys : [])
  }

  #change<T>(
    owner: OwnerProcess,
    what: string,
    { request, at, isKept }: { readonly request: CreditRequest; readonly at: number; readonly isKept: boolean },
    promise: Promise<T>,
    onAnswer: (value: T) => void,
  ): void {
    const changed = this.#changeOf(owner, request, at)
    const text = `${what} of ${changed === null ? request.tag : `${changed.id} of ${changed.key}`}`
    const onValue = (value: T): void => {
      this.#context.trace(() => `${owner.name} ${text}: ${JSON.stringify(value)}`)
      onAnswer(value)
    }
    if (changed !== null)
      promise.catch((error: unknown) => this.#context.attempt(() => this.#answers.failed(changed, codeOf(error))))
    // What is used beyond a reservation in memory is waited for once, and asked for again as far as it is there.
    const withinMs = owner.deadlineOf(null) * (isKept ? 1 : 2 * request.budgets.length)
    this.#calls.waited(owner, text, promise, withinMs, onValue)
  }

  /** Null without an id. */
  #changeOf(owner: OwnerProcess, request: CreditRequest, at: number): ChangedOnce | null {
    const key = this.#settingsOf(request)[at]?.key
    const since = this.#context.audit.reservations.lives.moment
    return request.id === null || key === undefined ? null : { owner, key, id: request.id, since }
  }

  /** Of those that are kept, every other one is found by its id, as another process does it. */
  #handleOf(owner: OwnerProcess, request: CreditRequest, at: number): Reservation | undefined {
    const kept = this.#handles.get(owner)?.get(nameOf(request))
    const handle = request.form === 'all' ? kept?.[at] : kept?.[0]
    const isFound = request.id !== null && (handle === undefined || this.#context.operations % 2 === 0)
    return isFound ? this.#budgetsOf(owner, request)[at]?.reservation(request.id ?? '') : handle
  }

  #keep(owner: OwnerProcess, request: CreditRequest, reservations: readonly Reservation[]): void {
    const handles = this.#handles.get(owner) ?? new Map<string, readonly Reservation[]>()
    this.#handles.set(owner, handles.set(nameOf(request), reservations))
  }

  #waterfallOf(owner: OwnerProcess, request: CreditRequest): Waterfall {
    const settings = this.#settingsOf(request)
    const sources = this.#sourcesOf(owner, request)
    return { request, settings, sources, durable: settings.some((setting) => owner.isDurable(setting)) }
  }

  #sourcesOf(owner: OwnerProcess, request: CreditRequest): readonly (Budget | Counter)[] {
    const { overage } = request
    const counter = overage === null ? undefined : this.#context.setting.counters[overage]
    const budgets = this.#budgetsOf(owner, request)
    return counter === undefined ? budgets : [...budgets, owner.vsa.counter(counter)]
  }

  #budgetsOf(owner: OwnerProcess, request: CreditRequest): readonly Budget[] {
    return this.#settingsOf(request).map((setting) => owner.budget(setting))
  }

  #settingsOf({ budgets }: CreditRequest): readonly BudgetSetting[] {
    return budgets.flatMap((index) => this.#context.setting.budgets[index] ?? [])
  }
}

function nameOf({ id, tag, budgets, form }: CreditRequest): string {
  return JSON.stringify(id === null ? [tag] : [id, form, budgets])
}

function listOf(reservation: Reservation | null): readonly Reservation[] | null {
  return reservation === null ? null : [reservation]
}

/** As in `id_conflict`; undefined for what is no error of the library. */
function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
