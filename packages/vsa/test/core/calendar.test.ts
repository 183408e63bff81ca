import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { type Calendar, type Window, calendarOf, windowHolding } from '../../src/core/calendar.ts'
import type { CalendarUnit, Per } from '../../src/core/policy.ts'
import { rounds } from '../rounds.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const UNITS: readonly CalendarUnit[] = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year']
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo', // midnight left out, until 2018
  'America/St_Johns', // -3:30, and clocks that moved at 00:01
  'America/Havana', // midnight twice
  'Asia/Kolkata', // +5:30
  'Asia/Kathmandu', // +5:45
  'Australia/Lord_Howe', // moves by 30 minutes
  'Pacific/Apia', // left out 30 December 2011
  'Pacific/Chatham', // +12:45
  'Africa/Monrovia', // -0:44:30 until 1972
  'Africa/Casablanca',
  'Asia/Gaza',
  'America/Caracas', // -4:30 until 2016, and moved at 02:30
  '+02:00',
  '-03:30',
]
/** Irregular clock changes in the zones above. */
const EDGES = [
  '2024-03-10T07:00Z',
  '2024-11-03T06:00Z',
  '2018-11-04T03:00Z',
  '2006-10-29T02:31Z',
  '2006-04-02T03:31Z',
  '2023-11-05T05:00Z',
  '2024-04-06T15:00Z',
  '2024-10-05T15:30Z',
  '2011-12-30T10:00Z',
  '1972-01-07T00:44:30Z',
  '2024-03-31T01:00Z',
  '2023-04-29T00:00Z',
  '2016-05-01T07:00Z',
].map((text) => Date.parse(text))

const calendars = fc
  .record({
    per: fc.oneof(fc.constantFrom<Per>(...UNITS), fc.integer({ min: 1, max: 400 * DAY })),
    timeZone: fc.constantFrom(...ZONES),
    startDay: fc.integer({ min: 1, max: 31 }),
  })
  .map(({ per, timeZone, startDay }) => ({ per, calendar: calendarOf(per, timeZone, per === 'month' ? startDay : 1) }))
const times = fc.oneof(
  fc.integer({ min: 0, max: Date.parse('2080-01-01') }),
  fc.tuple(fc.constantFrom(...EDGES), fc.integer({ min: -2 * DAY, max: 2 * DAY })).map(([edge, away]) => edge + away),
  fc
    .tuple(fc.constantFrom(...EDGES), fc.integer({ min: -90 * 60_000, max: 90 * 60_000 }))
    .map(([edge, away]) => edge + away),
)

const windowOf = (per: Per, timeZone: string, time: string, startDay = 1): Window =>
  windowHolding(calendarOf(per, timeZone, startDay), Date.parse(time))
const iso = ({ start, end }: Window): readonly string[] => [new Date(start).toISOString(), new Date(end).toISOString()]
const hours = ({ start, end }: Window): number => (end - start) / HOUR

describe('windows tile time', () => {
  test('every time is in exactly one window, and each window ends where the next one starts', () => {
    fc.assert(
      fc.property(calendars, times, ({ calendar }, time) => {
        const window = windowHolding(calendar, time)
        expect(window.start).toBeLessThanOrEqual(time)
        expect(window.end).toBeGreaterThan(time)
        expect(windowHolding(calendar, window.start)).toEqual(window)
        expect(windowHolding(calendar, window.end - 1)).toEqual(window)
        expect(windowHolding(calendar, window.end).start).toBe(window.end)
        expect(windowHolding(calendar, window.start - 1).end).toBe(window.start)
        expect(windowHolding(calendar, window.start + Math.floor((window.end - window.start) / 2))).toEqual(window)
      }),
      { numRuns: rounds(400) },
    )
  })

  test('no clock window is longer than its unit, and no date window differs from its unit by more than a day', () => {
    fc.assert(
      fc.property(calendars, times, ({ per, calendar }, time) => {
        const { start, end } = windowHolding(calendar, time)
        expect(end - start).toBeLessThanOrEqual(typeof per === 'number' ? per : longestMs[per])
        const isCut = calendar.kind === 'clock' // where the offset changes by part of a unit
        expect(end - start).toBeGreaterThanOrEqual(isCut ? 1 : typeof per === 'number' ? per : shortestMs[per])
      }),
      { numRuns: 500 },
    )
  })

  test('consecutive windows have no gap at any irregular clock change', () => {
    for (const timeZone of ZONES)
      for (const unit of ['hour', 'day'] as const) {
        const calendar: Calendar = calendarOf(unit, timeZone, 1)
        for (const edge of EDGES) {
          let window = windowHolding(calendar, edge - 2 * DAY)
          while (window.end < edge + 2 * DAY) {
            const next = windowHolding(calendar, window.end)
            expect(next.start, `${timeZone} ${unit}`).toBe(window.end)
            window = next
          }
        }
      }
  })
})

const DATE_SLACK = DAY + HOUR
const longestMs: Readonly<Record<CalendarUnit, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: HOUR,
  day: DAY + 2 * HOUR,
  week: 7 * DAY + DATE_SLACK,
  month: 31 * DAY + DATE_SLACK,
  year: 366 * DAY + DATE_SLACK,
}
const shortestMs: Readonly<Record<CalendarUnit, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: HOUR,
  day: DAY - 2 * HOUR,
  week: 7 * DAY - DATE_SLACK,
  month: 28 * DAY - DATE_SLACK,
  year: 365 * DAY - DATE_SLACK,
}

describe('fixed lengths are counted from 1970', () => {
  test('a window of milliseconds starts at a multiple of its length', () => {
    expect(windowHolding(calendarOf(7, 'UTC', 1), 20)).toEqual({ start: 14, end: 21 })
    expect(windowHolding(calendarOf(1, 'UTC', 1), 20)).toEqual({ start: 20, end: 21 })
  })
  test('a fractional time is in the window of its whole ms', () => {
    expect(windowHolding(calendarOf(7, 'UTC', 1), 20.999)).toEqual({ start: 14, end: 21 })
  })
  test('windows extend before 1970', () => {
    expect(windowHolding(calendarOf(1_000, 'UTC', 1), -1)).toEqual({ start: -1_000, end: 0 })
  })
  test('calendar units of UTC have fixed lengths', () => {
    expect(calendarOf('minute', 'UTC', 1)).toEqual(calendarOf(60_000, 'UTC', 1))
    expect(calendarOf('day', 'UTC', 1)).toEqual(calendarOf(DAY, 'UTC', 1))
    expect(calendarOf('second', 'Asia/Kathmandu', 1)).toEqual(calendarOf(1_000, 'UTC', 1))
    expect(calendarOf('week', 'UTC', 1)).toMatchObject({ kind: 'fixed', lengthMs: 7 * DAY })
    expect(iso(windowOf('week', 'UTC', '2026-11-22T12:00Z'))).toEqual([
      '2026-11-16T00:00:00.000Z',
      '2026-11-23T00:00:00.000Z',
    ])
  })
})

describe('zones with irregular offsets', () => {
  test('an hour of Kolkata begins at half past in UTC, and one of Kathmandu at a quarter past', () => {
    expect(iso(windowOf('hour', 'Asia/Kolkata', '2024-05-05T10:45Z'))).toEqual([
      '2024-05-05T10:30:00.000Z',
      '2024-05-05T11:30:00.000Z',
    ])
    expect(iso(windowOf('hour', 'Asia/Kathmandu', '2024-05-05T10:45Z'))).toEqual([
      '2024-05-05T10:15:00.000Z',
      '2024-05-05T11:15:00.000Z',
    ])
  })
  test('a minute of Monrovia began at half past in 1971', () => {
    expect(iso(windowOf('minute', 'Africa/Monrovia', '1971-06-01T00:00:10Z'))).toEqual([
      '1971-05-31T23:59:30.000Z',
      '1971-06-01T00:00:30.000Z',
    ])
  })
  test('a repeated hour has two windows, and a skipped hour has none', () => {
    expect(hours(windowOf('hour', 'Europe/Berlin', '2024-10-27T00:30Z'))).toBe(1)
    expect(hours(windowOf('hour', 'Europe/Berlin', '2024-10-27T01:30Z'))).toBe(1)
    expect(hours(windowOf('hour', 'Europe/Berlin', '2024-03-31T01:30Z'))).toBe(1)
  })
  test('a clock change of half an hour shortens the hour', () => {
    expect(hours(windowOf('hour', 'Australia/Lord_Howe', '2024-04-06T15:10Z'))).toBe(0.5)
    expect(hours(windowOf('hour', 'Australia/Lord_Howe', '2024-10-05T15:40Z'))).toBe(0.5)
  })
  test('a clock change of half an hour in the middle of an hour starts a new hour', () => {
    const before = windowOf('hour', 'America/Caracas', '2016-05-01T06:40Z')
    expect(iso(before)).toEqual(['2016-05-01T06:30:00.000Z', '2016-05-01T07:00:00.000Z'])
    expect(windowOf('hour', 'America/Caracas', '2016-05-01T06:59:59.999Z')).toEqual(before)
    expect(iso(windowOf('hour', 'America/Caracas', '2016-05-01T07:00Z'))).toEqual([
      '2016-05-01T07:00:00.000Z',
      '2016-05-01T08:00:00.000Z',
    ])
    expect(iso(windowOf('hour', 'Asia/Pyongyang', '2018-05-04T14:59Z'))).toEqual([
      '2018-05-04T14:30:00.000Z',
      '2018-05-04T15:00:00.000Z',
    ])
  })
})

describe('days', () => {
  test('a day may have 23 or 25 hours', () => {
    expect(hours(windowOf('day', 'America/New_York', '2024-03-10T12:00Z'))).toBe(23)
    expect(hours(windowOf('day', 'America/New_York', '2024-11-03T12:00Z'))).toBe(25)
    expect(hours(windowOf('day', 'America/New_York', '2024-11-04T12:00Z'))).toBe(24)
    expect(hours(windowOf('day', 'Australia/Lord_Howe', '2024-10-06T12:00+11:00'))).toBe(23.5)
  })
  test('a day without midnight begins at 01:00', () => {
    expect(iso(windowOf('day', 'America/Sao_Paulo', '2018-11-04T12:00Z'))).toEqual([
      '2018-11-04T03:00:00.000Z',
      '2018-11-05T02:00:00.000Z',
    ])
  })
  test('a day with two midnights begins at the first', () => {
    expect(iso(windowOf('day', 'America/Havana', '2023-11-05T12:00Z'))).toEqual([
      '2023-11-05T04:00:00.000Z',
      '2023-11-06T05:00:00.000Z',
    ])
  })
  test('a day does not end when the clock goes back over midnight', () => {
    const sunday = windowOf('day', 'America/St_Johns', '2006-10-29T02:30:30Z') // 00:00:30 on Sunday, then 23:01 on Saturday
    expect(windowOf('day', 'America/St_Johns', '2006-10-29T03:00Z')).toEqual(sunday)
    expect(hours(sunday)).toBe(25)
  })
  test('a date that a zone skipped has no window', () => {
    expect(iso(windowOf('day', 'Pacific/Apia', '2011-12-30T09:59Z'))).toEqual([
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
    ])
    expect(iso(windowOf('day', 'Pacific/Apia', '2011-12-30T10:00Z'))).toEqual([
      '2011-12-30T10:00:00.000Z',
      '2011-12-31T10:00:00.000Z',
    ])
  })
})

describe('weeks, months, years', () => {
  test('a week begins on Monday in its time zone', () => {
    expect(iso(windowOf('week', 'Europe/Berlin', '2024-03-31T12:00Z'))).toEqual([
      '2024-03-24T23:00:00.000Z',
      '2024-03-31T22:00:00.000Z',
    ])
  })
  test('a month has 28 to 31 days', () => {
    expect(hours(windowOf('month', 'UTC', '2023-02-10T00:00Z')) / 24).toBe(28)
    expect(hours(windowOf('month', 'UTC', '2024-02-10T00:00Z')) / 24).toBe(29)
    expect(hours(windowOf('month', 'UTC', '2024-04-30T23:59Z')) / 24).toBe(30)
    expect(hours(windowOf('month', 'UTC', '2024-12-31T23:59Z')) / 24).toBe(31)
  })
  test.each([
    [31, '2023-02-27T12:00Z', '2023-01-31', '2023-02-28'],
    [31, '2023-02-28T00:00Z', '2023-02-28', '2023-03-31'],
    [31, '2023-03-30T00:00Z', '2023-02-28', '2023-03-31'],
    [30, '2024-02-29T00:00Z', '2024-02-29', '2024-03-30'],
    [29, '2024-02-28T23:59Z', '2024-01-29', '2024-02-29'],
    [29, '2023-03-01T00:00Z', '2023-02-28', '2023-03-29'],
    [15, '2024-01-14T23:59Z', '2023-12-15', '2024-01-15'],
    [31, '2024-01-01T00:00Z', '2023-12-31', '2024-01-31'],
  ])('a billing month from day %i holds %s', (startDay, time, start, end) => {
    expect(iso(windowOf('month', 'UTC', time, startDay))).toEqual([`${start}T00:00:00.000Z`, `${end}T00:00:00.000Z`])
  })
  test('a year begins in its time zone', () => {
    expect(iso(windowOf('year', 'Pacific/Kiritimati', '2024-12-31T12:00Z'))).toEqual([
      '2024-12-31T10:00:00.000Z',
      '2025-12-31T10:00:00.000Z',
    ])
  })
})
