import { describe, expect, test } from 'vitest'
import { parseDuration, parsePer, parseTimeZone, parseWhole } from '../../src/cli/option-values.ts'
import { count, counted, duration, periodCells, ratio, time } from '../../src/cli/format.ts'
import { bar } from '../../src/cli/progress.ts'
import { escaped, jsonText, printable } from '../../src/cli/safe-text.ts'
import { columns, facts, table } from '../../src/cli/table.ts'

describe('parsing', () => {
  test.each([
    ['250', 250],
    ['100ms', 100],
    ['1m', 60_000],
    ['90 s', 90_000],
    ['1.5h', 5_400_000],
    ['0.001s', 1],
    ['1d', 86_400_000],
    ['2w', 1_209_600_000],
    ['36525d', 3_155_760_000_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })
  test.each(['', 'm', '0', '-1s', '0.5', '1 fortnight', '36526d', '1e3', 'NaN', 'constructor'])(
    '%j is refused',
    (text) => {
      expect(() => parseDuration(text)).toThrow(RangeError)
    },
  )
  test('calendar units are parsed', () => {
    expect(parsePer('month')).toBe('month')
    expect(parsePer('1m')).toBe(60_000)
    expect(() => parsePer('constructor')).toThrow(RangeError)
  })
  test('whole numbers are parsed, and others refused', () => {
    expect(parseWhole('60', 0, 60)).toBe(60)
    for (const text of ['61', '-1', '1.5', '', '0x10', '1e1']) expect(() => parseWhole(text, 0, 60)).toThrow(RangeError)
  })
})

describe('formatting', () => {
  test('numbers and times are formatted', () => {
    expect(count(1_234_567)).toBe('1,234,567')
    expect(counted(1, 'row')).toBe('1 row')
    expect(counted(1_000, 'row')).toBe('1,000 rows')
    expect(ratio(Number.POSITIVE_INFINITY)).toBe('-')
    expect([100, 1_000, 60_000, 600_000, 5_400_000, 864_000_000].map(duration)).toEqual([
      '100 ms',
      '1 s',
      '1 min',
      '10 min',
      '1.5 h',
      '10 days',
    ])
    expect(time(Date.parse('2026-11-22T10:00:00Z'))).toBe('2026-11-22T10:00:00Z')
    expect(time(Date.parse('2026-11-22T10:00:00.5Z'))).toBe('2026-11-22T10:00:00.500Z')
    expect(time(null)).toBe('-')
    expect(time(Number.MAX_SAFE_INTEGER)).toBe('-')
  })
  test('times of another zone have their offset', () => {
    const [start, end] = [Date.parse('2026-02-28T23:00:00Z'), Date.parse('2026-03-31T22:00:00Z')]
    expect(periodCells(start, end)).toEqual(['2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z'])
    expect(periodCells(start, end, 'Europe/Berlin')).toEqual(['2026-03-01T00:00:00+01:00', '2026-04-01T00:00:00+02:00'])
    expect(time(start, '+02:00')).toBe('2026-03-01T01:00:00+02:00')
    expect(time(start + 7, 'Asia/Kolkata')).toBe('2026-03-01T04:30:00.007+05:30')
    expect(periodCells(0, null)).toEqual(['-', '-'])
    expect(periodCells(0, 60_000)).toEqual(['1970-01-01T00:00:00Z', '1970-01-01T00:01:00Z'])
  })
  test('time zones are parsed, and others refused', () => {
    expect(parseTimeZone('europe/berlin')).toBe('Europe/Berlin')
    expect(parseTimeZone('UTC')).toBe('UTC')
    // As a policy takes it, on every version of Node.
    expect(parseTimeZone('+0200')).toBe('+02:00')
    for (const text of ['', 'Berlin', 'Mars/Olympus']) expect(() => parseTimeZone(text)).toThrow(RangeError)
  })
  test('table columns are aligned', () => {
    expect(
      table(columns('key', '>units'), [
        ['a', '1,000'],
        ['longer', '7'],
      ]),
    ).toBe('key     units\na       1,000\nlonger      7')
    expect(
      facts([
        ['used', '1,000', 'units'],
        ['burned', '0'],
      ]),
    ).toBe('  used    1,000  units\n  burned      0')
  })
  test('bars are scaled to their width', () => {
    expect(bar(0.5)).toBe(`[${'#'.repeat(15)}${'-'.repeat(15)}]  50 %`)
    expect(bar(7)).toContain('100 %')
  })
})

describe('foreign text', () => {
  /** C0, DEL, C1, soft hyphen, Arabic mark, zero width, bidi marks, embeddings, isolates, line separators, byte order mark, a tag, half a character. */
  const HOSTILE = [
    ...Array.from({ length: 32 }, (_, code) => code),
    ...Array.from({ length: 33 }, (_, at) => 0x7f + at),
    ...[0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff, 0xe0041, 0xd800, 0xdfff],
    ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069],
  ].map((code) => String.fromCodePoint(code))
  const VISIBLE = /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff]*$/

  test('control characters are escaped by their code', () => {
    expect(escaped('a\u001B[2Jb\n\u202E')).toBe(String.raw`a\u{1b}[2Jb\u{a}\u{202e}`)
    for (const character of HOSTILE) {
      const code = character.codePointAt(0)?.toString(16)
      expect(escaped(`<${character}>`)).toBe(`<\\u{${code}}>`)
      expect(printable(`<${character}>`)).toBe(`<\\u{${code}}>`)
    }
    expect(escaped('käse 🧀 日本')).toBe('käse 🧀 日本')
  })
  test('long text is cut, and not between the halves of a character', () => {
    expect(printable('x'.repeat(60))).toBe('x'.repeat(60))
    expect(printable('x'.repeat(100))).toBe(`${'x'.repeat(59)}…`)
    expect(printable(`${'x'.repeat(58)}🧀${'x'.repeat(9)}`)).toBe(`${'x'.repeat(58)}…`)
    expect(printable('\u0085'.repeat(3), 2)).toBe(String.raw`\u{85}…`)
  })
  test('JSON is the same document, and safe for a terminal', () => {
    for (const character of HOSTILE) {
      const value = { [`key ${character}`]: [character, 1] }
      const text = jsonText(value)
      expect(JSON.parse(text)).toEqual(value)
      expect(text.split('\n').every((line) => VISIBLE.test(line))).toBe(true)
    }
    expect(jsonText({ ok: true }, 0)).toBe('{"ok":true}')
  })
})
