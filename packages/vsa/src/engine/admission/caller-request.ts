import type { Decision } from '../../core/decision.ts'
import { type GateNeed, PendingRequest, type RequestTerms, type Verdict } from '../requests/pending-request.ts'
import type { Decisions } from './decisions.ts'

/** A request, and the promise of its caller. */
export abstract class CallerRequest extends PendingRequest {
  /** Stops listening to the caller's signal; null where there is none. */
  unlisten: (() => void) | null = null
}

/** `admit` and `admitAll`. */
export class AdmitRequest extends CallerRequest {
  readonly #resolve: (admitted: boolean) => void
  readonly #reject: (error: unknown) => void

  constructor(terms: RequestTerms, resolve: (admitted: boolean) => void, reject: (error: unknown) => void) {
    super(terms)
    this.#resolve = resolve
    this.#reject = reject
  }

  tell(verdict: Verdict): void {
    this.unlisten?.()
    if (verdict.kind === 'failed') this.#reject(verdict.error)
    else this.#resolve(isAdmitted(verdict))
  }
}

export function isAdmitted({ kind }: Verdict): boolean {
  return kind !== 'denied' && kind !== 'unavailable'
}

/** `reserve`, of a reservation that the store keeps. */
export class ReserveRequest extends CallerRequest {
  readonly #resolve: (verdict: Verdict) => void
  readonly #reject: (error: unknown) => void

  constructor(terms: RequestTerms, resolve: (verdict: Verdict) => void, reject: (error: unknown) => void) {
    super(terms)
    this.#resolve = resolve
    this.#reject = reject
  }

  tell(verdict: Verdict): void {
    this.unlisten?.()
    if (verdict.kind === 'failed') this.#reject(verdict.error)
    else this.#resolve(verdict)
  }
}

interface Decider {
  readonly decisions: Decisions
  /** The first need: it is shown where none refused. */
  readonly asked: GateNeed
  readonly resolve: (decision: Decision) => void
  readonly reject: (error: unknown) => void
}

/** `decide` and `decideAll`. */
export class DecideRequest extends CallerRequest {
  readonly #decider: Decider

  constructor(terms: RequestTerms, decider: Decider) {
    super(terms)
    this.#decider = decider
  }

  tell(verdict: Verdict): void {
    const { decisions, asked, resolve, reject } = this.#decider
    this.unlisten?.()
    if (verdict.kind === 'failed') reject(verdict.error)
    else resolve(decisions.of(verdict, asked, this.form.waterfall, this.needs))
  }
}
