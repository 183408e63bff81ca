import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { RequestTerms } from '../requests/pending-request.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { AdmitGroup } from './admit-group.ts'
import { termsFor } from './request-terms.ts'

interface EqualCallsParts {
  readonly settings: Settings
  readonly metrics: Metrics
  readonly waiting: WaitQueue
  readonly scheduler: FlushScheduler
}

/** `admit` calls of one turn that ask for the same, one after the other: they share their terms, and the durable ones a group. */
export class EqualCalls {
  readonly #parts: EqualCallsParts
  /** Of the last call for one budget. */
  #lastTerms: RequestTerms | null = null

  constructor(parts: EqualCallsParts) {
    this.#parts = parts
  }

  /**
   * The group that the call before joined, where this one asks for the same, with the defaults: of a budget that leases nothing, all of them go to the
   * store.
   */
  groupFor(gate: Gate, units: number): AdmitGroup | null {
    const { waiting, metrics, settings } = this.#parts
    const { last } = waiting
    if (!(last instanceof AdmitGroup) || !last.isFor(gate, units, settings.deadlineMs)) return null
    if (gate.plan.atRisk > 0 || !gate.plan.durable || gate.isEvicted) return null
    if (metrics.waiting >= settings.waitersMax) return null
    waiting.joined()
    return last
  }

  /** Nothing is made for a caller that asks for the same as the one before, in the same turn. */
  termsOf(gate: Gate, units: number, durable: boolean | undefined, deadlineMs: number): RequestTerms {
    const isDurable = durable ?? gate.plan.durable
    const last = this.#lastTerms
    if (
      last !== null &&
      last.deadlineAtMs === Infinity &&
      last.durable === isDurable &&
      last.deadlineMs === deadlineMs
    ) {
      const need = last.needs[0]
      if (need?.gate === gate && need.units === units) return last
    }
    const terms = termsFor([{ gate, units }], isDurable, deadlineMs)
    this.#lastTerms = terms
    return terms
  }

  /** Joins the last request of the queue, where that is a group of equal ones, or begins one behind an equal request. Null: it stays alone. */
  join(terms: RequestTerms): Promise<boolean> | null {
    const { waiting, scheduler } = this.#parts
    const { last } = waiting
    if (last?.terms !== terms || !terms.durable) return null
    scheduler.wake()
    if (last instanceof AdmitGroup && last.isOpen) {
      waiting.joined()
      return last.join()
    }
    const group = new AdmitGroup(terms)
    const promise = group.join()
    waiting.add(group)
    return promise
  }
}
