import { invariant } from '../../core/errors.ts'
import type { Gate } from '../budget/gate.ts'
import { PendingRequest, type RequestTerms, type Verdict } from '../requests/pending-request.ts'
import { isAdmitted } from './caller-request.ts'

/** The most callers of one group, which are all told in one turn of the event loop (L8). */
const CALLERS_MAX = 256

/**
 * Equal durable `admit` calls that came one after the other in one turn: one request for all of them. Their promises follow one promise, in the
 * order in which they asked, so a call more costs a promise and no request.
 */
export class AdmitGroup extends PendingRequest {
  override count = 0
  readonly #told: Promise<void>
  #tell: () => void = () => undefined
  #verdict: Verdict | null = null
  /** Callers that have heard the verdict. */
  #heard = 0
  /** Where the store granted some of the callers alone: the group of those after them. */
  #others: AdmitGroup | null = null
  readonly #hear = (): boolean | Promise<boolean> => this.#heardBy()

  constructor(terms: RequestTerms) {
    super(terms)
    this.#told = new Promise((resolve) => {
      this.#tell = resolve
    })
  }

  /** Whether one more call may join: the deadlines of all begin together, and none was sent yet. */
  get isOpen(): boolean {
    return this.state === 'queued' && this.count < CALLERS_MAX && this.terms.deadlineAtMs === Infinity
  }

  /** Whether it is open for a call that asks for this. */
  isFor(gate: Gate, units: number, deadlineMs: number): boolean {
    const need = this.terms.needs[0]
    return this.isOpen && need?.gate === gate && need.units === units && this.terms.deadlineMs === deadlineMs
  }

  join(): Promise<boolean> {
    this.count += 1
    return this.#follow()
  }

  tell(verdict: Verdict): void {
    this.#verdict = verdict
    this.#tell()
  }

  override split(first: number): AdmitGroup {
    const others = new AdmitGroup(this.terms)
    others.count = this.count - first
    others.state = this.state
    others.refused = this.refused
    this.count = first
    this.#others = others
    return others
  }

  #follow(): Promise<boolean> {
    return this.#told.then(this.#hear)
  }

  /** The next caller, in the order of joining. */
  #heardBy(): boolean | Promise<boolean> {
    if (this.#heard < this.count) {
      this.#heard += 1
      const verdict = this.#verdict
      invariant(verdict !== null, 'a group is told its verdict before its callers hear it')
      if (verdict.kind === 'failed') throw verdict.error
      return isAdmitted(verdict)
    }
    invariant(this.#others !== null, 'a caller without a verdict is in the group that was split off')
    return this.#others.#follow()
  }
}
