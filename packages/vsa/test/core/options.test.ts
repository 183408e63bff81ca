import { describe, expect, test } from 'vitest'
import { assertBoolean, assertFunction, assertMethods, assertOneOf, assertOptions } from '../../src/core/options.ts'
import { nearest } from '../../src/core/nearest.ts'
import { assertWhole } from '../../src/core/units.ts'

describe('options', () => {
  const KNOWN = ['flushIntervalMs', 'deadlineMs', 'thread', 'store']

  test.each([
    ['flushInterval', 'options.flushInterval is not known; did you mean flushIntervalMs?'],
    ['deadlinems', 'options.deadlinems is not known; did you mean deadlineMs?'],
    ['interval', 'options.interval is not known; did you mean flushIntervalMs?'],
    ['threads', 'options.threads is not known; did you mean thread?'],
    ['colour', 'options.colour is not known; it has flushIntervalMs, deadlineMs, thread, store'],
    ['toString', 'options.toString is not known; it has flushIntervalMs, deadlineMs, thread, store'],
  ])('an unknown %s is refused, and the nearest known one is named', (name, message) => {
    expect(() => assertOptions('options', { [name]: 1 }, KNOWN)).toThrow(new TypeError(message))
  })

  test('an option that is undefined counts as absent', () => {
    expect(() => assertOptions('options', { flushInterval: undefined, store: 1 }, KNOWN)).not.toThrow()
    expect(() => assertOptions('options', {}, KNOWN)).not.toThrow()
  })

  test.each([null, undefined, 7, 'x', [], () => 1])('%o is no options object', (value) => {
    expect(() => assertOptions('options', value, KNOWN)).toThrow(/^options must be an object, got /)
  })

  test('a wrong type is named with what was expected', () => {
    expect(() => assertFunction('options.onEvent', 5n)).toThrow(
      new TypeError('options.onEvent must be a function, got 5n'),
    )
    expect(() => assertBoolean('options.thread', 'no')).toThrow(
      new TypeError('options.thread must be a boolean, got "no"'),
    )
    expect(() => assertOneOf('how', 'never', ['refuse', 'hang'])).toThrow(
      new TypeError('how must be one of refuse, hang, got "never"'),
    )
    expect(() => assertMethods('options.clock', Date, 'a clock', ['now', 'timer'])).toThrow(
      new TypeError('options.clock must be a clock: a function without timer()'),
    )
    expect(() => assertMethods('options.clock', null, 'a clock', ['now'])).toThrow(
      new TypeError('options.clock must be a clock, got null'),
    )
    expect(() => assertMethods('options.clock', { now: () => 1 }, 'a clock', ['now'])).not.toThrow()
  })

  test('a whole number is checked at its bounds, and the message says what it counts', () => {
    const bounds = { min: 1, max: 9, of: 'requests' }
    for (const value of [1, 9]) expect(() => assertWhole('options.waitersMax', value, bounds)).not.toThrow()
    for (const value of [0, 10, 1.5, Number.NaN]) {
      expect(() => assertWhole('options.waitersMax', value, bounds)).toThrow(
        new RangeError(`options.waitersMax must be a whole number of requests from 1 to 9, got ${value}`),
      )
    }
    expect(() => assertWhole('seed', 1n, { min: 0 })).toThrow(new TypeError('seed must be a number, got 1n'))
    expect(() => assertWhole('seed', -1, { min: 0 })).toThrow(
      new RangeError('seed must be a whole number from 0 to 2^53 - 1, got -1'),
    )
  })
})

describe('the nearest name', () => {
  test.each([
    ['--jsn', ['--json', '--help'], '--json'],
    ['JSON', ['json', 'help'], 'json'],
    ['timeout', ['exchangeTimeoutMs', 'store'], 'exchangeTimeoutMs'],
    ['out', ['exchangeTimeoutMs', 'store'], undefined],
    ['x', ['json', 'help'], undefined],
  ])('to %s among %j is %s', (typed, known, name) => {
    expect(nearest(typed, known)).toBe(name)
  })
})
