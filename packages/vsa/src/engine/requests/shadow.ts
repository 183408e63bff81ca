import { VsaError, type ErrorCode } from '../../core/errors.ts'
import { reasonOf } from '../budget/row-view.ts'
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
export function afterTrial(request: PendingRequest, verdict: Verdict): Verdict {
  if (verdict.kind === 'admitted') return verdict
  const [need, second] = request.needs
  if (need?.gate.plan.shadow !== true || second !== undefined) return counted(request, verdict)
  const { units } = request
  const { metrics } = need.gate
  if (verdict.kind === 'denied' || verdict.kind === 'unavailable') {
    metrics.countShadow(units, request.count, true)
    return verdict.kind === 'denied' ? { kind: 'shadow', would: 'denied', row: verdict.row } : FAILED
  }
  if (verdict.kind !== 'failed' || !isOfTheStore(verdict.error)) return counted(request, verdict)
  metrics.countShadow(units, request.count, false)
  return FAILED
}

/** The reason counts, as it is told. A waterfall is refused by all of its sources together, which counts as exhausted. */
function counted({ needs, count, form }: PendingRequest, verdict: Verdict): Verdict {
  if (verdict.kind === 'denied') {
    const { gate, row, units, isRefunded } = verdict
    const reason = form.waterfall === undefined ? reasonOf(row, units) : 'exhausted'
    gate.metrics.denied[isRefunded === true ? 'refunded' : reason] += count
  } else if (verdict.kind === 'unavailable') verdict.gate.metrics.denied.unavailable += count
  else if (verdict.kind === 'failed' && verdict.error instanceof VsaError) {
    const metrics = needs[0]?.gate.metrics
    if (metrics !== undefined) metrics.failures += count
  }
  return verdict
}

function isOfTheStore(error: unknown): boolean {
  return error instanceof VsaError && OF_THE_STORE.includes(error.code)
}
