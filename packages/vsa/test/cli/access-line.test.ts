import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAccessLine, parseLogTime } from '../../src/cli/replay/access-line.ts'

const TIME = '[17/May/2015:10:05:03 +0000]'

describe('access log formats', () => {
  test('Apache combined', () => {
    const line = `93.114.45.13 - - ${TIME} "GET /articles/dynamic-dns/?utm=1 HTTP/1.1" 200 18848 "http://www.google.ro/url?q=a%20b" "Mozilla/5.0 (X11; Linux x86_64; rv:25.0) Gecko/20100101 Firefox/25.0"`
    expect(parseAccessLine(line)).toEqual({
      kind: 'request',
      at: Date.parse('2015-05-17T10:05:03Z'),
      isWholeSecond: true,
      cost: 1,
      fields: {
        ip: '93.114.45.13',
        user: '-',
        method: 'GET',
        path: '/articles/dynamic-dns/',
        protocol: 'HTTP/1.1',
        status: '200',
        bytes: '18848',
        referer: 'http://www.google.ro/url?q=a%20b',
        agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:25.0) Gecko/20100101 Firefox/25.0',
      },
    })
  })
  test('Apache common, without referer and agent', () => {
    expect(parseAccessLine(`127.0.0.1 - frank ${TIME} "GET /apache_pb.gif HTTP/1.0" 200 2326`)).toMatchObject({
      fields: { user: 'frank', path: '/apache_pb.gif', referer: '-', agent: '-' },
    })
  })
  test('nginx with IPv6, a user, and extra fields at the end', () => {
    const line = `2001:db8::ff00:42:8329 - alice ${TIME} "POST /api/v1/items HTTP/2.0" 201 17 "-" "curl/8.4.0" 0.003 "10.0.0.1:80"`
    expect(parseAccessLine(line)).toMatchObject({
      fields: { ip: '2001:db8::ff00:42:8329', user: 'alice', path: '/api/v1/items', agent: 'curl/8.4.0' },
    })
  })
  test('quotes and backslashes in the agent are unescaped', () => {
    expect(
      parseAccessLine(String.raw`1.2.3.4 - - ${TIME} "GET /a\"b HTTP/1.1" 200 5 "-" "say \"hi\" \\"`),
    ).toMatchObject({
      fields: { path: String.raw`/a\"b`, agent: String.raw`say \"hi\" \\` },
    })
  })
  test('an unescaped quote in the agent drops the agent, not the line', () => {
    expect(parseAccessLine(`1.2.3.4 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "a"b"`)).toMatchObject({
      kind: 'request',
      fields: { ip: '1.2.3.4', agent: '-' },
    })
  })
  test('a request line without a path is accepted', () => {
    expect(parseAccessLine(String.raw`1.2.3.4 - - ${TIME} "\x16\x03\x01" 400 - "-" "-"`)).toMatchObject({
      fields: { method: '-', path: '-', bytes: '-' },
    })
    expect(parseAccessLine(`1.2.3.4 - - ${TIME} "-" 408 0 "-" "-"`)).toMatchObject({
      fields: { path: '-', status: '408' },
    })
    expect(parseAccessLine(`1.2.3.4 - - ${TIME} "" 400 0 "-" "-"`)).toMatchObject({ fields: { path: '-' } })
  })
  test('a user may contain a space', () => {
    expect(parseAccessLine(`1.2.3.4 - John Doe ${TIME} "GET / HTTP/1.1" 200 5`)).toMatchObject({
      fields: { user: 'John Doe' },
    })
  })
})

describe('a malformed line is bad, never an error', () => {
  test.each([
    ['', 'not in the combined log format'],
    ['hello', 'not in the combined log format'],
    ['1.2.3.4 - - "GET / HTTP/1.1" 200 5', 'not in the combined log format'],
    [`1.2.3.4 - - ${TIME} "GET / HTTP/1.1 200 5`, 'not in the combined log format'],
    [`1.2.3.4 - - ${TIME} "GET / HTTP/1.1" abc 5`, 'not in the combined log format'],
    ['1.2.3.4 - - [32/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5', 'not a time'],
    ['1.2.3.4 - - [yesterday] "GET / HTTP/1.1" 200 5', 'not a time'],
  ])('%j', (line, reason) => {
    expect(parseAccessLine(line)).toEqual({ kind: 'bad', reason })
  })
  test('any string is parsed as a request or reported as bad', () => {
    const pieces = fc.array(
      fc.constantFrom('1.2.3.4', ' - ', TIME, ' "GET / HTTP/1.1" ', '200 5', '"', '\\', '[', ']', ' '),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((parts) => parts.join('')),
        ),
        (line) => {
          expect(['request', 'bad']).toContain(parseAccessLine(line).kind)
        },
      ),
    )
  })
  test.each([' [', '"', '\\"', ' - ', '" 200 5 "', ' '])('64 KiB of %j are parsed in linear time', (piece) => {
    // Processor time, which does not depend on the load of the machine.
    const before = process.cpuUsage()
    for (const head of ['', '1.2.3.4 - - ', `1.2.3.4 - - ${TIME} "`, `1.2.3.4 - - ${TIME} "GET / HTTP/1.1" 200 5 "`]) {
      parseAccessLine(head + piece.repeat(65_536 / piece.length))
    }
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(1_000)
  })
})

describe('times', () => {
  test.each([
    ['17/May/2015:10:05:03 +0000', '2015-05-17T10:05:03Z'],
    ['31/Dec/2024:23:59:59 -0330', '2025-01-01T03:29:59Z'],
    ['29/Feb/2024:00:00:00 +0545', '2024-02-28T18:15:00Z'],
    ['31/Dec/2016:23:59:60 +0000', '2017-01-01T00:00:00Z'],
  ])('%s is parsed', (text, iso) => {
    expect(parseLogTime(text)).toBe(Date.parse(iso))
  })
  test.each([
    '29/Feb/2023:00:00:00 +0000',
    '00/May/2015:10:05:03 +0000',
    '17/Mai/2015:10:05:03 +0000',
    '17/May/2015:24:05:03 +0000',
    '17/May/2015:10:60:03 +0000',
    '17/May/1915:10:05:03 +0000',
    '17/May/2015:10:05:03',
    '',
  ])('%j is not a time', (text) => {
    expect(parseLogTime(text)).toBeNull()
  })
})
