import { PERIOD_MAX_MS, type CalendarUnit, type Per } from '../policy.ts'
import { canonicalTimeZone } from '../time-zone.ts'
import { describe } from '../units.ts'
import type { Parts } from './parts.ts'

/* The parts of a policy with windows. Each check throws a TypeError or RangeError that names the part. */

const CALENDAR_UNITS: readonly CalendarUnit[] = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year']

export function checkPer(per: unknown): Per {
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

export function checkRetention(retentionMs: unknown): number {
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

export function checkTimeZone(parts: Parts, per: Per): string {
  const timeZone = parts.get('timeZone')
  if (timeZone === undefined) return 'UTC'
  if (typeof per === 'number')
    throw new TypeError('policy.timeZone goes with a calendar period only: milliseconds are counted from 1970')
  if (typeof timeZone !== 'string')
    throw new TypeError(`policy.timeZone must be the name of a time zone, got ${describe(timeZone)}`)
  try {
    return canonicalTimeZone(timeZone)
  } catch (cause) {
    throw new RangeError(
      `policy.timeZone must be an IANA time zone such as 'Europe/Berlin', or an offset such as '+02:00', got ${describe(timeZone)}`,
      { cause },
    )
  }
}

export function checkStartDay(parts: Parts, per: Per): number {
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
