import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'

import { compilePolicy } from '../../src/core/policies/compile.ts'
import type { Policy } from '../../src/core/policy.ts'
import { UNITS_MAX } from '../../src/core/units.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const YEARS_100 = 36_525 * DAY

/** Called without types, as from JavaScript. */
const compileAnything = (policy: unknown): unknown => compilePolicy(policy as Policy)

function refusalOf(policy: unknown): unknown {
  try {
    compileAnything(policy)
    return null
  } catch (error) {
    return error
  }
}

describe('a bad policy is refused, and the error names the part', () => {
  test.each<[unknown, typeof TypeError | typeof RangeError, RegExp]>([
    [undefined, TypeError, /^policy must be an object/],
    [null, TypeError, /^policy must be an object/],
    [7, TypeError, /^policy must be an object/],
    [{}, TypeError, /policy\.initial or policy\.limit, got neither/],
    [{ initial: 1, limit: 1, per: 'day' }, TypeError, /got both/],
    [
      { initial: 1, colour: 'red' },
      TypeError,
      /^policy\.colour is not known; it has initial, limit, per, timeZone, startDay, retentionMs, atRisk, burnMax, warnAt, shadow$/,
    ],
    [{ initial: '3' }, TypeError, /^policy\.initial/],
    [{ initial: -1 }, RangeError, /^policy\.initial/],
    [{ initial: 1, per: 'day' }, TypeError, /^policy\.per does not go with policy\.initial/],
    [{ limit: null, per: 'day' }, TypeError, /^policy\.limit/],
    [{ limit: 0.5, per: 'day' }, RangeError, /^policy\.limit/],
    [{ limit: NaN, per: 'day' }, RangeError, /^policy\.limit/],
    [{ limit: 2 ** 53, per: 'day' }, RangeError, /^policy\.limit/],
    [
      { limit: 1 },
      TypeError,
      /^policy\.per must be one of second, minute, hour, day, week, month, year, or a number of ms, got undefined$/,
    ],
    [
      { limit: 1, per: 'fortnight' },
      RangeError,
      /^policy\.per must be one of second, minute, hour, day, week, month, year, or a number of ms, got "fortnight"$/,
    ],
    [{ limit: 1, per: 0 }, RangeError, /^policy\.per/],
    [{ limit: 1, per: 0.5 }, RangeError, /^policy\.per/],
    [{ limit: 1, per: YEARS_100 + 1 }, RangeError, /^policy\.per/],
    [{ limit: 1, per: 'day', timeZone: 'Mars/Olympus' }, RangeError, /^policy\.timeZone .*"Mars\/Olympus"/],
    [{ limit: 1, per: 'day', timeZone: '2020-01-01T00:00[Europe/Paris]' }, RangeError, /^policy\.timeZone/],
    [{ limit: 1, per: 'day', timeZone: '' }, RangeError, /^policy\.timeZone/],
    [{ limit: 1, per: 'day', timeZone: 1 }, TypeError, /^policy\.timeZone/],
    [{ limit: 1, per: 1_000, timeZone: 'Europe/Paris' }, TypeError, /^policy\.timeZone/],
    [{ limit: 1, per: 'day', startDay: 3 }, TypeError, /^policy\.startDay/],
    [{ limit: 1, per: 'month', startDay: '3' }, TypeError, /^policy\.startDay/],
    [{ limit: 1, per: 'month', startDay: 0 }, RangeError, /^policy\.startDay/],
    [{ limit: 1, per: 'month', startDay: 32 }, RangeError, /^policy\.startDay/],
    [{ limit: 1, per: 'day', retentionMs: -1 }, RangeError, /^policy\.retentionMs/],
    [{ limit: 1, per: 'day', retentionMs: '1d' }, TypeError, /^policy\.retentionMs/],
    [{ limit: 1, per: 'day', retentionMs: YEARS_100 + 1 }, RangeError, /^policy\.retentionMs/],
    [{ limit: 5, per: 'day', atRisk: 6 }, RangeError, /^policy\.atRisk .*5, got 6/],
    [{ limit: 5, per: 'day', atRisk: -1 }, RangeError, /^policy\.atRisk/],
    [{ limit: 5, per: 'day', burnMax: 1.5 }, RangeError, /^policy\.burnMax/],
    [{ initial: 5, burnMax: '1' }, TypeError, /^policy\.burnMax/],
  ])('%j', (policy, error, message) => {
    expect(() => compileAnything(policy)).toThrow(error)
    expect(() => compileAnything(policy)).toThrow(message)
  })

  test('any value is compiled, or refused with a TypeError or RangeError', () => {
    const part = fc.oneof(fc.anything(), fc.constantFrom('day', 'month', 'UTC', 0, 1, 31, 100))
    const policies = fc.record(
      {
        initial: part,
        limit: part,
        per: part,
        timeZone: part,
        startDay: part,
        retentionMs: part,
        atRisk: part,
        burnMax: part,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(policies, fc.anything()), (policy) => {
        expect(refusalOf(policy)).toSatisfy(
          (refusal) => refusal === null || refusal instanceof TypeError || refusal instanceof RangeError,
        )
      }),
    )
  })
})

test('a refused time zone has the error of the platform as its cause', () => {
  expect(refusalOf({ limit: 1, per: 'day', timeZone: 'Mars/Olympus' })).toMatchObject({
    cause: expect.any(RangeError) as RangeError,
  })
})

test.each(['+2', '+2:00', '+24:00', '+02:60', '+02:00:00', '\u221202:00', '-', '+02:00[Europe/Berlin]'])(
  'the offset %s is refused, as on every other version of Node',
  (timeZone) => {
    const error = refusalOf({ limit: 1, per: 'day', timeZone })
    expect(error).toBeInstanceOf(RangeError)
    expect(String(error)).toContain(`policy.timeZone must be an IANA time zone such as 'Europe/Berlin', or an offset`)
  },
)

test('an undefined part counts as absent', () => {
  const absent = { initial: undefined, timeZone: undefined, startDay: undefined, atRisk: undefined, colour: undefined }
  expect(compilePolicy({ ...absent, limit: 60, per: 'day' } as unknown as Policy).fingerprint).toBe(
    compilePolicy({ limit: 60, per: 'day' }).fingerprint,
  )
})

describe('limits at their bounds are accepted', () => {
  test.each<Policy>([
    { initial: 0 },
    { initial: UNITS_MAX },
    { limit: 0, per: 1 },
    { limit: UNITS_MAX, per: YEARS_100, atRisk: UNITS_MAX, burnMax: UNITS_MAX, retentionMs: YEARS_100 },
    { limit: 1, per: 'month', startDay: 31, timeZone: 'Asia/Kathmandu' },
  ])('%j', (policy) => {
    expect(() => compilePolicy(policy)).not.toThrow()
  })
})

describe('defaults', () => {
  test('an `initial` budget is durable by default', () => {
    expect(compilePolicy({ initial: 500 })).toMatchObject({
      kind: 'initial',
      limit: 500,
      atRisk: 0,
      burnMax: 25,
      durable: true,
    })
  })
  test('an `initial` budget of 0 with atRisk may lease minted units', () => {
    expect(compilePolicy({ initial: 0, atRisk: 100 })).toMatchObject({ atRisk: 100, burnMax: 100, durable: false })
  })
  test.each<[Policy, number, number]>([
    [{ limit: 1_000_000, per: 'month' }, 10_000, 50_000],
    [{ limit: 101, per: 'hour' }, 2, 6],
    [{ limit: 60, per: 'minute' }, 32, 3],
    [{ limit: 60, per: 60_000 }, 32, 3],
    [{ limit: 60, per: 60_001 }, 1, 3],
    [{ limit: 10, per: 'second' }, 10, 1],
    [{ limit: 10_000, per: 'second' }, 100, 500],
    [{ limit: 1, per: 'year' }, 1, 1],
  ])('%j puts %i at risk and burns at most %i', (policy, atRisk, burnMax) => {
    expect(compilePolicy(policy)).toMatchObject({ kind: 'window', atRisk, burnMax, durable: false })
  })
  test('a limit of 0 has nothing to lease, and is durable only when declared so', () => {
    expect(compilePolicy({ limit: 0, per: 'day' })).toMatchObject({ atRisk: 0, durable: false })
    expect(compilePolicy({ limit: 0, per: 'day', atRisk: 0 })).toMatchObject({ atRisk: 0, durable: true })
  })
})

describe('fingerprints', () => {
  const same: [Policy, Policy][] = [
    [
      { limit: 60, per: 'minute' },
      { limit: 60, per: 60_000, atRisk: 32, burnMax: 3 },
    ],
    [
      { limit: 60, per: 'day', timeZone: 'UTC' },
      { limit: 60, per: 'day', retentionMs: 400 * DAY },
    ],
    [
      { limit: 60, per: 'day', timeZone: 'europe/berlin' },
      { limit: 60, per: 'day', timeZone: 'Europe/Berlin' },
    ],
    [
      { limit: 60, per: 'month', startDay: 1 },
      { limit: 60, per: 'month', timeZone: 'Etc/UTC' },
    ],
    [
      { limit: 60, per: 'second', retentionMs: 0 },
      { limit: 60, per: 'second', retentionMs: 90_000 },
    ],
    [{ initial: 500 }, { initial: 500, atRisk: 0, burnMax: 25 }],
    [
      { limit: 60, per: 'day', timeZone: '+02:00' },
      { limit: 60, per: 'day', timeZone: '+0200' },
    ],
    [
      { limit: 60, per: 'day', timeZone: '+02' },
      { limit: 60, per: 'day', timeZone: '+02:00' },
    ],
    [
      { limit: 60, per: 'day', timeZone: '-00:00' },
      { limit: 60, per: 'day' },
    ],
  ]
  test.each(same)('%j is %j', (one, other) => {
    expect(compilePolicy(one).fingerprint).toBe(compilePolicy(other).fingerprint)
  })
  const different: [Policy, Policy][] = [
    [{ initial: 500 }, { initial: 501 }],
    [{ initial: 500 }, { limit: 500, per: 'year' }],
    [
      { limit: 60, per: 'week' },
      { limit: 60, per: 7 * DAY },
    ],
    [
      { limit: 60, per: 'day' },
      { limit: 60, per: 'day', timeZone: 'Asia/Tokyo' },
    ],
    [
      { limit: 60, per: 'day', timeZone: '+02:00' },
      { limit: 60, per: 'day', timeZone: '-02:00' },
    ],
    [
      { limit: 60, per: 'month' },
      { limit: 60, per: 'month', startDay: 2 },
    ],
    [
      { limit: 60, per: 'day' },
      { limit: 60, per: 'day', atRisk: 2 },
    ],
    [
      { limit: 60, per: 'day' },
      { limit: 60, per: 'day', burnMax: 4 },
    ],
    [
      { limit: 0, per: 'day' },
      { limit: 0, per: 'day', atRisk: 0 },
    ],
  ]
  test.each(different)('%j is not %j', (one, other) => {
    expect(compilePolicy(one).fingerprint).not.toBe(compilePolicy(other).fingerprint)
  })
})

describe('windows', () => {
  test('the same period gives the same window object', () => {
    const plan = compilePolicy({ limit: 1, per: 'minute' })
    const first = plan.windowAt(5)
    expect(first).toEqual({ start: 0, end: MINUTE })
    expect(plan.windowAt(MINUTE - 1)).toBe(first)
    const second = plan.after(first)
    expect(second).toEqual({ start: MINUTE, end: 2 * MINUTE })
    expect(plan.windowAt(MINUTE)).toBe(second)
    expect(plan.windowAt(0)).toBe(first)
  })
  test('the last eight periods are cached, and the oldest is evicted first', () => {
    const plan = compilePolicy({ limit: 1, per: 'minute' })
    const windows = Array.from({ length: 8 }, (_, at) => plan.windowAt(at * MINUTE))
    for (const [at, window] of windows.entries()) expect(plan.windowAt(at * MINUTE)).toBe(window)
    const ninth = plan.windowAt(8 * MINUTE)
    for (const [at, window] of windows.entries()) if (at > 0) expect(plan.windowAt(at * MINUTE)).toBe(window)
    expect(plan.windowAt(8 * MINUTE)).toBe(ninth)
    expect(plan.windowAt(0)).toEqual(windows[0])
    expect(plan.windowAt(0)).not.toBe(windows[0])
  })
  test('an offset is a time zone, on every version of Node', () => {
    const { windowAt } = compilePolicy({ limit: 1, per: 'day', timeZone: '+05:30' })
    expect(windowAt(Date.parse('2026-11-22T18:29Z'))).toEqual({
      start: Date.parse('2026-11-21T18:30Z'),
      end: Date.parse('2026-11-22T18:30Z'),
    })
  })
  test('a time zone is looked up once, and its windows are computed once, whatever the limits', () => {
    const compiled = (limit: number) => compilePolicy({ limit, per: 'month', timeZone: 'Antarctica/Troll' })
    const time = Date.parse('2026-11-22')
    const window = compiled(1).windowAt(time)
    const lookUps = vi.spyOn(Intl, 'DateTimeFormat')
    try {
      const plans = Array.from({ length: 1_000 }, (_, at) => compiled(2 + at))
      for (const plan of plans) expect(plan.windowAt(time)).toBe(window)
      expect(lookUps).not.toHaveBeenCalled()
    } finally {
      lookUps.mockRestore()
    }
  })
  test('a budget without windows has one endless window', () => {
    const plan = compilePolicy({ initial: 1 })
    const window = plan.windowAt(Date.parse('2026-11-22'))
    expect(window).toEqual({ start: 0, end: Number.POSITIVE_INFINITY })
    expect(plan.after(window)).toBe(window)
  })
})

describe('S4, S10: the policy of a row in the store', () => {
  const keptMs = (policy: Policy): number => {
    const plan = compilePolicy(policy)
    const window = plan.windowAt(Date.parse('2024-02-10'))
    return (plan.rowPolicy(window, 7).keepUntil ?? Number.NaN) - window.end
  }
  test('S4: a window policy gives its limit, burnMax, version, end and retention', () => {
    const plan = compilePolicy({ limit: 100, per: 'hour' })
    expect(plan.rowPolicy(plan.windowAt(1), 7)).toEqual({
      kind: 'window',
      limit: 100,
      burnMax: 5,
      version: 7,
      endsAt: 60 * MINUTE,
      keepUntil: 120 * MINUTE,
    })
  })
  test('S10: a row without windows is kept for ever', () => {
    const plan = compilePolicy({ initial: 100 })
    expect(plan.rowPolicy(plan.windowAt(1), 7)).toEqual({
      kind: 'initial',
      limit: 100,
      burnMax: 5,
      version: 7,
      endsAt: null,
      keepUntil: null,
    })
  })
  test('S10: a row is kept for one minute after the last moment at which it could be created', () => {
    expect(keptMs({ limit: 1, per: 1 })).toBe(2 * MINUTE)
    expect(keptMs({ limit: 1, per: 'second', retentionMs: 0 })).toBe(2 * MINUTE)
  })
  test('S10: a row is kept for at least one period', () => {
    expect(keptMs({ limit: 1, per: 'hour' })).toBe(60 * MINUTE)
    expect(keptMs({ limit: 1, per: 'month', retentionMs: 0 })).toBe(29 * DAY)
  })
  test('S10: rows of a day or longer are kept for 400 days by default', () => {
    expect(keptMs({ limit: 1, per: 'day' })).toBe(400 * DAY)
    expect(keptMs({ limit: 1, per: DAY })).toBe(400 * DAY)
    expect(keptMs({ limit: 1, per: DAY - 1 })).toBe(DAY - 1)
    expect(keptMs({ limit: 1, per: 'day', retentionMs: 3 * DAY })).toBe(3 * DAY)
  })
})
