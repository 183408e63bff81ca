import { assertUnits, describe } from '../units.ts'

/** The parts of a user's policy that are not `undefined`, by name. */
export type Parts = ReadonlyMap<string, unknown>

/** @throws TypeError unless `policy` is an object */
export function partsOf(policy: unknown): Parts {
  if (typeof policy !== 'object' || policy === null)
    throw new TypeError(`policy must be an object, got ${describe(policy)}`)
  return new Map<string, unknown>(Object.entries(policy).filter(([, value]) => value !== undefined))
}

/** @throws TypeError, RangeError that name the part */
export function checkRisk(parts: Parts): { readonly atRisk?: number; readonly burnMax?: number } {
  const atRisk = parts.get('atRisk')
  const burnMax = parts.get('burnMax')
  if (atRisk !== undefined) assertUnits('policy.atRisk', atRisk)
  if (burnMax !== undefined) assertUnits('policy.burnMax', burnMax)
  return { ...(atRisk === undefined ? {} : { atRisk }), ...(burnMax === undefined ? {} : { burnMax }) }
}

/** 5 % of the limit, rounded up. */
export function burnMaxDefault(limit: number): number {
  return Math.ceil(limit / 20)
}
