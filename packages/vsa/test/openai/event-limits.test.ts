import { expect, test } from 'vitest'
import { meteredFetch } from '../../src/openai/index.ts'
import { chatRequest } from '../calls/answers.ts'
import { credits } from '../calls/credits.ts'
import { streamOf } from './fake-provider.ts'
import { wireEvents } from './wire-events.ts'

const LENGTH_MAX = 8_388_608
const DELTA = 'data: {"choices":[{"index":0,"delta":{"content":"abcd"}}]}\n\n'
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":100}}\n\n'

/** A comment of so many characters, with its colon, in pieces. */
function comment(length: number): readonly Buffer[] {
  const piece = Buffer.alloc(1_048_576, 'x')
  const pieces = [Buffer.from(':')]
  for (let left = length - 1; left > 0; left -= piece.length)
    pieces.push(piece.subarray(0, Math.min(left, piece.length)))
  return pieces
}

test.each([
  ['at its limit is read', LENGTH_MAX, false],
  ['one past its limit ends the reading, and goes on unchanged', LENGTH_MAX + 1, true],
])('a line %s', async (_name, length, isEstimated) => {
  const { budget, onSettled, settlements, used } = credits(100_000)
  const pieces = [Buffer.from(DELTA), ...comment(length), Buffer.from(`\n\n${USAGE}data: [DONE]\n\n`)]
  const headers = { 'content-type': 'text/event-stream' }
  const fetch = meteredFetch({ budget, onSettled, fetch: async () => new Response(streamOf(pieces), { headers }) })
  const response = await fetch(...chatRequest({ stream: true }))
  expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.concat(pieces))).toBe(true)
  expect(settlements).toMatchObject([{ isEstimated, tokens: { output: isEstimated ? 1 : 100 } }])
  expect(await used()).toBe(settlements[0]?.usedUnits)
})

test('lines may end as the standard allows, and an event may have several', async () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const { budget, onSettled, settlements } = credits(1_000)
    const text = `\uFEFF: hi${end}id: 7${end}event: x${end}data: {"choices":[],${end}data: "usage":{"prompt_tokens":30,"completion_tokens":100}}${end}${end}data: [DONE]${end}${end}:${end}`
    const headers = { 'content-type': 'text/event-stream' }
    // One byte each, so that a line's end is cut in two.
    const pieces = Array.from(Buffer.from(text), (byte) => Buffer.from([byte]))
    const fetch = meteredFetch({ budget, onSettled, fetch: async () => new Response(streamOf(pieces), { headers }) })
    await (await fetch(...chatRequest({ stream: true }))).arrayBuffer()
    expect(settlements).toMatchObject([{ usedUnits: 130, outcome: 'finished' }])
  }
})

test('a spent budget ends a stream whose pieces never have a whole blank line', async () => {
  const words = Array.from({ length: 100 }, (_, at) => ` word ${at}`)
  const text = wireEvents('chat', words, null).join('')
  for (const end of ['\n', '\r\n', '\r']) {
    const { budget, onSettled, settlements, used } = credits(60)
    const headers = { 'content-type': 'text/event-stream' }
    const blank = `${end}${end}`
    // Each piece ends before the last byte of a blank line.
    const pieces = text.replaceAll('\n\n', `${blank.slice(0, -1)}|${blank.slice(-1)}`).split('|')
    const options = { budget, onSettled, extendTokens: 5 }
    const send = async (): Promise<Response> =>
      new Response(streamOf(pieces.map((one) => Buffer.from(one))), { headers })
    const fetch = meteredFetch({ ...options, fetch: send })
    const read = await (await fetch(...chatRequest({ stream: true, max_completion_tokens: 10 }))).text()
    expect(read).toContain('budget-spent')
    const passed = read.slice(0, read.lastIndexOf('data: '))
    expect(passed.endsWith(blank)).toBe(true)
    expect(pieces.join('').startsWith(passed)).toBe(true)
    expect(settlements).toMatchObject([{ outcome: 'stopped' }])
    expect(await used()).toBeLessThanOrEqual(60)
  }
})

test('an id runs up to 20 times', async () => {
  const { budget, used } = credits(100_000)
  const answer = async (): Promise<Response> => Response.json({ usage: { prompt_tokens: 1, completion_tokens: 1 } })
  const fetch = meteredFetch({ budget, id: () => 'job', fetch: answer })
  for (let run = 0; run < 20; run += 1) await fetch(...chatRequest())
  await expect(fetch(...chatRequest())).rejects.toThrow('has run 20 times')
  expect(await used()).toBe(40)
})

test.each([
  [
    'of three answers, all are seen',
    `{"choices":[${[0, 1, 2].map((index) => `{"index":${index},"delta":{"content":"abcdefgh"}}`).join()}]}`,
    { output: 60 },
    true,
  ],
  [
    'usage before the text is heard',
    '{"usage":{"prompt_tokens":30,"completion_tokens":100},"choices":[{"index":0,"delta":{"content":"ab"}}]}',
    { input: 30, output: 100 },
    false,
  ],
])('an event that is not the usual one: %s', async (_name, event, tokens, isEstimated) => {
  const { budget, onSettled, settlements, used } = credits(100_000)
  const pieces = [
    ...Array.from({ length: 10 }, () => Buffer.from(`data: ${event}\n\n`)),
    Buffer.from('data: [DONE]\n\n'),
  ]
  const headers = { 'content-type': 'text/event-stream' }
  const fetch = meteredFetch({ budget, onSettled, fetch: async () => new Response(streamOf(pieces), { headers }) })
  await (await fetch(...chatRequest({ stream: true }))).text()
  expect(settlements).toMatchObject([{ tokens, isEstimated }])
  expect(await used()).toBe(settlements[0]?.usedUnits)
})
