import type { Decision, Denied, Vsa } from '../index.ts'
import { checkOptions } from './check-options.ts'
import { ClientAddress, type RequestSource } from './client-address.ts'
import { type Denial, denialFrom, denialOf } from './denial.ts'
import { ForwardedWarning } from './forwarded-warning.ts'
import { headersWriter } from './header-modes.ts'
import type { Header, HeadersWriter } from './header.ts'
import { type HttpClock, MACHINE_CLOCK } from './http-clock.ts'
import type { LimitOptions } from './limit-options.ts'
import { figuresAfter, figuresOf, type PolicyFigures } from './policy-figures.ts'
import { QuickAdmission } from './quick-admission.ts'
import { RequestReservations } from './request-reservations.ts'
import type { Spent } from './spent.ts'
import { SpentNow, SpentUnits, type UnitsOf } from './spent-units.ts'
import { WantedUnits } from './wanted-units.ts'

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'skipped' }
  | { readonly kind: 'admitted'; readonly headers: readonly Header[]; readonly spent: Spent }
  | { readonly kind: 'denied'; readonly headers: readonly Header[]; readonly denial: Denial }

/** How a framework tells where a request came from. */
export type SourceOf<Request> = (request: Request) => RequestSource

const SKIPPED: Outcome = { kind: 'skipped' }

/** Decides requests, before their handlers: the part that all frameworks share. */
export class RequestLimiter<Request> {
  readonly #vsa: Vsa
  readonly #options: LimitOptions<Request>
  readonly #addressOf: (request: Request) => string
  readonly #wanted: WantedUnits<Request>
  readonly #reservations: RequestReservations<Request> | null
  readonly #quick: QuickAdmission | null
  readonly #headersOf: HeadersWriter
  readonly #clock: HttpClock

  /**
   * @param more options of the framework's own
   * @throws TypeError, RangeError that name the option
   */
  constructor(vsa: Vsa, options: LimitOptions<Request>, sourceOf: SourceOf<Request>, more: readonly string[] = []) {
    checkOptions(options, more)
    const { headers = 'draft-11', legacyReset = 'epoch', partitionKey = 'hash', clock = MACHINE_CLOCK } = options
    this.#vsa = vsa
    this.#options = options
    this.#addressOf = addressFinder(options, sourceOf)
    this.#wanted = new WantedUnits(options)
    this.#headersOf = headersWriter({ headers, legacyReset, partitionKey })
    this.#clock = clock
    // What is given back goes into the period of its decision, so there must be one.
    const isQuick = options.refundWhen === undefined && options.reserve === undefined
    this.#quick = isQuick ? new QuickAdmission(headers === false ? null : this.#headersOf, clock) : null
    this.#reservations =
      options.reserve === undefined ? null : new RequestReservations(vsa, options.reserve, options.refundWhen, clock)
  }

  /**
   * A promise only where it cannot be decided within the turn. @throws (or rejects with) RequestError, errors of the user's functions, and those of the
   * engine that are no failure of the store: for the framework
   */
  check(request: Request): Outcome | Promise<Outcome> {
    const { skip } = this.#options
    return skip === undefined ? this.#checked(request) : this.#checkedUnless(skip(request), request)
  }

  async #checkedUnless(isSkipped: boolean | Promise<boolean>, request: Request): Promise<Outcome> {
    return (await isSkipped) ? SKIPPED : this.#checked(request)
  }

  #checked(request: Request): Outcome | Promise<Outcome> {
    const found = this.#wanted.of(request, this.#addressOf)
    if (found instanceof Promise) return found.then((wanted) => this.#decided(wanted, request))
    return this.#admittedNow(found) ?? this.#decided(found, request)
  }

  #admittedNow(wanted: readonly UnitsOf[]): Outcome | null {
    const [only] = wanted
    if (this.#quick === null || only === undefined || wanted.length > 1) return null
    const headers = this.#quick.admit(only)
    return headers === null ? null : { kind: 'admitted', headers, spent: new SpentNow(only) }
  }

  async #decided(wanted: readonly UnitsOf[], request: Request): Promise<Outcome> {
    try {
      if (this.#reservations !== null) return await this.#reserve(this.#reservations, wanted, request)
      const outcome = this.#outcomeOf(await this.#decide(wanted), wanted, request)
      return outcome instanceof Promise ? await outcome : outcome
    } catch (error) {
      const denial = denialFrom(error)
      if (denial === null) throw error
      return this.#denied(denial, null)
    }
  }

  #decide(wanted: readonly UnitsOf[]): Promise<Decision> {
    const [only, second] = wanted
    if (only !== undefined && second === undefined) return only.budget.decide(only.units)
    return this.#vsa.decideAll(wanted.map(({ budget, units }) => [budget, units]))
  }

  #outcomeOf(decision: Decision, wanted: readonly UnitsOf[], request: Request): Outcome | Promise<Outcome> {
    if (!decision.admitted) return this.#refused(decision, wanted)
    const { refundWhen } = this.#options
    const isRefunded =
      refundWhen === undefined ? null : (ended: Parameters<typeof refundWhen>[0]) => refundWhen(ended, request)
    const spent = new SpentUnits(wanted, decision, isRefunded)
    return this.#admitted(decision, wanted, spent)
  }

  async #reserve(
    reservations: RequestReservations<Request>,
    wanted: readonly UnitsOf[],
    request: Request,
  ): Promise<Outcome> {
    const made = await reservations.reserve(wanted, request)
    return 'admitted' in made ? this.#refused(made, wanted) : this.#admittedByAll(null, wanted, made)
  }

  #admitted(decision: Decision, wanted: readonly UnitsOf[], spent: Spent): Outcome | Promise<Outcome> {
    const [only, second] = wanted
    if (only === undefined || second !== undefined) return this.#admittedByAll(decision, wanted, spent)
    const nowMs = this.#clock.now()
    const figures = figuresOf(decision, only, nowMs)
    if (figures !== null) this.#quick?.note(only.budget, figures, nowMs)
    return { kind: 'admitted', headers: figures === null ? [] : this.#headersOf([figures]), spent }
  }

  /**
   * A decision about several budgets shows one of them, and a reservation none. The others are looked at: a look at 0 units never asks the store. What is
   * not known is left out.
   */
  async #admittedByAll(decision: Decision | null, wanted: readonly UnitsOf[], spent: Spent): Promise<Outcome> {
    if (this.#options.headers === false) return { kind: 'admitted', headers: [], spent }
    const looks = await Promise.all(wanted.map(({ budget }) => budget.decide(0)))
    const nowMs = this.#clock.now()
    const figures = wanted.flatMap((one, at) => {
      if (decision?.key === one.budget.key) return figuresOf(decision, one, nowMs) ?? []
      const look = looks[at]
      return (look && figuresAfter(look, one, nowMs)) ?? []
    })
    return { kind: 'admitted', headers: figures.length === 0 ? [] : this.#headersOf(figures), spent }
  }

  #refused(decision: Denied, wanted: readonly UnitsOf[]): Outcome {
    const refused = wanted.find(({ budget }) => budget.key === decision.key) ?? wanted[0]
    if (refused === undefined) return SKIPPED
    const figures = figuresOf(decision, refused, this.#clock.now())
    return this.#denied(denialOf(decision, refused.name, figures?.resetSeconds), figures)
  }

  #denied(denial: Denial, figures: PolicyFigures | null): Outcome {
    if (this.#options.headers === false) return { kind: 'denied', headers: [], denial }
    const headers = figures === null ? [] : this.#headersOf([figures])
    const { retryAfterSeconds } = denial
    if (retryAfterSeconds === undefined) return { kind: 'denied', headers, denial }
    const retryAfter = { name: 'Retry-After', value: String(retryAfterSeconds), isList: false }
    return { kind: 'denied', headers: [...headers, retryAfter], denial }
  }
}

/** @throws TypeError, RangeError that name the option */
function addressFinder<Request>(
  options: LimitOptions<Request>,
  sourceOf: SourceOf<Request>,
): (request: Request) => string {
  const addresses = new ClientAddress(options)
  if (options.trustProxy !== undefined) return (request) => addresses.of(sourceOf(request))
  const warning = new ForwardedWarning()
  return (request) => {
    const source = sourceOf(request)
    warning.look(source)
    return addresses.of(source)
  }
}
