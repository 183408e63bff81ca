import { VsaError, type ErrorCode } from '../../core/errors.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { PendingRequest, Verdict } from './pending-request.ts'

/** What fails because of the store, or because too many wait for it. */
const OF_THE_STORE: readonly ErrorCode[] = [
  'timeout',
  'store_unavailable',
  'row_lost',
  'quarantined',
  'too_many_waiters',
]

const FAILED: Verdict = { kind: 'shadow', would: 'failed', row: null }

/**
 * P7: the verdict of a request whose one budget has a policy on trial: what would be denied, or fail for the store's sake, is admitted and counted. A
 * request for several budgets has none of them: they are tried by themselves.
 */
export function afterTrial(request: PendingRequest, verdict: Verdict, metrics: Metrics): Verdict {
  const [need, second] = request.needs
  if (need?.gate.plan.shadow !== true || second !== undefined) return verdict
  const { units } = request
  if (verdict.kind === 'denied' || verdict.kind === 'unavailable') {
    metrics.countShadow(units, request.count, true)
    return verdict.kind === 'denied' ? { kind: 'shadow', would: 'denied', row: verdict.row } : FAILED
  }
  if (verdict.kind !== 'failed' || !isOfTheStore(verdict.error)) return verdict
  metrics.countShadow(units, request.count, false)
  return FAILED
}

function isOfTheStore(error: unknown): boolean {
  return error instanceof VsaError && OF_THE_STORE.includes(error.code)
}
