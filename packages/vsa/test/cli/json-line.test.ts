import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonLine } from '../../src/cli/replay/json-line.ts'
import { TimeUnits } from '../../src/cli/replay/time-units.ts'
import { keyOf, parseKeyField } from '../../src/cli/replay/key-field.ts'

describe('NDJSON lines', () => {
  test('a time may be in ms since 1970', () => {
    expect(parseJsonLine('{"key":"tenant-7","cost":12,"at":1700000000123}')).toMatchObject({
      at: 1_700_000_000_123,
      cost: 12,
      isWholeSecond: false,
    })
  })
  test('a time may be an ISO string, and the default cost is 1', () => {
    expect(parseJsonLine('{"key":"a","at":"2024-05-05T10:45:00.250+02:00"}')).toMatchObject({
      at: Date.parse('2024-05-05T08:45:00.250Z'),
      cost: 1,
    })
  })
  test.each([
    ['{', 'not a JSON object'],
    ['[1]', 'not a JSON object'],
    ['{"key":"a"}', '"at" is neither'],
    ['{"key":"a","at":"yesterday"}', '"at" is neither'],
    ['{"key":"a","at":-1}', '"at" is neither'],
    ['{"key":"a","at":1e300}', '"at" is neither'],
    ['{"key":"a","at":1,"cost":0.5}', '"cost" is no whole number'],
    ['{"key":"a","at":1,"cost":"3"}', '"cost" is no whole number'],
    ['{"key":"a","at":1,"cost":9007199254740992}', '"cost" is no whole number'],
  ])('%s is bad', (line, reason) => {
    const logged = parseJsonLine(line)
    expect(logged.kind === 'bad' && logged.reason).toContain(reason)
  })
  test('any JSON is parsed as a request or reported as bad', () => {
    fc.assert(
      fc.property(fc.json(), (line) => {
        expect(['request', 'bad']).toContain(parseJsonLine(line).kind)
      }),
    )
  })
})

describe('units of times', () => {
  const AT = Date.parse('2023-11-14T22:13:20.123Z')
  test.each([
    ['seconds', 1_700_000_000.123],
    ['ms', 1_700_000_000_123],
    ['µs', 1_700_000_000_123_456],
    ['ns', 1_700_000_000_123e6 + 456_000],
  ])('the size of a number shows that it is in %s', (_unit, at) => {
    expect(parseJsonLine(JSON.stringify({ key: 'a', at }))).toMatchObject({ at: AT })
  })
  test('one log may mix them, and each conversion is counted', () => {
    const units = new TimeUnits()
    const times = [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000, 1_700_000_000_000_000_000, 1_700_000_001]
    expect(times.map((at) => units.msOf(at))).toEqual([...Array.from({ length: 4 }, () => 1.7e12), 1_700_000_001_000])
    expect(units.converted).toEqual({ seconds: 2, microseconds: 1, nanoseconds: 1 })
  })
  test('a log that counts in ms from 0 may last for years', () => {
    const units = new TimeUnits()
    const times = [0, 1_000, 99_999_999, 100_000_000, 99_999_999_999, 100_000_000_000]
    expect(times.map((at) => units.msOf(at))).toEqual(times)
    expect(units.converted).toEqual({ seconds: 0, microseconds: 0, nanoseconds: 0 })
  })
  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e20])('%s is no time', (at) => {
    expect(new TimeUnits().msOf(at)).toBeNull()
  })
})

describe('keys', () => {
  const keyIn = (line: string, spelling: string): string | null => {
    const logged = parseJsonLine(line)
    return logged.kind === 'request' ? keyOf(logged, parseKeyField(spelling)) : null
  }
  test('the key may come from a field of any name', () => {
    expect(keyIn('{"at":1,"tenant":"t","user":"u","n":7}', 'field:tenant')).toBe('t')
    expect(keyIn('{"at":1,"tenant":"t","user":"u","n":7}', 'user')).toBe('u')
    expect(keyIn('{"at":1,"tenant":"t","user":"u","n":7}', 'field:n')).toBe('7')
  })
  test.each([
    ['a missing field', '{"at":1}'],
    ['a field that every object inherits', '{"at":1}', 'field:constructor'],
    ['an empty key', '{"at":1,"key":""}'],
    ['null', '{"at":1,"key":null}'],
    ['an object', '{"at":1,"key":{}}'],
    ['half a character', String.raw`{"at":1,"key":"\ud800"}`],
    ['a key that is too long', `{"at":1,"key":"${'x'.repeat(1_021)}"}`],
  ])('%s gives no key', (_name, line, spelling = 'key') => {
    expect(keyIn(line, spelling)).toBeNull()
  })
  test('the longest key is accepted', () => {
    expect(keyIn(`{"at":1,"key":"${'x'.repeat(1_020)}"}`, 'key')).toHaveLength(1_020) // and 'key:'
  })
  test.each(['', 'host', 'field:', 'constructor'])('--key %j is refused', (spelling) => {
    expect(() => parseKeyField(spelling)).toThrow(RangeError)
  })
  test('a family name has no colon', () => {
    expect(parseKeyField('field:a:b')).toMatchObject({ field: 'a:b', family: 'a_b' })
  })
})
