import { Temporal } from 'temporal-polyfill'

import type { Per } from './policy.ts'

/** A period: from `start` up to, but not with, `end`; both ms since 1970. A budget without windows has one from 0 to Infinity. */
export interface Window {
  readonly start: number
  readonly end: number
}

/**
 * How time is divided into windows, in a canonical form: equal windows have equal calendars.
 * `fixed`: equal lengths in ms. `clock`: minutes or hours of a zone's wall clock. `dates`: days and longer of a zone.
 */
export type Calendar =
  | { readonly kind: 'fixed'; readonly lengthMs: number; readonly originMs: number }
  | { readonly kind: 'clock'; readonly lengthMs: number; readonly timeZone: string }
  | { readonly kind: 'dates'; readonly unit: DateUnit; readonly timeZone: string; readonly startDay: number }

type DateUnit = 'day' | 'week' | 'month' | 'year'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Monday, 29 December 1969. */
const MONDAY_MS = -3 * DAY_MS

/** The calendar of a policy whose parts have been checked. `timeZone` is canonical, `startDay` 1 to 31. */
export function calendarOf(per: Per, timeZone: string, startDay: number): Calendar {
  if (typeof per === 'number') return fixed(per)
  const isUtc = timeZone === 'UTC'
  switch (per) {
    case 'second':
      return fixed(SECOND_MS) // every offset is a whole number of seconds
    case 'minute':
      return isUtc ? fixed(MINUTE_MS) : { kind: 'clock', lengthMs: MINUTE_MS, timeZone }
    case 'hour':
      return isUtc ? fixed(HOUR_MS) : { kind: 'clock', lengthMs: HOUR_MS, timeZone }
    case 'day':
      return isUtc ? fixed(DAY_MS) : { kind: 'dates', unit: per, timeZone, startDay: 1 }
    case 'week':
      return isUtc ? fixed(7 * DAY_MS, MONDAY_MS) : { kind: 'dates', unit: per, timeZone, startDay: 1 }
    case 'month':
    case 'year':
      return { kind: 'dates', unit: per, timeZone, startDay }
  }
}

/** The window that contains `time` (ms since 1970). Windows have no gaps: each ends where the next one starts. */
export function windowHolding(calendar: Calendar, time: number): Window {
  const at = Math.floor(time)
  switch (calendar.kind) {
    case 'fixed': {
      const start = at - modulo(at - calendar.originMs, calendar.lengthMs)
      return { start, end: start + calendar.lengthMs }
    }
    case 'clock':
      return clockWindow(calendar.lengthMs, calendar.timeZone, at)
    case 'dates':
      return datesWindow(calendar.unit, calendar.timeZone, calendar.startDay, at)
  }
}

function fixed(lengthMs: number, originMs = 0): Calendar {
  return { kind: 'fixed', lengthMs, originMs }
}

/**
 * Only the part of the offset below one unit matters, its phase: a repeated or skipped hour moves no edge.
 * Where the phase itself changes (Lord Howe Island moves by 30 minutes) the change shortens a window, so that no window is too long.
 */
function clockWindow(lengthMs: number, timeZone: string, at: number): Window {
  const phaseAt = (time: number): number => modulo(offsetAt(timeZone, time), lengthMs)
  const phase = phaseAt(at)
  const start = at - modulo(at + phase, lengthMs)
  const end = start + lengthMs
  const isOurs = (time: number): boolean => phaseAt(time) === phase
  return {
    start: isOurs(start) ? start : firstWhere(start, at, isOurs),
    end: isOurs(end - 1) ? end : firstWhere(at, end - 1, (time) => !isOurs(time)),
  }
}

/**
 * An edge is the first instant of a date that begins a unit. A clock may go back over midnight (St. John's, at 00:01) or skip a
 * whole date (Samoa). So the window is found by its edges, not by the local date.
 */
function datesWindow(unit: DateUnit, timeZone: string, startDay: number, at: number): Window {
  let date = firstDate(unit, startDay, zoned(timeZone, at).toPlainDate())
  let start = firstInstant(timeZone, date)
  for (;;) {
    date = followingDate(unit, startDay, date)
    const end = firstInstant(timeZone, date)
    if (end > at) return { start, end }
    start = end
  }
}

/** The latest date, no later than `date`, on which a unit begins. */
function firstDate(unit: DateUnit, startDay: number, date: Temporal.PlainDate): Temporal.PlainDate {
  switch (unit) {
    case 'day':
      return date
    case 'week':
      return date.subtract({ days: date.dayOfWeek - 1 })
    case 'month': {
      const begin = date.with({ day: startDay })
      return Temporal.PlainDate.compare(begin, date) <= 0
        ? begin
        : begin.subtract({ months: 1 }).with({ day: startDay })
    }
    case 'year':
      return date.with({ month: 1, day: 1 })
  }
}

/** The date on which the unit after the one that begins on `date` begins. A start day beyond the month's end is its last day. */
function followingDate(unit: DateUnit, startDay: number, date: Temporal.PlainDate): Temporal.PlainDate {
  switch (unit) {
    case 'day':
      return date.add({ days: 1 })
    case 'week':
      return date.add({ days: 7 })
    case 'month':
      return date.add({ months: 1 }).with({ day: startDay })
    case 'year':
      return date.add({ years: 1 })
  }
}

function zoned(timeZone: string, time: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone)
}

function firstInstant(timeZone: string, date: Temporal.PlainDate): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds
}

function offsetAt(timeZone: string, time: number): number {
  return zoned(timeZone, time).offsetNanoseconds / 1_000_000
}

/** The first time in `(from, to]` for which `holds` is true. It must be false at `from`, true at `to`, and change once between. */
function firstWhere(from: number, to: number, holds: (time: number) => boolean): number {
  let before = from
  let after = to
  while (after - before > 1) {
    const middle = before + Math.floor((after - before) / 2)
    if (holds(middle)) after = middle
    else before = middle
  }
  return after
}

function modulo(value: number, divisor: number): number {
  const rest = value % divisor
  return rest < 0 ? rest + divisor : rest
}
