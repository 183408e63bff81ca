import { isUnits } from '../../core/units.ts'
import { type Logged, bad } from './logged.ts'

const ISO_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/

/** Parses one line of NDJSON: an object with `at` (ms since 1970, or ISO 8601), `cost` (units, default 1) and the field that is the key. */
export function parseJsonLine(line: string): Logged {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('not a JSON object')
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const at = parseAt(fields['at'])
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

function parseAt(at: unknown): number | null {
  const ms = typeof at === 'string' && ISO_TIME.test(at) ? Date.parse(at) : at
  return typeof ms === 'number' && ms >= 0 && ms <= 8_640_000_000_000_000 ? Math.floor(ms) : null
}
