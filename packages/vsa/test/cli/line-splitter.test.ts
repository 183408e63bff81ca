import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LINE_BYTES_MAX, LineSplitter } from '../../src/cli/replay/line-splitter.ts'

function split(chunks: readonly Uint8Array[]): readonly (string | null)[] {
  const splitter = new LineSplitter()
  const lines = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
  expect(lines.map(({ number }) => number)).toEqual(lines.map((_line, index) => index + 1))
  return lines.map(({ text }) => text)
}

describe('lines do not depend on chunk boundaries', () => {
  test('any text gives the same lines for any chunks', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'é', '🦆', '\n', ' ') })
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 60 })), (text, cuts) => {
        const bytes = Buffer.from(text)
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to))
        const expected = text.split('\n')
        if (expected.at(-1) === '') expected.pop()
        expect(split(chunks)).toEqual(expected)
      }),
    )
  })
  test('CRLF ends a line', () => {
    expect(split([Buffer.from('a\r'), Buffer.from('\nb\r\n\r\nc')])).toEqual(['a', 'b', '', 'c'])
  })
  test('a byte order mark is dropped, and invalid UTF-8 is replaced', () => {
    expect(split([Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x0a, 0xff, 0x62])])).toEqual(['a', '\uFFFDb'])
  })
})

describe('long lines', () => {
  const feed = (length: number): readonly (string | null)[] => {
    const chunk = Buffer.alloc(1_000, 'x')
    return split([
      ...Array.from({ length: Math.floor(length / 1_000) }, () => chunk),
      chunk.subarray(0, length % 1_000),
      Buffer.from('\nnext\n'),
    ])
  }
  test('a line at the limit is kept', () => {
    expect(feed(LINE_BYTES_MAX).map((line) => line?.length)).toEqual([LINE_BYTES_MAX, 4])
  })
  test('a line one byte or a megabyte past the limit is dropped', () => {
    expect(feed(LINE_BYTES_MAX + 1)).toEqual([null, 'next'])
    expect(feed(1_048_576)).toEqual([null, 'next'])
  })
  test('a long line without an end is dropped', () => {
    expect(split([Buffer.alloc(LINE_BYTES_MAX + 1, 'x')])).toEqual([null])
  })
})
