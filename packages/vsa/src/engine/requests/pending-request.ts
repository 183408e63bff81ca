import { type Applied, InvariantError } from '../../core/errors.ts'
import type { Remember, RememberedOutcome } from '../../core/reservations/messages.ts'
import type { Gate } from '../budget/gate.ts'
import type { RowView } from '../budget/row-view.ts'
import type { CounterState } from '../budget/counter-state.ts'

/** How a request ended. */
export type Verdict =
  /** `row`: the row of the first need that the units came from; null where no units were asked for. `rows`: those of all needs, where there are several. */
  | {
      readonly kind: 'admitted'
      readonly row: RowView | null
      readonly rows?: readonly RowView[]
      /** Of a waterfall, from memory or from the store: units by source, the overage last. */
      readonly shares?: readonly number[]
      /** What the store remembers of it. */
      readonly remembered?: RememberedOutcome
    }
  /** `row`: the row that lacked them; null when nothing is known of it. `isRefunded` (I1): they were admitted under the id, and given back. */
  | {
      readonly kind: 'denied'
      readonly gate: Gate
      readonly units: number
      readonly row: RowView | null
      readonly isRefunded?: true
    }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The store did not answer, and `onStoreUnavailable` says to deny, or to admit. */
  | { readonly kind: 'unavailable'; readonly gate: Gate; readonly units: number }
  | { readonly kind: 'unaccounted' }
  /** P7: it would have been denied, or have failed, and its policy is on trial. */
  | { readonly kind: 'shadow'; readonly would: 'denied' | 'failed'; readonly row: RowView | null }

/** One budget and the units wanted of it, at least 1. */
export interface GateNeed {
  readonly gate: Gate
  readonly units: number
}

/** What makes a request more than a plain admission. */
export interface RequestForm {
  /** R1, I1: the store remembers what becomes of it. */
  readonly remember?: Remember
  /** V1: the needs are sources, each with the units of the whole request. */
  readonly waterfall?: Waterfall
}

/** A request of several sources. */
export class Waterfall {
  readonly units: number
  /** Of what this owner has leased of the sources, once: it goes back for the request, with an exchange that the request waits for. */
  ownLeases: 'kept' | 'returning' | 'returned' = 'kept'
  readonly #live: (() => CounterState) | null

  /** @param live finds the state of the counter that is the last source; null where there is none */
  constructor(units: number, live: (() => CounterState) | null) {
    this.units = units
    this.#live = live
  }

  /** The last source: a counter, which never lacks. Looked up each time, because a counter may be evicted while a request waits. */
  get overage(): CounterState | null {
    return this.#live === null ? null : this.#live()
  }

  withUnits(units: number): Waterfall {
    return new Waterfall(units, this.#live)
  }
}

const PLAIN: RequestForm = {}

/** What a request asks for, and how long it may wait. Equal requests of one turn share their terms. */
export class RequestTerms {
  readonly needs: readonly GateNeed[]
  /** Resolve only when durable: never served from a lease before its exchange is acknowledged. */
  readonly durable: boolean
  readonly deadlineMs: number
  /** Until when, by the owner's monotonic clock: counted from the end of the turn in which a request asked. Infinity until then. */
  deadlineAtMs: number = Infinity
  /** A request with these terms waits: its deadline begins at the end of this turn, or has begun. */
  isWaiting = false
  readonly form: RequestForm

  constructor(needs: readonly GateNeed[], durable: boolean, deadlineMs: number, form: RequestForm = PLAIN) {
    this.needs = needs
    this.durable = durable
    this.deadlineMs = deadlineMs
    this.form = form
  }

  /** In all. */
  get units(): number {
    return this.form.waterfall?.units ?? unitsOf(this.needs)
  }
}

/** A request that waits for the store: an admission of one or of several budgets, all or nothing. */
export abstract class PendingRequest {
  readonly terms: RequestTerms
  /** Its callers: more than one where equal requests are kept as one. Each is granted or denied by itself. */
  count = 1
  state: RequestState = 'queued'
  /** The store has refused it once, for units that other owners may yet return. */
  refused = false
  /** It was sent under an epoch that is over, and what became of it is not known: it is asked again by its id (R8). */
  isUncertain = false

  constructor(terms: RequestTerms) {
    this.terms = terms
  }

  get needs(): readonly GateNeed[] {
    return this.terms.needs
  }

  get units(): number {
    return this.terms.units
  }

  get form(): RequestForm {
    return this.terms.form
  }

  get durable(): boolean {
    return this.terms.durable
  }

  get deadlineMs(): number {
    return this.terms.deadlineMs
  }

  get deadlineAtMs(): number {
    return this.terms.deadlineAtMs
  }

  /** Tells the callers. Called once. */
  abstract tell(verdict: Verdict): void

  /**
   * Only where there are several callers: leaves the first ones with this request.
   * @returns a request of the others, in the same state
   */
  split(_first: number): PendingRequest {
    throw new InvariantError('a request of one caller cannot be split')
  }
}

/**
 * `queued`: goes with the next exchange. `parked`: goes again after a pause, when other owners may have returned units.
 * `reading`: its row was seen exhausted, and is read first. `sent`: in flight. `resolved`: it has its verdict. A late grant is refunded (O10).
 */
export type RequestState = 'queued' | 'parked' | 'reading' | 'sent' | 'resolved'

/** Whether what it asks for may have been applied without an answer. */
export function appliedOf(request: PendingRequest): Applied {
  return request.state === 'sent' || request.isUncertain ? 'unknown' : 'no'
}

export function unitsOf(needs: readonly GateNeed[]): number {
  let total = 0
  for (let at = 0; at < needs.length; at += 1) total += needs[at]?.units ?? 0
  return total
}
