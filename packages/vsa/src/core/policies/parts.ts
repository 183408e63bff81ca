import { assertBoolean, assertFractions } from '../options.ts'
import type { PlanTerms } from '../plan.ts'
import type { PolicyOptions } from '../policy.ts'
import { assertUnits, describe } from '../units.ts'

/** The parts of a user's policy that are not `undefined`, by name. */
export type Parts = ReadonlyMap<string, unknown>

/** @throws TypeError unless `policy` is an object */
export function partsOf(policy: unknown): Parts {
  if (typeof policy !== 'object' || policy === null)
    throw new TypeError(`policy must be an object, got ${describe(policy)}`)
  return new Map<string, unknown>(Object.entries(policy).filter(([, value]) => value !== undefined))
}

/** The parts that every policy may have. */
export const COMMON_PARTS: readonly string[] = Object.keys({
  atRisk: true,
  burnMax: true,
  warnAt: true,
  shadow: true,
} satisfies Record<keyof PolicyOptions, true>)

/** @throws TypeError, RangeError that name the part */
export function checkCommon(parts: Parts): PolicyOptions {
  const atRisk = parts.get('atRisk')
  const burnMax = parts.get('burnMax')
  if (atRisk !== undefined) assertUnits('policy.atRisk', atRisk)
  if (burnMax !== undefined) assertUnits('policy.burnMax', burnMax)
  return {
    ...(atRisk === undefined ? {} : { atRisk }),
    ...(burnMax === undefined ? {} : { burnMax }),
    ...checkWarnAt(parts.get('warnAt')),
    ...checkShadow(parts.get('shadow')),
  }
}

/** 5 % of the limit, rounded up. */
export function burnMaxDefault(limit: number): number {
  return Math.ceil(limit / 20)
}

/** What the engine alone knows of a policy: the store never hears of it. */
export function localTerms({ warnAt, shadow }: PolicyOptions): Pick<PlanTerms, 'warnAt' | 'shadow'> {
  return { warnAt: warnAt ?? null, shadow: shadow === true }
}

/** Sorted, so that equal lists are the same policy. */
function checkWarnAt(fractions: unknown): Pick<PolicyOptions, 'warnAt'> {
  if (fractions === undefined) return {}
  assertFractions('policy.warnAt', fractions)
  return { warnAt: [...new Set(fractions)].sort((a, b) => a - b) }
}

function checkShadow(shadow: unknown): Pick<PolicyOptions, 'shadow'> {
  if (shadow === undefined) return {}
  assertBoolean('policy.shadow', shadow)
  return { shadow }
}
