import { describe, expect, test } from 'vitest'
import { assertKey, KEY_LENGTH_MAX } from '../../src/core/key.ts'
import { assertUnits, describe as described, isUnits, UNITS_MAX } from '../../src/core/units.ts'

describe('units', () => {
  test.each([0, 1, UNITS_MAX])('%d is a number of units', (units) => {
    expect(isUnits(units)).toBe(true)
    expect(() => assertUnits('units', units)).not.toThrow()
  })

  test.each([-1, 0.5, UNITS_MAX + 1, Number.NaN, Infinity, '1', null, undefined, 1n])(
    '%o is not a number of units',
    (units) => {
      expect(isUnits(units)).toBe(false)
      expect(() => assertUnits('units', units)).toThrow(/^units must be /)
    },
  )

  test('a wrong type is a TypeError and a wrong amount a RangeError, and both name the argument', () => {
    expect(() => assertUnits('units', '3')).toThrow(new TypeError('units must be a number of units, got "3"'))
    expect(() => assertUnits('units', 0.5)).toThrow(
      new RangeError('units must be a whole number of units from 0 to 2^53 - 1, got 0.5'),
    )
  })

  test('the minimum is accepted, and one less is refused', () => {
    expect(() => assertUnits('waitersMax', 1, 1)).not.toThrow()
    expect(() => assertUnits('waitersMax', 0, 1)).toThrow(
      new RangeError('waitersMax must be a whole number of units from 1 to 2^53 - 1, got 0'),
    )
  })
})

describe('an error message shows a bad argument short and escaped', () => {
  test.each([
    ['a"b', '"a\\"b"'],
    ['x'.repeat(40), `"${'x'.repeat(40)}"`],
    ['x'.repeat(41), `"${'x'.repeat(40)}…"`],
    [null, 'null'],
    [undefined, 'undefined'],
    [7, '7'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [{ toString: () => 'secret' }, 'an object'],
    [['secret'], 'an array'],
    [5n, '5n'],
    [() => 'secret', 'a function'],
  ])('%o', (value, shown) => {
    expect(described(value)).toBe(shown)
  })
})

describe('keys', () => {
  test.each([
    'a',
    ' ',
    '\0',
    '🦀',
    'x'.repeat(KEY_LENGTH_MAX),
    '🦀'.repeat(512),
    '\0'.repeat(1024),
    `${'語'.repeat(853)}a`,
  ])('%j is a key', (key) => {
    expect(() => assertKey('key', key)).not.toThrow()
  })

  test.each<[unknown, Error]>([
    [7, new TypeError('key must be a string, got 7')],
    [undefined, new TypeError('key must be a string, got undefined')],
    ['', new RangeError('key must have 1 to 1024 characters, got 0')],
    ['x'.repeat(1025), new RangeError('key must have 1 to 1024 characters, got 1025')],
    ['語'.repeat(854), new RangeError('key must have at most 2560 bytes of UTF-8, got 2562')],
    ['a\uD800', new TypeError('key must be well-formed Unicode, got "a\\ud800"')],
  ])('%j is not a key', (key, error) => {
    expect(() => assertKey('key', key)).toThrow(error)
  })

  test('a part of a key has a shorter limit', () => {
    const rest = `${'x'.repeat(KEY_LENGTH_MAX - 4)}:`
    expect(() => assertKey('id', 'abc', rest)).not.toThrow()
    expect(() => assertKey('id', 'abcd', rest)).toThrow(new RangeError('id must have 1 to 3 characters, got 4'))
    expect(() => assertKey('id', 'á', '語'.repeat(852))).not.toThrow()
    expect(() => assertKey('id', 'ááá', '語'.repeat(852))).toThrow('id must have at most 4 bytes of UTF-8, got 6')
  })
})
