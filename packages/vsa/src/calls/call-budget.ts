import { type Budget, type Denied, type Reservation, type ReserveDecision, VsaError } from '../index.ts'
import type { CallDenial } from './call-errors.ts'
import type { CallFailure } from './call-failure.ts'
import { CallMeter } from './call-meter.ts'
import type { CallSettings } from './call-options.ts'
import { unitsOfModel } from './price.ts'
import { type RequestText, tokensOfBytes } from './request-text.ts'
import { tokensFrom } from './token-usage.ts'

/** Failed attempts whose reservations wait for the next one. One more is settled at once. */
const WAITING_MAX = 256
/** Runs under one id. */
const RUNS_MAX = 20
const ID_LENGTH_MAX = 240
/** What is reserved of a call that costs nothing: on a budget that is empty it is denied as well. */
const UNITS_MIN = 1

/** A call, before it is sent. */
export interface CallRequest<Call> {
  /** What the functions of the options get. */
  readonly call: Call
  readonly model: string
  readonly input: RequestText
  /** What the request says of each answer; undefined: nothing. */
  readonly outputTokensMax: number | undefined
  /** Answers that it asks for. Default 1. */
  readonly answers?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Which attempt of the client it is, from 0, where the client tells. */
  readonly attempt?: number | undefined
  /** Names the request among those of this process, for a client that tells the attempt and sends no id. */
  readonly fingerprint?: () => string
}

/** A call that may be sent. */
export interface StartedCall {
  readonly meter: CallMeter
  /** Of an attempt that brought no answer: settles it, or keeps its reservation for the next attempt. */
  readonly fail: (failure: CallFailure) => Promise<void>
}

export type CallStart =
  | { readonly kind: 'unmetered' }
  | { readonly kind: 'denied'; readonly denial: CallDenial }
  | ({ readonly kind: 'started' } & StartedCall)

/** What was set aside for a call. */
interface MadeForCall {
  readonly reservation: Reservation
  readonly onEnd: () => void
}

interface Waiting extends StartedCall {
  readonly attempt: number
}

/** Starts calls on budgets: estimates, reserves, and finds the reservation of an attempt before. */
export class CallBudget<Call> {
  readonly #settings: CallSettings<Call>
  /** By budget and id, or by budget and fingerprint. Calls that are alike in all of it may be exchanged. */
  readonly #waiting = new Map<string, Waiting[]>()
  #waitingCount = 0
  /** Reservations with an id that run in this process. */
  readonly #running = new Set<string>()

  constructor(settings: CallSettings<Call>) {
    this.#settings = settings
  }

  /** @throws TypeError where the options do not fit the call; VsaError as `reserve`; the signal's reason */
  async start(request: CallRequest<Call>): Promise<CallStart> {
    const budget = await this.#settings.budgetOf(request.call)
    if (budget === null) return { kind: 'unmetered' }
    const id = checkedId(this.#settings.idOf(request.call))
    const retryName = retryNameOf(budget, id, request)
    // Under an id any attempt goes on; without one, only the attempt that follows.
    const waiting = this.#resumed(retryName, id === undefined ? request.attempt : undefined)
    if (waiting !== undefined) return { kind: 'started', ...waiting }

    const unitsOf = unitsOfModel(this.#settings.prices, request.model)
    const inputTokens = this.#inputTokens(request.input)
    const each = tokensFrom(request.outputTokensMax) ?? this.#settings.outputTokensDefault
    const output = Math.min(Number.MAX_SAFE_INTEGER, each * Math.max(1, request.answers ?? 1))
    const units = Math.max(UNITS_MIN, unitsOf({ input: inputTokens, cacheRead: 0, cacheWrite: 0, output }))
    const overdue = await this.#overdue(budget, units)
    if (overdue !== null) return { kind: 'denied', denial: overdue }
    const made = await this.#reserve(budget, units, id, request.signal)
    if ('admitted' in made) return { kind: 'denied', denial: denialOf(made) }
    const { reservation, onEnd } = made
    const { model } = request
    const meter = new CallMeter({ settings: this.#settings, budget, reservation, model, unitsOf, inputTokens, onEnd })
    if (request.signal?.aborted === true) {
      await meter.end('failed')
      throw request.signal.reason
    }
    return { kind: 'started', ...this.#started(meter, retryName, request.attempt ?? 0) }
  }

  #started(meter: CallMeter, retryName: string | null, attempt: number): StartedCall {
    return {
      meter,
      fail: async ({ mayBeBilled, mayBeRetried }) => {
        if (mayBeBilled) meter.owe()
        const isLast = attempt >= this.#settings.maxRetries || this.#waitingCount >= WAITING_MAX
        if (!mayBeRetried || isLast || retryName === null) await meter.end('failed')
        else this.#wait(retryName, this.#started(meter, retryName, attempt + 1), attempt + 1)
      },
    }
  }

  #wait(name: string, started: StartedCall, attempt: number): void {
    const waiting: Waiting = { ...started, attempt }
    const line = this.#waiting.get(name) ?? []
    line.push(waiting)
    this.#waiting.set(name, line)
    this.#waitingCount += 1
    waiting.meter.wait(this.#settings.retryWaitMs, () => {
      this.#remove(name, waiting)
      // `end` never rejects.
      waiting.meter.end('failed').catch(() => undefined)
    })
  }

  #resumed(name: string | null, attempt: number | undefined): StartedCall | undefined {
    if (name === null) return undefined
    const found = this.#waiting.get(name)?.find((one) => attempt === undefined || one.attempt === attempt)
    if (found === undefined) return undefined
    this.#remove(name, found)
    found.meter.resume()
    return found
  }

  #remove(name: string, waiting: Waiting): void {
    const line = this.#waiting.get(name)?.filter((one) => one !== waiting) ?? []
    if (line.length === 0) this.#waiting.delete(name)
    else this.#waiting.set(name, line)
    this.#waitingCount -= 1
  }

  async #reserve(
    budget: Budget,
    units: number,
    id: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<MadeForCall | Denied> {
    if (id === undefined) {
      const decision = await budget.decideReserve(units, signal === undefined ? {} : { signal })
      return decision.admitted ? { reservation: decision.reservation, onEnd: () => undefined } : decision
    }
    // A run that has been settled was billed. Another one under the same id costs again, so it has a reservation of its own.
    for (let run = 1; run <= RUNS_MAX; run += 1) {
      const name = run === 1 ? id : `${id}~${run}`
      const running = `${budget.key} ${name}`
      if (this.#running.has(running)) continue
      this.#running.add(running)
      const onEnd = (): void => void this.#running.delete(running)
      const decision = await this.#durable(budget, units, name).catch((error: unknown): 'other-estimate' => {
        onEnd()
        // A run with another estimate, ended or not: this one is none of its attempts.
        if (error instanceof VsaError && error.code === 'id_conflict') return 'other-estimate'
        throw error
      })
      if (decision === 'other-estimate') continue
      if (decision.admitted && decision.reservation.state === 'open')
        return { reservation: decision.reservation, onEnd }
      onEnd()
      if (!decision.admitted) return decision
    }
    throw new RangeError(`options.id: ${JSON.stringify(id)} has run ${RUNS_MAX} times; give another call another id`)
  }

  #durable(budget: Budget, units: number, id: string): Promise<ReserveDecision> {
    return budget.decideReserve(units, { id, ttlMs: this.#settings.ttlMs, onExpire: 'capture' })
  }

  async #overdue(budget: Budget, units: number): Promise<CallDenial | null> {
    const counter = this.#settings.overage?.(budget)
    // Where the store cannot tell, the reservation says what becomes of the call.
    const overdue = await (counter?.read().catch(() => 0) ?? 0)
    return overdue > 0 ? { key: budget.key, reason: 'overage', units } : null
  }

  #inputTokens({ text, files }: RequestText): number {
    const counted: unknown = this.#count(text)
    const tokens = tokensFrom(counted)
    if (tokens === undefined)
      throw new TypeError(`options.countTokens must return a whole number of tokens, 0 or more, got ${String(counted)}`)
    return Math.min(Number.MAX_SAFE_INTEGER, tokens + files * this.#settings.fileTokens)
  }

  /** A tokenizer may throw on a text that a user wrote, as `<|endoftext|>`. */
  #count(text: string): unknown {
    try {
      return this.#settings.countTokens(text)
    } catch {
      return tokensOfBytes(text)
    }
  }
}

/** What the next attempt will be known by. Null: each attempt is a call of its own. */
function retryNameOf<Call>(budget: Budget, id: string | undefined, request: CallRequest<Call>): string | null {
  if (id !== undefined) return `${budget.key} id ${id}`
  if (request.attempt === undefined || request.fingerprint === undefined) return null
  return `${budget.key} request ${request.fingerprint()}`
}

function denialOf({ key, units, reason, remaining, retryAfterMs }: Denied): CallDenial {
  return {
    // An admission is refunded, and no reservation is.
    ...{ key, units, reason: reason === 'refunded' ? 'exhausted' : reason },
    ...(remaining !== undefined && { remaining }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

function checkedId(id: unknown): string | undefined {
  if (id === undefined) return undefined
  if (typeof id !== 'string') throw new TypeError('options.id must return a string or undefined')
  if (id.length >= 1 && id.length <= ID_LENGTH_MAX) return id
  throw new RangeError(`options.id must return 1 to ${ID_LENGTH_MAX} characters, got ${id.length}`)
}
