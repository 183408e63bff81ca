import type { StoreError, VsaError } from '../../core/errors.ts'
import {
  closedError,
  fencedUnknownError,
  frozenError,
  permanentError,
  REMEMBERED_LATE,
  timeoutError,
} from '../api/errors.ts'
import type { Settings } from '../api/settings.ts'
import { appliedOf, type GateNeed, type PendingRequest, type Verdict } from '../requests/pending-request.ts'
import type { Session } from '../session/session.ts'

/** The verdict of requests that the store has not answered: by `onStoreUnavailable`, unless the store had refused them before. */
export class UnansweredRequests {
  readonly #settings: Settings
  readonly #session: Session

  constructor(settings: Settings, session: Session) {
    this.#settings = settings
    this.#session = session
  }

  /** The deadline has passed. A request that the store had refused is denied, because other owners still hold the units. */
  expired(request: PendingRequest): Verdict {
    const need = lackingNeed(request) ?? request.needs[0]
    const { lastError } = this.#session
    if (this.#session.frozenMs > 0 && request.state !== 'sent') return this.frozen(request)
    // R8: of one that is remembered nothing is given back, so in flight it is not known to be denied.
    const isKnown = request.form.remember === undefined || appliedOf(request) === 'no'
    if (need !== undefined && request.refused && isKnown && lastError === null) {
      need.gate.metrics.countDenial(request.units, request.count)
      return { kind: 'denied', ...need, row: need.gate.row }
    }
    const { deadlineMs } = request
    const timeout = { key: need?.gate.key, deadlineMs, applied: appliedOf(request), lastError }
    if (request.form.remember !== undefined && timeout.applied === 'unknown')
      return this.#unknown(request, timeoutError({ ...timeout, outcome: REMEMBERED_LATE }))
    return this.#unknown(request, timeoutError(timeout))
  }

  /** F3: the store has forgotten writes, and grants nothing for a time. That is no denial (L6). */
  frozen(request: PendingRequest): Verdict {
    return this.#unknown(request, frozenError(request.needs[0]?.gate.key, this.#session.frozenMs))
  }

  /** The store failed for good: waiting does not help. */
  failed(request: PendingRequest, error: StoreError): Verdict {
    return this.#unknown(request, permanentError(request.needs[0]?.gate.key, error, appliedOf(request)))
  }

  /** O5: the store has forgotten the epoch, and with it what became of the request. */
  forgotten(request: PendingRequest): Verdict {
    return this.#unknown(request, fencedUnknownError(request.needs[0]?.gate.key))
  }

  /** The engine has closed without an answer. */
  closed(request: PendingRequest): Verdict {
    return this.#unknown(request, closedError(request.needs[0]?.gate.key, appliedOf(request)))
  }

  #unknown(request: PendingRequest, error: VsaError): Verdict {
    const { units } = request
    const [need] = request.needs
    // R8: its id tells, and only the caller can ask again.
    if (request.form.remember !== undefined && appliedOf(request) === 'unknown') return { kind: 'failed', error }
    switch (this.#settings.onStoreUnavailable) {
      case 'throw':
        return { kind: 'failed', error }
      case 'deny': {
        if (need === undefined) return { kind: 'failed', error }
        need.gate.metrics.countDenial(units, request.count)
        return { kind: 'unavailable', ...need }
      }
      case 'allow':
        if (need !== undefined) {
          need.gate.metrics.unaccounted += request.count
          need.gate.metrics.unaccountedUnits += request.count * units
        }
        return { kind: 'unaccounted' }
    }
  }
}

/** The first need that pool and lease did not cover, as of the last answer; undefined where none is known to lack units. */
function lackingNeed({ needs }: PendingRequest): GateNeed | undefined {
  return needs.find(
    ({ gate: { row }, units }) => row !== null && row.figures !== null && row.figures.pool + row.held < units,
  )
}
