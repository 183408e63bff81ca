import { isUnits } from '../../core/units.ts'
import { type Logged, bad } from './logged.ts'
import { TimeUnits } from './time-units.ts'

const ISO_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/

/**
 * Parses one line of NDJSON: an object with `at` (ms since 1970, or ISO 8601), `cost` (units, default 1) and the field that is the key.
 * @param units of the log that the line is from: a number that cannot be ms is taken in s, µs or ns
 */
export function parseJsonLine(line: string, units: TimeUnits = new TimeUnits()): Logged {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('not a JSON object')
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const at = parseAt(fields['at'], units)
  if (at === null) return bad('"at" is neither ms since 1970 nor an ISO 8601 time')
  const cost = fields['cost'] ?? 1
  if (!isUnits(cost)) return bad('"cost" is no whole number of units')
  return { kind: 'request', at, isWholeSecond: false, cost, fields }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function parseAt(at: unknown, units: TimeUnits): number | null {
  if (typeof at === 'number') return units.msOf(at)
  const ms = typeof at === 'string' && ISO_TIME.test(at) ? Date.parse(at) : Number.NaN
  return ms >= 0 ? ms : null
}
