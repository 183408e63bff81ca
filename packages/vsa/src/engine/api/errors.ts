import { type Applied, type StoreError, VsaError } from '../../core/errors.ts'

/* The errors that callers see. Each says what happened, to which budget, and what to do. */

/** @param key the budget that was asked for; undefined where the call names none */
export function closedError(key: string | undefined, applied: Applied = 'no'): VsaError {
  const what = key === undefined ? 'this engine' : `the engine of budget ${JSON.stringify(key)}`
  return new VsaError('closed', `${what} was closed; open another one to go on`, { applied })
}

export function durableOnlyError(key: string): VsaError {
  return new VsaError(
    'durable_only',
    `budget ${JSON.stringify(key)} is durable: tryAdmit could never be true. Use await admit(), or declare it with atRisk above 0.`,
  )
}

export function quarantinedError(key: string): VsaError {
  return new VsaError(
    'quarantined',
    `the books of budget ${JSON.stringify(key)} do not balance; run "vsa verify" on the store`,
  )
}

export function quarantinedCounterError(key: string): VsaError {
  const message = `the row of counter ${JSON.stringify(key)} cannot be read; what was added since stays in this process. Run "vsa verify" on the store`
  return new VsaError('quarantined', message)
}

/** What a caller waited for in vain. */
interface Timeout {
  /** The budget; undefined where the call names none. */
  readonly key?: string | undefined
  readonly deadlineMs: number
  readonly applied: Applied
  /** Why the store could not be reached last; null while it can. */
  readonly lastError: StoreError | null
  /** What may have happened all the same, and what to do. Default: that of an admission. */
  readonly outcome?: string
}

export function timeoutError({ key, deadlineMs, applied, lastError, outcome }: Timeout): VsaError {
  const which = ofBudget(key)
  const after =
    outcome ??
    (applied === 'unknown' ? 'the units may have been taken; what is granted late is given back' : 'nothing was spent')
  if (lastError === null)
    return new VsaError('timeout', `no answer${which} within ${deadlineMs} ms; ${after}`, { applied, statusCode: 503 })
  const message = `the store could not be asked${which} within ${deadlineMs} ms (${lastError.message}); ${after}`
  return new VsaError('store_unavailable', message, { applied, statusCode: 503, cause: lastError })
}

/** The outcomes of calls other than admissions, when they time out. */
export const MINT_LATE =
  'the units may have been minted, and then they stay; mint them again with the same id to find out'
export const READ_LATE = 'nothing was changed'
export const JOIN_LATE = 'joining goes on'
export const FLUSH_LATE = 'not all changes are durable yet; they are sent until they are'

export function refundLate(key: string): string {
  return `the store has not yet accepted units that were given back to budget ${JSON.stringify(key)}: their admission may not have reached it, or they were never admitted`
}

export function permanentError(key: string | undefined, cause: StoreError, applied: Applied): VsaError {
  return new VsaError('store_unavailable', `the store cannot be used${ofBudget(key)}: ${cause.message}`, {
    applied,
    statusCode: 503,
    cause,
  })
}

export function tooManyWaitersError(key: string | undefined, waitersMax: number): VsaError {
  const what = key === undefined ? 'this one' : `the one for budget ${JSON.stringify(key)}`
  const message = `${waitersMax} requests wait for the store already; ${what} was not sent. Shed load, or raise waitersMax.`
  return new VsaError('too_many_waiters', message, { statusCode: 503 })
}

/** @param ahead requests that wait before this one */
export function overloadedError(
  key: string | undefined,
  { ahead, perSecond, deadlineMs }: { readonly ahead: number; readonly perSecond: number; readonly deadlineMs: number },
): VsaError {
  const pace = `${ahead} requests are ahead, and the store answers ${perSecond} a second`
  const message = `the request${ofBudget(key)} would not be reached within its ${deadlineMs} ms: ${pace}. Nothing was spent. Shed load, or give it more time.`
  return new VsaError('too_many_waiters', message, { statusCode: 503 })
}

/** @param what was not taken in, as in `the refund of budget "a"` */
export function tooManyChangesError(what: string, budgetsMax: number, cause: StoreError): VsaError {
  const message = `the store cannot be reached (${cause.message}), and ${budgetsMax} budgets and counters have changes to send already; ${what} was not taken. Repeat it when the store is back, or raise budgetsMax.`
  return new VsaError('store_unavailable', message, { statusCode: 503, cause })
}

export function rowLostError(key: string): VsaError {
  const message = `the row of budget ${JSON.stringify(key)} is gone from the store; nothing is admitted until its next period. Was it truncated?`
  return new VsaError('row_lost', message, { statusCode: 503 })
}

export function fencedUnknownError(key: string | undefined): VsaError {
  const message = `the store forgot the epoch that asked${ofBudget(key)}; the units may have been taken. Nothing is given twice.`
  return new VsaError('store_unavailable', message, { applied: 'unknown', statusCode: 503 })
}

/** @param forMs how long the store grants nothing, in ms */
export function frozenError(key: string | undefined, forMs: number): VsaError {
  const message = `the store has lost its last writes, and grants nothing${ofBudget(key)} for another ${forMs} ms, until its owners have told what they know; nothing was spent`
  return new VsaError('store_unavailable', message, { applied: 'no', statusCode: 503 })
}

export function idConflictError(key: string, units: number, id: string): VsaError {
  const message = `id ${JSON.stringify(id)} was minted for ${JSON.stringify(key)} before, with other units than ${units}; use another id`
  return new VsaError('id_conflict', message, { statusCode: 409 })
}

/** Of an admission or a reservation. */
export function requestConflictError(key: string, id: string): VsaError {
  const message = `id ${JSON.stringify(id)} is known for ${JSON.stringify(key)} for something else: other units, other budgets, or another kind of call; use another id`
  return new VsaError('id_conflict', message, { statusCode: 409 })
}

export function reservationUnknownError(key: string, id: string): VsaError {
  const message = `nothing is known of ${JSON.stringify(key)} under the id ${JSON.stringify(id)}: it was refused, was never asked for, or was over more than 7 days ago`
  return new VsaError('reservation_unknown', message, { statusCode: 404 })
}

export function reservationOpenError(key: string, id: string): VsaError {
  const message = `the reservation ${JSON.stringify(id)} of ${JSON.stringify(key)} is not settled: settle it for what was used, in place of giving units back`
  return new VsaError('reservation_open', message, { statusCode: 409 })
}

export function damagedReservationError(key: string, id: string, detail: string): VsaError {
  const message = `the reservation ${JSON.stringify(id)} of ${JSON.stringify(key)} cannot be used: ${detail}; run "vsa verify" on the store`
  return new VsaError('quarantined', message)
}

export function intentsUnsupportedError(key: string): VsaError {
  const message = `{ db } for ${JSON.stringify(key)}: this store has no database that a transaction of yours could be in. Leave db out and call it after your commit, or open the engine on postgres() of vsa/postgres`
  return new VsaError('intents_unsupported', message)
}

export function deletionUnsupportedError(key: string): VsaError {
  const message = `this store deletes nothing, so ${JSON.stringify(key)} stays as it is: its adapter has no loadDeletion, or the store that wraps it passes no delete on`
  return new VsaError('deletion_unsupported', message)
}

export function deletionLostError(key: string, cause: StoreError): VsaError {
  const message = `the answer to the deletion of budget ${JSON.stringify(key)} was lost (${cause.message}): ${DELETION_LATE}`
  return new VsaError('store_unavailable', message, { applied: 'unknown', statusCode: 503, cause })
}

/** The outcome of a deletion, when it times out. */
export const DELETION_LATE = 'all of it may be gone, or a part of it; delete it again to be sure'

/** The outcome of an admission or a reservation with an id, when it times out. */
export const REMEMBERED_LATE =
  'the units may have been taken, and then they stay; ask again with the same id to find out'

/** The outcome of a change of a reservation, when it times out. */
export const CHANGE_LATE = 'it may have counted; the same call again tells, and counts once'

export function unitsOverflowError(key: string, units: number): VsaError {
  const message = `minting ${units} would take ${JSON.stringify(key)} beyond 2^53 - 1 units`
  return new VsaError('units_overflow', message, { statusCode: 422 })
}

export function policyConflictError(what: string): VsaError {
  return new VsaError(
    'policy_conflict',
    `${what} was declared with another policy in this process. Declare each budget or family once, and share the handle.`,
  )
}

/** @param inMs until the shorter of the two periods is over */
export function samePeriodError(key: string, inMs: number): VsaError {
  const message = `the period of the new policy of ${JSON.stringify(key)} begins at the same moment as the present one, and would be the same row. Nothing was changed; change it again in ${inMs} ms.`
  return new VsaError('policy_conflict', message, { statusCode: 409 })
}

export function closeAmbiguousError(deadlineMs: number, lastError: StoreError | null): VsaError {
  const why = lastError === null ? '' : ` (${lastError.message})`
  const message = `the store did not confirm the close within ${deadlineMs} ms${why}; what was not settled is burned when the lease is reaped`
  return new VsaError('close_ambiguous', message, {
    applied: 'unknown',
    statusCode: 503,
    cause: lastError ?? undefined,
  })
}

function ofBudget(key: string | undefined): string {
  return key === undefined ? '' : ` for budget ${JSON.stringify(key)}`
}
