import { describe, expect, test } from 'vitest'
import { parseDuration, parsePer, parseWhole } from '../../src/cli/duration.ts'
import { count, counted, duration, period, printable, ratio, time } from '../../src/cli/format.ts'
import { bar } from '../../src/cli/progress.ts'
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
    expect(period(0)).toBe('-')
  })
  test('control characters of a key are escaped', () => {
    expect(printable('a\u001B[2Jb\n\u202E')).toBe(String.raw`a\u{1b}[2Jb\u{a}\u{202e}`)
    expect(printable('x'.repeat(100))).toHaveLength(60)
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
