import type { Budget, Reservation, Settled } from '../index.ts'
import { CallStoppedError } from './call-errors.ts'
import type { CallSettings } from './call-options.ts'
import type { CallOutcome, CallSettlement } from './call-settlement.ts'
import type { UnitsOf } from './price.ts'
import { tokensOfBytes } from './request-text.ts'
import { type CountedTokens, laterUsage, type TokenUsage, tokensFrom } from './token-usage.ts'

/** Characters of seen text that may wait to be counted, where the reservation has much left. */
const UNCOUNTED_MAX = 512
/** Of these parts of `ttlMs` without a sign, the fourth ends a stream. */
const STILL_PARTS = 4

export interface MeterParts {
  readonly settings: Omit<CallSettings<unknown>, 'budgetOf' | 'idOf'>
  readonly budget: Budget
  readonly reservation: Reservation
  readonly model: string
  readonly unitsOf: UnitsOf
  /** The estimate. */
  readonly inputTokens: number
  /** The call is over, whatever became of it. */
  readonly onEnd: () => void
}

type Booking = Omit<Settled, 'repeated'> & { readonly error?: unknown }

/** One call that runs: what was seen of it, and its reservation, which is settled once. */
export class CallMeter {
  readonly #parts: MeterParts
  #usage: TokenUsage = {}
  #uncounted = ''
  /** Output tokens that were seen and counted here. */
  #seen = 0
  /** What failed attempts may be billed for. */
  #owed = 0
  #metered = 0
  /** No more units are asked for: it may go on without. */
  #overruns = false
  #hasMoved = false
  #goesOn = false
  #watch: { cancel(): void } | null = null
  #end: Promise<void> | null = null
  /** Characters of text after which `covers` is to be asked. */
  #lookAfter = 0

  constructor(parts: MeterParts) {
    this.#parts = parts
    this.#meter()
  }

  get budget(): Budget {
    return this.#parts.budget
  }

  /** Tokens that the reservation covers yet, about. */
  get tokensLeft(): number {
    const { reservation, unitsOf } = this.#parts
    const unitsPerMillion = Math.max(1, unitsOf({ ...NO_TOKENS, output: 1_000_000 }))
    return Math.max(0, ((reservation.units - this.#metered) / unitsPerMillion) * 1_000_000)
  }

  /** What it has come to, told and seen. */
  get tokens(): CountedTokens {
    const { input, cacheRead = 0, cacheWrite = 0, output } = this.#usage
    return { input: input ?? this.#parts.inputTokens, cacheRead, cacheWrite, output: output ?? this.#seen }
  }

  /** Something came, so the call is alive. */
  touch(): void {
    this.#hasMoved = true
  }

  /** Output that was seen. @returns whether `covers` is to be asked now */
  see(text: string): boolean {
    this.#uncounted += text
    return this.#uncounted.length >= this.#lookAfter
  }

  /** What the provider told. It counts instead of what was seen. */
  report(usage: TokenUsage): void {
    this.#usage = laterUsage(this.#usage, usage)
  }

  /** The provider works on behind its answer: all that was reserved is charged, where its usage is not told. */
  goOn(): void {
    this.#goesOn = true
  }

  /** Whether the reservation covers what was seen, extended if need be. Null: it does, or the call may go on without. */
  async covers(): Promise<CallStoppedError | null> {
    const { reservation, settings, budget, unitsOf } = this.#parts
    if (this.#end !== null) return null
    if (this.#meter() || this.#overruns) return null
    const more = Math.max(1, unitsOf({ ...NO_TOKENS, output: settings.extendTokens }))
    const least = Math.max(reservation.units, this.#metered)
    try {
      if ((await this.#extend(least + more)) || (await this.#extendByRest(least))) {
        this.#lookAfter = this.#charactersLeft()
        return null
      }
    } catch (error) {
      if (!settings.mayOverrun) return new CallStoppedError('store-unavailable', budget.key, error)
    }
    this.#overruns = settings.mayOverrun
    if (this.#overruns) return null
    return new CallStoppedError(reservation.state === 'open' ? 'budget-spent' : 'reservation-ended', budget.key)
  }

  #extend(units: number): Promise<boolean> {
    return this.#parts.reservation.extend({ units: Math.min(Number.MAX_SAFE_INTEGER, units), ...this.#lifetime() })
  }

  /** The budget has not all that was asked for: what it has left is enough for a while. @param least units that do not help */
  async #extendByRest(least: number): Promise<boolean> {
    const { budget, reservation } = this.#parts
    if (reservation.state !== 'open') return false
    const { remaining = 0 } = await budget.decide(0)
    const units = reservation.units + remaining
    return units > least && (await this.#extend(units))
  }

  /** A failed attempt may be billed for its input. The next one goes on with the same reservation. */
  owe(): void {
    this.#owed += this.#parts.unitsOf({ ...NO_TOKENS, input: this.#parts.inputTokens })
  }

  /** Keeps the reservation alive while something comes. @param onStill nothing came for `ttlMs` */
  watch(onStill: (error: CallStoppedError) => void): void {
    const { settings, budget, reservation } = this.#parts
    const partMs = Math.ceil(settings.ttlMs / STILL_PARTS)
    let still = 0
    const arm = (): void => {
      this.#watch = settings.clock.timer(partMs, () => {
        still = this.#hasMoved ? 0 : still + 1
        this.#hasMoved = false
        if (still >= STILL_PARTS) onStill(new CallStoppedError('stalled', budget.key))
        else {
          // What becomes of it shows when the call is settled.
          if (still === 0 && reservation.id !== undefined)
            reservation.extend({ ttlMs: settings.ttlMs }).catch(() => undefined)
          arm()
        }
      })
    }
    if (this.#end === null) arm()
  }

  /** A timer that ends with the call. */
  wait(delayMs: number, fire: () => void): void {
    this.#watch = this.#parts.settings.clock.timer(delayMs, fire)
  }

  /** The next attempt has come. */
  resume(): void {
    this.#watch?.cancel()
  }

  /** Settles the call, once: by what the provider told, else by what was seen. Never rejects. */
  end(outcome: CallOutcome): Promise<void> {
    this.#end ??= this.#settle(outcome)
    return this.#end
  }

  async #settle(outcome: CallOutcome): Promise<void> {
    const { reservation, budget, settings, model, onEnd } = this.#parts
    this.#watch?.cancel()
    this.#meter()
    const isUnseen = this.#goesOn && this.#usage.output === undefined
    const cost = isUnseen ? Math.max(reservation.units, this.#cost()) : this.#cost()
    const used = outcome === 'failed' ? this.#owed : cost
    const { settled, uncovered, error } = await this.#book(used)
    onEnd()
    tell(settings.onSettled, {
      key: budget.key,
      model,
      ...(reservation.id !== undefined && { id: reservation.id }),
      outcome,
      reservedUnits: reservation.units,
      usedUnits: used,
      settledUnits: settled,
      uncoveredUnits: uncovered,
      tokens: outcome === 'failed' ? NO_TOKENS : this.tokens,
      isEstimated: this.#usage.input === undefined || this.#usage.output === undefined,
      ...(error !== undefined && { error }),
    })
  }

  async #book(used: number): Promise<Booking> {
    const { reservation, budget } = this.#parts
    try {
      const first = await reservation.settle(used)
      // Another process ran under the same id, and has settled it: what this one used is charged besides.
      const { settled, uncovered } = first.repeated && used > 0 ? await chargeApart(budget, used) : first
      return { settled, uncovered, ...this.#bookOverage(uncovered) }
    } catch (error) {
      return this.#unsettled(used, error)
    }
  }

  /** With an id any process may settle it yet. One in memory is known here alone, so it ends now, and what was used beyond it is overage. */
  async #unsettled(used: number, error: unknown): Promise<Booking> {
    const { reservation } = this.#parts
    const settled = reservation.units
    const uncovered = reservation.id === undefined ? Math.max(0, used - settled) : 0
    // A part of what is beyond may have been charged: it goes back.
    if (uncovered > 0) await reservation.settle(settled).catch(() => undefined)
    this.#bookOverage(uncovered)
    return { settled, uncovered, error }
  }

  /** A counter that fails changes no figure. */
  #bookOverage(units: number): { readonly error?: unknown } {
    const { settings, budget } = this.#parts
    try {
      if (units > 0) settings.overage?.(budget).add(units)
      return {}
    } catch (error) {
      return { error }
    }
  }

  /** Counts what was seen, and meters it and the input. @returns whether the reservation covers it */
  #meter(): boolean {
    if (this.#uncounted !== '') {
      this.#seen = Math.min(Number.MAX_SAFE_INTEGER, this.#seen + this.#count(this.#uncounted))
      this.#uncounted = ''
    }
    const more = Math.max(0, this.#cost() - this.#metered)
    this.#metered += more
    const isCovered = this.#parts.reservation.meter(more)
    this.#lookAfter = this.#charactersLeft()
    return isCovered
  }

  /** In a stream, a counter that throws or tells no number must neither break it nor make it free. */
  #count(text: string): number {
    try {
      return tokensFrom(this.#parts.settings.countTokens(text)) ?? tokensOfBytes(text)
    } catch {
      return tokensOfBytes(text)
    }
  }

  #cost(): number {
    return Math.min(Number.MAX_SAFE_INTEGER, this.#owed + this.#parts.unitsOf(this.tokens))
  }

  /** A character is hardly more than one token. */
  #charactersLeft(): number {
    return Math.min(UNCOUNTED_MAX, this.tokensLeft)
  }

  #lifetime(): { readonly ttlMs?: number } {
    return this.#parts.reservation.id === undefined ? {} : { ttlMs: this.#parts.settings.ttlMs }
  }
}

const NO_TOKENS: CountedTokens = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 }

/** As a reservation of nothing, of which all is used beyond it (R4). */
async function chargeApart(budget: Budget, units: number): Promise<Settled> {
  const reservation = await budget.reserve(0)
  return reservation === null ? { settled: 0, uncovered: units, repeated: false } : reservation.settle(units)
}

function tell(onSettled: (settlement: CallSettlement) => void, settlement: CallSettlement): void {
  try {
    onSettled(settlement)
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error))
  }
}
