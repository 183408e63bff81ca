import { PERIOD_MAX_MS } from '../core/policy.ts'
import type { CalendarUnit, Per } from '../core/policy.ts'
import { canonicalTimeZone } from '../core/time-zone.ts'

const CALENDAR_UNITS: readonly CalendarUnit[] = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year']

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['ms', 1],
  ['s', 1_000],
  ['sec', 1_000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
])

/**
 * Parses a period: `second` to `year`, or a number with `ms`, `s`, `m`, `h`, `d` or `w`, such as `1m` or `90s`.
 * @throws RangeError for anything else
 */
export function parsePer(text: string): Per {
  return CALENDAR_UNITS.find((unit) => unit === text) ?? parseDuration(text)
}

/**
 * Parses a duration into ms, such as `90s`; a number without a unit is in ms.
 * @throws RangeError for anything but a whole number of ms from 1 ms to 100 years
 */
export function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase()) ?? []
  const ms = Math.round(Number(digits) * (UNITS_MS.get(unit ?? '') ?? Number.NaN) * 1e6) / 1e6
  if (!Number.isInteger(ms) || ms < 1 || ms > PERIOD_MAX_MS) {
    throw new RangeError(
      `expected a time such as 100ms, 10s, 1m, 1h or 1d, from 1 ms to 100 years, got ${JSON.stringify(text)}`,
    )
  }
  return ms
}

/** Parses a whole number. @throws RangeError for anything but a whole number from `min` to `max` */
export function parseWhole(text: string, min: number, max: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max))
    throw new RangeError(`expected a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`)
  return value
}

/** Parses the name of a time zone, or a fixed offset, as a policy does. @throws RangeError for anything else */
export function parseTimeZone(text: string): string {
  try {
    return canonicalTimeZone(text)
  } catch (cause) {
    throw new RangeError(`expected a time zone such as Europe/Berlin, got ${JSON.stringify(text)}`, { cause })
  }
}
