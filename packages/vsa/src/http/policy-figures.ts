import type { Decision } from '../index.ts'
import { secondsUntil } from './retry-after.ts'

/** What headers say of one budget. */
export interface PolicyFigures {
  /** In the options. */
  readonly name: string
  /** The budget's key. */
  readonly key: string
  /** What a unit is; undefined: a request. */
  readonly unit: string | undefined
  readonly limit: number
  readonly remaining: number
  /** Length of the present period, rounded up; undefined for a budget without windows. */
  readonly windowSeconds: number | undefined
  /** Seconds until `remaining` changes for the better, rounded up; undefined where only a mint or a refund helps. */
  readonly resetSeconds: number | undefined
  /** When the period ends, ms since 1970. */
  readonly resetAtMs: number | undefined
}

/** Null: the store did not answer, so there are no figures. */
export function figuresOf(
  decision: Decision,
  { name, unit }: { readonly name: string; readonly unit: string | undefined },
  nowMs: number,
): PolicyFigures | null {
  if (decision.remaining === undefined) return null
  const { key, limit, remaining, period, resetAtMs } = decision
  const windowSeconds = resetAtMs === undefined ? undefined : secondsUntil(resetAtMs, period)
  return { name, key, unit, limit, remaining, windowSeconds, resetSeconds: resetSecondsOf(decision, nowMs), resetAtMs }
}

/** Units that other processes hold come back before the period ends: the wait that helps. */
function resetSecondsOf({ reason, retryAfterMs, resetAtMs }: Decision, nowMs: number): number | undefined {
  if (reason === 'reserved' && retryAfterMs !== undefined) return secondsUntil(retryAfterMs, 0)
  return resetAtMs === undefined ? undefined : secondsUntil(resetAtMs, nowMs)
}

/**
 * Figures of a look, after the budget was asked for more than 0 units. Null: they are not known. The engine keeps nothing of a durable budget between
 * requests, and a look then shows all of its limit.
 */
export function figuresAfter(
  look: Decision,
  { name, unit, units }: { readonly name: string; readonly unit: string | undefined; readonly units: number },
  nowMs: number,
): PolicyFigures | null {
  return units > 0 && look.remaining === look.limit && look.limit > 0 ? null : figuresOf(look, { name, unit }, nowMs)
}
