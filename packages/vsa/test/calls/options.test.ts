import { expect, test } from 'vitest'
import { requestText, tokensOfBytes } from '../../src/calls/request-text.ts'
import { meterLanguageModel } from '../../src/ai/index.ts'
import { meteredFetch } from '../../src/openai/index.ts'
import { answering, chatRequest } from './answers.ts'
import { credits } from './credits.ts'

test('options are checked when the meter is made', () => {
  const { budget } = credits(1)
  const ranges = {
    outputTokensDefault: [1, 1_000_000_000],
    extendTokens: [1, 1_000_000_000],
    fileTokens: [0, 1_000_000_000],
    ttlMs: [1_000, 86_400_000],
    maxRetries: [0, 100],
    retryWaitMs: [1, 3_600_000],
  } as const
  for (const [name, [min, max]] of Object.entries(ranges)) {
    for (const value of [min, max]) expect(() => meteredFetch({ budget, [name]: value })).not.toThrow()
    for (const value of [min - 1, max + 1, NaN, 1.5])
      expect(() => meteredFetch({ budget, [name]: value })).toThrow(RangeError)
    expect(() => meteredFetch({ budget, [name]: '5' })).toThrow(`options.${name} must be a number`)
  }
  for (const name of ['countTokens', 'id', 'overage', 'onSettled', 'fetch'])
    expect(() => meteredFetch({ budget, [name]: 5 })).toThrow(`options.${name} must be a function`)
  expect(() => meteredFetch({ budget: undefined as never })).toThrow('options.budget must be a budget')
  expect(() => meteredFetch({ budget, whenSpent: 'go on' as never })).toThrow('options.whenSpent')
  expect(() => meteredFetch({ budget, maxRetrys: 2 } as never)).toThrow('options.maxRetrys is not known')
  expect(() => meterLanguageModel({ budget, fetch } as never)).toThrow('options.fetch is not known')
})

test('a request that names no maximum reserves outputTokensDefault', async () => {
  const { budget, onSettled, settlements } = credits(100_000)
  for (const outputTokensDefault of [undefined, 5_000]) {
    const options = {
      budget,
      onSettled,
      fetch: answering('x', { input: 1, output: 1 }),
      ...(outputTokensDefault && { outputTokensDefault }),
    }
    await meteredFetch(options)(...chatRequest({ max_completion_tokens: undefined }))
    await meteredFetch(options)(...chatRequest({ max_completion_tokens: 10 ** 300 }))
  }
  expect(settlements.map(({ reservedUnits }) => Math.floor(reservedUnits / 1_000))).toEqual([1, 1, 5, 5])
})

test('n answers reserve n times the maximum', async () => {
  const { budget, onSettled, settlements } = credits(100_000)
  await meteredFetch({ budget, onSettled, fetch: answering('x', { input: 1, output: 1 }) })(...chatRequest({ n: 10 }))
  expect(Math.floor((settlements[0]?.reservedUnits ?? 0) / 1_000)).toBe(2)
  const noMaximum = { n: 10, max_completion_tokens: undefined }
  await meteredFetch({ budget, onSettled, fetch: answering('x', { input: 1, output: 1 }) })(...chatRequest(noMaximum))
  expect(Math.floor((settlements[1]?.reservedUnits ?? 0) / 1_000)).toBe(10)
})

const DATA_URL = `data:image/png;base64,${'QUJD'.repeat(100)}`

test.each<[string, object]>([
  ['OpenAI, an image by URL', { type: 'image_url', image_url: { url: 'https://example.com/cat.png', detail: 'low' } }],
  ['OpenAI, an image as data', { type: 'image_url', image_url: { url: DATA_URL } }],
  ['OpenAI responses, an image by URL', { type: 'input_image', image_url: 'https://example.com/cat.png' }],
  ['OpenAI responses, a file by id', { type: 'input_file', file_id: 'file-1' }],
  ['OpenAI, a file as data', { type: 'file', file: { filename: 'a.pdf', file_data: DATA_URL } }],
  ['Anthropic, an image by URL', { type: 'image', source: { type: 'url', url: 'https://example.com/cat.png' } }],
  ['Anthropic, a file by id', { type: 'document', source: { type: 'file', file_id: 'file-1' } }],
])('%s counts as a file', (_name, part) => {
  expect(requestText([{ role: 'user', content: [part] }]).files).toBe(1)
})

test.each<[string, object]>([
  ['a text that begins as a data URL', { type: 'text', text: `data:,${'x'.repeat(100)}` }],
  ['a text that is a data URL', { role: 'user', content: DATA_URL }],
  [
    'a document of text',
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a plain text' } },
  ],
  ['a schema with fields of these names', { source: { type: 'string' }, image_url: { type: 'string' } }],
  ['a field for a URL', { url: 'https://example.com' }],
])('%s counts as text', (_name, part) => {
  const { text, files } = requestText(part)
  expect(files).toBe(0)
  for (const value of Object.values(part)) if (typeof value === 'string') expect(text).toContain(value)
})

test('the estimate has all texts, counts files apart, and reads no deeper than its limit', () => {
  const base64 = 'QUJD'.repeat(100)
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'hello' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'image', source: { type: 'base64', data: base64 } },
        { data: new Uint8Array(9) },
        { url: new URL('http://a/') },
      ],
    },
  ]
  const { text, files } = requestText(messages, { city: 5 }, undefined, null)
  expect(files).toBe(4)
  expect(text).toContain('hello')
  expect(text).toContain('city 5')
  expect(text.length).toBeLessThan(200)
  // A long word in a text is a text.
  expect(requestText({ content: base64 })).toEqual({ text: `content ${base64}`, files: 0 })

  const nested = (depth: number): unknown => (depth === 0 ? 'bottom' : [nested(depth - 1)])
  expect(requestText(nested(64)).text).toBe('bottom')
  expect(requestText(nested(65)).text).toBe('')
})

test('the default counter: a token for 4 bytes of UTF-8, rounded up', () => {
  expect(['', 'a', 'abcd', 'abcde', '日本語', '😀'].map(tokensOfBytes)).toEqual([0, 1, 1, 2, 3, 1])
})

test('the body of a metered call may be text or bytes, and must be readable before it is sent', async () => {
  const { budget, used } = credits(10_000)
  const fetch = meteredFetch({ budget, fetch: answering('x', { input: 30, output: 100 }) })
  const [url, init] = chatRequest()
  const body = String(init.body)
  const bodies = [body, Buffer.from(body), new Blob([body]), new TextEncoder().encode(body).buffer]
  for (const one of bodies) expect((await fetch(url, { method: 'POST', body: one as never })).status).toBe(200)
  expect((await fetch(new Request(url, { method: 'POST', body }))).status).toBe(200)
  expect((await fetch(new URL(url), init)).status).toBe(200)
  await expect(fetch(url, { method: 'POST', body: new FormData() })).rejects.toThrow(TypeError)
  expect(await used()).toBe(130 * 6)
})
