import { type Applied, type StoreError, VsaError } from '../../core/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { Session } from '../session/session.ts'

/* The errors that callers see. Each says what happened, which budget, and what to do. */

export function closedError(gate: Gate | undefined, applied: Applied = 'no'): VsaError {
  const what = gate === undefined ? 'this engine' : `the engine of budget ${JSON.stringify(gate.key)}`
  return new VsaError('closed', `${what} was closed; open another one to go on`, { applied })
}

export function durableOnly(gate: Gate): VsaError {
  return new VsaError(
    'durable_only',
    `budget ${JSON.stringify(gate.key)} is durable: tryAdmit could never be true. Use await admit(), or declare it with atRisk above 0.`,
  )
}

export function quarantinedError(gate: Gate): VsaError {
  return new VsaError(
    'quarantined',
    `the books of budget ${JSON.stringify(gate.key)} do not balance; run "vsa verify" on the store`,
  )
}

export function timeoutError(gate: Gate | undefined, deadlineMs: number, applied: Applied, session: Session): VsaError {
  const cause = session.lastError
  const which = gate === undefined ? '' : ` for budget ${JSON.stringify(gate.key)}`
  const after =
    applied === 'unknown' ? 'the units may have been taken; what is granted late is given back' : 'nothing was spent'
  if (cause === null)
    return new VsaError('timeout', `no answer${which} within ${deadlineMs} ms; ${after}`, { applied, statusCode: 503 })
  const message = `the store could not be asked${which} within ${deadlineMs} ms (${cause.message}); ${after}`
  return new VsaError('store_unavailable', message, { applied, statusCode: 503, cause })
}

export function permanentError(gate: Gate | undefined, cause: StoreError, applied: Applied): VsaError {
  const which = gate === undefined ? '' : ` for budget ${JSON.stringify(gate.key)}`
  return new VsaError('store_unavailable', `the store cannot be used${which}: ${cause.message}`, {
    applied,
    statusCode: 503,
    cause,
  })
}

export function tooManyWaiters(gate: Gate, waitersMax: number): VsaError {
  const message = `${waitersMax} requests wait for the store already; budget ${JSON.stringify(gate.key)} was not asked. Shed load, or raise waitersMax.`
  return new VsaError('too_many_waiters', message, { statusCode: 503 })
}

export function rowLostError(gate: Gate): VsaError {
  const message = `the row of budget ${JSON.stringify(gate.key)} is gone from the store; nothing is admitted until its next period. Was it truncated?`
  return new VsaError('row_lost', message, { statusCode: 503 })
}

export function fencedUnknownError(gate: Gate | undefined): VsaError {
  const which = gate === undefined ? '' : ` for budget ${JSON.stringify(gate.key)}`
  const message = `the store forgot the epoch that asked${which}; the units may have been taken. Nothing is given twice.`
  return new VsaError('store_unavailable', message, { applied: 'unknown', statusCode: 503 })
}

export function closeAmbiguous(deadlineMs: number, session: Session): VsaError {
  const why = session.lastError === null ? '' : ` (${session.lastError.message})`
  const message = `the store did not confirm the close within ${deadlineMs} ms${why}; what was not settled is burned when the lease is reaped`
  return new VsaError('close_ambiguous', message, {
    applied: 'unknown',
    statusCode: 503,
    cause: session.lastError ?? undefined,
  })
}
