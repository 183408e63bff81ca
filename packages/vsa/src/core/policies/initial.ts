import type { Window } from '../calendar.ts'
import type { BudgetEntry } from '../exchange.ts'
import type { PlanTerms } from '../plan.ts'
import type { InitialPolicy } from '../policy.ts'
import type { HoldTime, RowDraft } from '../row-draft.ts'
import { assertUnits } from '../units.ts'
import { burnMaxDefault, checkCommon, COMMON_PARTS, localTerms, type Parts } from './parts.ts'
import { moveLease, type Settled, settleUnits } from './settle.ts'

/* `{ initial }`: that many units, plus every mint. It has one row, without a period. */

/** The allowed parts of the policy. */
export const PARTS: readonly string[] = ['initial', ...COMMON_PARTS]

/** A policy whose every value is in range. Absent parts are left to `compile`. */
export interface CheckedInitial extends InitialPolicy {
  readonly kind: 'initial'
}

/** The one window of every `initial` budget. Never written to. */
const ALWAYS: Window = Object.freeze({ start: 0, end: Number.POSITIVE_INFINITY })

/** @throws TypeError, RangeError that name the part, as in `policy.initial` */
export function check(parts: Parts): CheckedInitial {
  for (const name of parts.keys()) {
    if (!PARTS.includes(name))
      throw new TypeError(`policy.${name} does not go with policy.initial, only with policy.limit`)
  }
  const initial = parts.get('initial')
  assertUnits('policy.initial', initial)
  return { kind: 'initial', initial, ...checkCommon(parts) }
}

export function compile(policy: CheckedInitial): PlanTerms {
  const limit = policy.initial
  const atRisk = policy.atRisk ?? 0
  // Minted units are not known yet: with 5 % of 0, no lease could ever be granted.
  const burnMax = policy.burnMax ?? Math.max(burnMaxDefault(limit), atRisk)
  const local = localTerms(policy)
  return {
    kind: 'initial',
    limit,
    atRisk,
    burnMax,
    durable: atRisk === 0,
    ...local,
    fingerprint: JSON.stringify(['initial', limit, atRisk, burnMax, local]),
    windowAt: () => ALWAYS,
    after: () => ALWAYS,
    rowPolicy: (_window, version) => ({ kind: 'initial', limit, burnMax, version, endsAt: null, keepUntil: null }),
  }
}

/** S3. `initial` only ever creates: another number later changes nothing. */
export function settle(draft: RowDraft, entry: BudgetEntry): Settled {
  return settleUnits(draft, entry)
}

/** S3, S5 */
export function moveHold(draft: RowDraft, entry: BudgetEntry, at: HoldTime): void {
  moveLease(draft, entry, at)
}
