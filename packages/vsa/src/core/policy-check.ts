import type { CalendarUnit, InitialPolicy, Per, WindowPolicy } from './policy.ts'
import { assertUnits, describe } from './units.ts'

/** A hundred years: the longest period and retention, in ms. */
export const PERIOD_MAX_MS: number = 36_525 * 86_400_000

/** An `initial` policy whose every value is in range. Absent parts are left to the plan's defaults. */
export interface CheckedInitial extends InitialPolicy {
  readonly kind: 'initial'
}

/** A window policy whose every value is in range; `timeZone` is the name that the platform prefers. */
export interface CheckedWindow extends WindowPolicy {
  readonly kind: 'window'
  readonly timeZone: string
  readonly startDay: number
}

const CALENDAR_UNITS: readonly CalendarUnit[] = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year']
const INITIAL_PARTS: readonly string[] = ['initial', 'atRisk', 'burnMax']
const WINDOW_PARTS: readonly string[] = ['limit', 'per', 'timeZone', 'startDay', 'retentionMs', 'atRisk', 'burnMax']

/**
 * Parses what a user handed in as a policy. A part that is `undefined` is absent.
 * @throws TypeError or RangeError that names the argument, as in `policy.limit`.
 */
export function checkPolicy(policy: unknown): CheckedInitial | CheckedWindow {
  if (typeof policy !== 'object' || policy === null)
    throw new TypeError(`policy must be an object, got ${describe(policy)}`)
  const parts = new Map<string, unknown>(Object.entries(policy).filter(([, value]) => value !== undefined))
  for (const name of parts.keys()) {
    if (!INITIAL_PARTS.includes(name) && !WINDOW_PARTS.includes(name)) {
      throw new TypeError(
        `policy.${name} is not known; a policy has ${[...INITIAL_PARTS.slice(0, 1), ...WINDOW_PARTS].join(', ')}`,
      )
    }
  }
  if (parts.has('initial') === parts.has('limit')) {
    throw new TypeError(
      `policy must have either policy.initial or policy.limit, got ${parts.has('limit') ? 'both' : 'neither'}`,
    )
  }
  return parts.has('initial') ? checkInitial(parts) : checkWindow(parts)
}

type Parts = ReadonlyMap<string, unknown>

function checkInitial(parts: Parts): CheckedInitial {
  for (const name of parts.keys()) {
    if (!INITIAL_PARTS.includes(name))
      throw new TypeError(`policy.${name} does not go with policy.initial, only with policy.limit`)
  }
  const initial = parts.get('initial')
  assertUnits('policy.initial', initial)
  return { kind: 'initial', initial, ...checkRisk(parts) }
}

function checkWindow(parts: Parts): CheckedWindow {
  const limit = parts.get('limit')
  assertUnits('policy.limit', limit)
  const per = checkPer(parts.get('per'))
  const risk = checkRisk(parts)
  if (risk.atRisk !== undefined && risk.atRisk > limit) {
    throw new RangeError(`policy.atRisk must be at most policy.limit, ${limit}, got ${risk.atRisk}`)
  }
  const retentionMs = parts.has('retentionMs') ? { retentionMs: checkRetention(parts.get('retentionMs')) } : {}
  return {
    kind: 'window',
    limit,
    per,
    timeZone: checkTimeZone(parts, per),
    startDay: checkStartDay(parts, per),
    ...retentionMs,
    ...risk,
  }
}

function checkRisk(parts: Parts): { readonly atRisk?: number; readonly burnMax?: number } {
  const atRisk = parts.get('atRisk')
  const burnMax = parts.get('burnMax')
  if (atRisk !== undefined) assertUnits('policy.atRisk', atRisk)
  if (burnMax !== undefined) assertUnits('policy.burnMax', burnMax)
  return { ...(atRisk === undefined ? {} : { atRisk }), ...(burnMax === undefined ? {} : { burnMax }) }
}

function checkPer(per: unknown): Per {
  if (typeof per === 'number') return checkMs('policy.per', per, 1)
  if (typeof per !== 'string') {
    throw new TypeError(
      `policy.per must be one of ${CALENDAR_UNITS.join(', ')}, or a number of ms, got ${describe(per)}`,
    )
  }
  const unit = CALENDAR_UNITS.find((name) => name === per)
  if (unit === undefined)
    throw new RangeError(
      `policy.per must be one of ${CALENDAR_UNITS.join(', ')}, or a number of ms, got ${describe(per)}`,
    )
  return unit
}

function checkRetention(retentionMs: unknown): number {
  if (typeof retentionMs !== 'number')
    throw new TypeError(`policy.retentionMs must be a number of ms, got ${describe(retentionMs)}`)
  return checkMs('policy.retentionMs', retentionMs, 0)
}

function checkMs(name: string, value: number, min: number): number {
  if (!Number.isInteger(value) || value < min || value > PERIOD_MAX_MS) {
    throw new RangeError(
      `${name} must be a whole number of ms from ${min} to ${PERIOD_MAX_MS} (100 years), got ${value}`,
    )
  }
  return value
}

function checkTimeZone(parts: Parts, per: Per): string {
  const timeZone = parts.get('timeZone')
  if (timeZone === undefined) return 'UTC'
  if (typeof per === 'number')
    throw new TypeError('policy.timeZone goes with a calendar period only: milliseconds are counted from 1970')
  if (typeof timeZone !== 'string')
    throw new TypeError(`policy.timeZone must be the name of a time zone, got ${describe(timeZone)}`)
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  } catch (cause) {
    throw new RangeError(
      `policy.timeZone must be an IANA time zone such as 'Europe/Berlin', got ${describe(timeZone)}`,
      { cause },
    )
  }
}

function checkStartDay(parts: Parts, per: Per): number {
  const startDay = parts.get('startDay')
  if (startDay === undefined) return 1
  if (per !== 'month') throw new TypeError("policy.startDay goes with policy.per 'month' only")
  if (typeof startDay !== 'number')
    throw new TypeError(`policy.startDay must be a number from 1 to 31, got ${describe(startDay)}`)
  if (!Number.isInteger(startDay) || startDay < 1 || startDay > 31) {
    throw new RangeError(`policy.startDay must be a whole number from 1 to 31, got ${startDay}`)
  }
  return startDay
}
