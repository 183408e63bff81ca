import { type Calendar, type Window, calendarOf, windowHolding } from './calendar.ts'
import type { RowPolicy } from './exchange.ts'
import { type CheckedInitial, type CheckedWindow, checkPolicy } from './policy-check.ts'
import type { Per, Policy } from './policy.ts'

export type { Window } from './calendar.ts'

/** A policy ready for use: checked, its defaults filled in, its windows computed on demand. */
export interface Plan {
  readonly kind: 'initial' | 'window'
  /** Units minted per period; for `initial`, at creation. */
  readonly limit: number
  /** The largest lease, in units. */
  readonly atRisk: number
  /** No lease grows once this many units of a period have burned. */
  readonly burnMax: number
  /** Declared with `atRisk: 0`, or `initial` by default: every admission waits for the store. */
  readonly durable: boolean
  /** Equal for policies that mean the same, however they are spelled. */
  readonly fingerprint: string
  /** The window that holds `time` (ms since 1970): the same object for the same window while it is among the last few. */
  windowAt(time: number): Window
  /** The window that starts where `window` ends; without windows, the same one. */
  after(window: Window): Window
  /** What the store must know to keep the row of `window`. `version`: the declaring owner's epoch. */
  rowPolicy(window: Window, version: number): RowPolicy
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const RETENTION_DEFAULT_MS = 400 * DAY_MS
/**
 * A row may still be created up to one minute after its period's end (S4), and a removed row must never be created again: it would mint a
 * fresh budget. The second minute is a margin, for a store whose clock is replaced by a slower one (a failover).
 */
const RETENTION_LEAST_MS = 2 * MINUTE_MS

/** Never written to: what `initial` has for a window. */
const ALWAYS: Window = Object.freeze({ start: 0, end: Number.POSITIVE_INFINITY })
/** Windows that a plan remembers, so that the current, the next and late refunds meet the same objects. */
const WINDOWS_KEPT = 8

/**
 * Checks a policy and fills in its defaults.
 * @throws TypeError for a wrong type, an unknown property or parts that do not go together; RangeError for a value out of range.
 * Each message names the argument, as in `policy.limit`.
 */
export function compilePolicy(policy: Policy): Plan {
  const checked = checkPolicy(policy)
  return checked.kind === 'initial' ? initialPlan(checked) : windowPlan(checked)
}

function initialPlan(policy: CheckedInitial): Plan {
  const limit = policy.initial
  const atRisk = policy.atRisk ?? 0
  // Units that come by mint are not known yet: with 5 % of nothing, no lease could ever be given.
  const burnMax = policy.burnMax ?? Math.max(burnMaxDefault(limit), atRisk)
  return {
    kind: 'initial',
    limit,
    atRisk,
    burnMax,
    durable: atRisk === 0,
    fingerprint: JSON.stringify(['initial', limit, atRisk, burnMax]),
    windowAt: () => ALWAYS,
    after: () => ALWAYS,
    rowPolicy: (_window, version) => ({ kind: 'initial', limit, burnMax, version, endsAt: null, keepUntil: null }),
  }
}

function windowPlan(policy: CheckedWindow): Plan {
  const { limit, per } = policy
  const atRisk = policy.atRisk ?? atRiskDefault(limit, per)
  const burnMax = policy.burnMax ?? burnMaxDefault(limit)
  const durable = policy.atRisk === 0 // a limit of 0 leaves nothing to lease, but makes no other promise
  const retentionMs = Math.max(policy.retentionMs ?? (isLong(per) ? RETENTION_DEFAULT_MS : 0), RETENTION_LEAST_MS)
  const calendar = calendarOf(per, policy.timeZone, policy.startDay)
  const windowAt = rememberingWindows(calendar)
  return {
    kind: 'window',
    limit,
    atRisk,
    burnMax,
    durable,
    fingerprint: JSON.stringify(['window', limit, atRisk, burnMax, durable, retentionMs, calendar]),
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

function rememberingWindows(calendar: Calendar): (time: number) => Window {
  const recent: Window[] = []
  return (time) => {
    for (const window of recent) if (time >= window.start && time < window.end) return window
    const window = windowHolding(calendar, time)
    if (recent.unshift(window) > WINDOWS_KEPT) recent.pop()
    return window
  }
}

function atRiskDefault(limit: number, per: Per): number {
  const onePercent = Math.ceil(limit / 100)
  return Math.min(limit, isShort(per) ? Math.max(32, onePercent) : onePercent)
}

function burnMaxDefault(limit: number): number {
  return Math.ceil(limit / 20)
}

/** Up to a minute. */
function isShort(per: Per): boolean {
  return typeof per === 'number' ? per <= MINUTE_MS : per === 'second' || per === 'minute'
}

/** A day or more. */
function isLong(per: Per): boolean {
  return typeof per === 'number' ? per >= DAY_MS : !isShort(per) && per !== 'hour'
}
