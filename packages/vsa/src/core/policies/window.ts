import { calendarOf } from '../calendar.ts'
import type { BudgetEntry } from '../exchange.ts'
import type { PlanTerms } from '../plan.ts'
import type { Per, WindowPolicy } from '../policy.ts'
import type { HoldTime, RowDraft } from '../row-draft.ts'
import { assertUnits } from '../units.ts'
import { keepingWindows, windowsOf } from '../window-cache.ts'
import { burnMaxDefault, checkCommon, COMMON_PARTS, localTerms, type Parts } from './parts.ts'
import { moveLease, type Settled, settleUnits } from './settle.ts'
import { checkPer, checkRetention, checkStartDay, checkTimeZone } from './window-parts.ts'

/* `{ limit, per }`: the limit in each period. Each period has a row of its own. */

/** The allowed parts of the policy. */
export const PARTS: readonly string[] = ['limit', 'per', 'timeZone', 'startDay', 'retentionMs', ...COMMON_PARTS]

/** A policy whose every value is in range; `timeZone` is canonical. */
export interface CheckedWindow extends WindowPolicy {
  readonly kind: 'window'
  readonly timeZone: string
  readonly startDay: number
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const RETENTION_DEFAULT_MS = 400 * DAY_MS
/**
 * A row may still be created up to one minute after its period's end (S4), and a removed row must never be created again, because
 * that would mint its units twice. The second minute is a margin for a store whose clock is replaced by a slower one (a failover).
 */
const RETENTION_LEAST_MS = 2 * MINUTE_MS

/** @throws TypeError, RangeError that name the part, as in `policy.limit` */
export function check(parts: Parts): CheckedWindow {
  const limit = parts.get('limit')
  assertUnits('policy.limit', limit)
  const per = checkPer(parts.get('per'))
  const common = checkCommon(parts)
  if (common.atRisk !== undefined && common.atRisk > limit) {
    throw new RangeError(`policy.atRisk must be at most policy.limit, ${limit}, got ${common.atRisk}`)
  }
  const retentionMs = parts.has('retentionMs') ? { retentionMs: checkRetention(parts.get('retentionMs')) } : {}
  return {
    kind: 'window',
    limit,
    per,
    timeZone: checkTimeZone(parts, per),
    startDay: checkStartDay(parts, per),
    ...retentionMs,
    ...common,
  }
}

export function compile(policy: CheckedWindow): PlanTerms {
  const { limit, per } = policy
  const atRisk = policy.atRisk ?? atRiskDefault(limit, per)
  const burnMax = policy.burnMax ?? burnMaxDefault(limit)
  const durable = policy.atRisk === 0 // a limit of 0 leaves nothing to lease, but does not make the budget durable
  const retentionMs = Math.max(policy.retentionMs ?? (isLong(per) ? RETENTION_DEFAULT_MS : 0), RETENTION_LEAST_MS)
  const calendar = calendarOf(per, policy.timeZone, policy.startDay)
  const local = localTerms(policy)
  const windowAt = keepingWindows(windowsOf(calendar))
  return {
    kind: 'window',
    limit,
    atRisk,
    burnMax,
    durable,
    ...local,
    fingerprint: JSON.stringify(['window', limit, atRisk, burnMax, durable, retentionMs, calendar, local]),
    windowAt,
    after: (window) => windowAt(window.end),
    rowPolicy: ({ start, end }, version) => ({
      kind: 'window',
      limit,
      burnMax,
      version,
      endsAt: end,
      keepUntil: end + Math.max(retentionMs, end - start),
    }),
  }
}

/** S3. A higher version of the policy changes the limit; a policy of another kind changes nothing. */
export function settle(draft: RowDraft, entry: BudgetEntry): Settled {
  if (!draft.isNew && entry.policy?.kind === 'window') draft.adopt(entry.policy)
  return settleUnits(draft, entry)
}

/** S3, S5 */
export function moveHold(draft: RowDraft, entry: BudgetEntry, at: HoldTime): void {
  moveLease(draft, entry, at)
}

function atRiskDefault(limit: number, per: Per): number {
  const onePercent = Math.ceil(limit / 100)
  return Math.min(limit, isShort(per) ? Math.max(32, onePercent) : onePercent)
}

/** Up to a minute. */
function isShort(per: Per): boolean {
  return typeof per === 'number' ? per <= MINUTE_MS : per === 'second' || per === 'minute'
}

/** A day or more. */
function isLong(per: Per): boolean {
  return typeof per === 'number' ? per >= DAY_MS : !isShort(per) && per !== 'hour'
}
