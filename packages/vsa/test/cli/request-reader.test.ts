import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseKeyField } from '../../src/cli/replay/key-field.ts'
import { RequestReader } from '../../src/cli/replay/request-reader.ts'

const MAY_17 = Date.parse('2015-05-17T10:05:00Z')

const access = (second: number, ip = '1.2.3.4'): string =>
  `${ip} - - [17/May/2015:10:05:${String(second).padStart(2, '0')} +0000] "GET / HTTP/1.1" 200 5 "-" "-"`
const json = (at: number): string => JSON.stringify({ ip: '1.2.3.4', at })

function read(texts: readonly (string | null)[]) {
  const reader = new RequestReader(parseKeyField('ip'))
  const requests = [...texts.flatMap((text, index) => reader.read([{ number: index + 1, text }])), ...reader.end()]
  return { requests, times: requests.map(({ at }) => at - MAY_17), tally: reader.tally }
}

describe('times', () => {
  test('requests of one second are spread evenly over it, in order', () => {
    expect(read([access(3, 'a'), access(3, 'b'), access(3, 'c'), access(3, 'd'), access(4, 'e')]).requests).toEqual([
      { at: MAY_17 + 3_000, id: 'a', cost: 1 },
      { at: MAY_17 + 3_250, id: 'b', cost: 1 },
      { at: MAY_17 + 3_500, id: 'c', cost: 1 },
      { at: MAY_17 + 3_750, id: 'd', cost: 1 },
      { at: MAY_17 + 4_000, id: 'e', cost: 1 },
    ])
  })
  test('times with milliseconds are not changed', () => {
    expect(read([json(MAY_17 + 3), json(MAY_17 + 3), json(MAY_17 + 700)]).times).toEqual([3, 3, 700])
  })
  test('a line out of order is sorted and counted', () => {
    const { times, tally } = read([access(3), access(9), access(7), access(8), access(10)])
    expect(times).toEqual([3_000, 7_000, 8_000, 9_000, 10_000])
    expect(tally).toMatchObject({
      outOfOrder: 2,
      tooLate: 0,
      furthestBackMs: 2_000,
      from: MAY_17 + 3_000,
      to: MAY_17 + 10_000,
    })
  })
  test('a request too late to be sorted does not move time back', () => {
    const { times, tally } = read([0, 1_000, 302_000, 500, 302_001].map((ms) => json(MAY_17 + ms)))
    expect(times).toEqual([0, 1_000, 1_000, 302_000, 302_001])
    expect(tally).toMatchObject({ outOfOrder: 1, tooLate: 1, furthestBackMs: 301_500, from: MAY_17 })
  })
  test('for any lines, time never goes back and no request is lost', () => {
    const line = fc.oneof(
      fc.nat({ max: 59 }).map((second) => access(second)),
      fc.nat({ max: 60_000 }).map((ms) => json(MAY_17 + ms)),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const { times } = read(lines)
        expect(times).toHaveLength(lines.length)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
      }),
    )
  })
})

describe('bad lines', () => {
  test('bad lines are counted, the first five are kept, and the other lines are read', () => {
    const { requests, tally } = read([access(1), 'one', '{', null, '', 'x'.repeat(500), 'five', 'six', access(2)])
    expect(requests).toHaveLength(2)
    expect(tally).toMatchObject({ lines: 9, requests: 2, badLines: 6 })
    expect(tally.badExamples.map(({ line }) => line)).toEqual([2, 3, 4, 6, 7])
    expect(tally.badExamples[2]).toEqual({ line: 4, reason: 'longer than 65536 bytes', text: '' })
    expect(tally.badExamples[3]?.text).toHaveLength(120)
  })
  test('a time beyond the years that a store can keep is bad, in each format', () => {
    const late = access(3).replace('2015', '2069')
    const { requests, tally } = read([
      access(3),
      late,
      '{"ip":"a","at":"9999-12-31T23:59Z"}',
      json(9e13),
      json(MAY_17 + 4_000),
    ])
    expect(requests).toHaveLength(2)
    expect(tally.badExamples.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 3 }, () => 'a time from 2069 on'),
    )
    expect(read([access(3).replace('17/May/2015', '31/Dec/2068')]).tally).toMatchObject({ requests: 1, badLines: 0 })
  })
  test('a line without a key is bad', () => {
    expect(read(['{"at":1}']).tally.badExamples).toEqual([
      { line: 1, reason: 'no ip that could be a key', text: '{"at":1}' },
    ])
  })
})
