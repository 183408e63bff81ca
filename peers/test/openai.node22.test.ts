import Anthropic, { RateLimitError as AnthropicRateLimitError } from '@anthropic-ai/sdk'
import OpenAI, { RateLimitError } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { meteredFetch } from 'vsa/openai'
import { type FakeProvider, fakeProvider, type Reply } from '../../packages/vsa/test/openai/fake-provider.ts'
import { type Api, wireAnswer, wireEvents } from '../../packages/vsa/test/openai/wire-events.ts'
import { modelBooks, type ModelBooks } from './model-calls.ts'

const WORDS = Array.from({ length: 60 }, (_, at) => ` wörd${at}`)
const TEXT = WORDS.join('')
const USAGE = { input: 30, cacheRead: 20, output: 100 }

let provider: FakeProvider
beforeAll(async () => {
  provider = await fakeProvider()
})
afterAll(() => provider.close())

interface Options {
  readonly maxRetries?: number
  readonly extendTokens?: number
  readonly maxTokens?: number
  readonly signal?: AbortSignal
}

interface Client {
  /** The text of an answer in one piece. */
  ask(books: ModelBooks, options?: Options): Promise<string>
  /** The texts of a stream. */
  stream(books: ModelBooks, options?: Options): AsyncIterable<string>
}

function openai({ budget, onSettled }: ModelBooks, { maxRetries = 0, extendTokens = 1_024 }: Options): OpenAI {
  // The type of the option is that of the client.
  const fetch = meteredFetch({ budget, onSettled, extendTokens })
  return new OpenAI({ apiKey: 'key', baseURL: provider.url, maxRetries, fetch })
}

function anthropic({ budget, onSettled }: ModelBooks, { maxRetries = 0, extendTokens = 1_024 }: Options): Anthropic {
  const fetch = meteredFetch({ budget, onSettled, extendTokens })
  return new Anthropic({ apiKey: 'key', baseURL: provider.url.replace('/v1', ''), maxRetries, fetch })
}

const MESSAGES = [{ role: 'user' as const, content: 'x'.repeat(80) }]

const CLIENTS: Record<Api, Client> = {
  chat: {
    ask: async (books, options = {}) => {
      const body = { model: 'gpt-test', messages: MESSAGES, max_completion_tokens: options.maxTokens ?? 200 }
      const { choices } = await openai(books, options).chat.completions.create(body, { signal: options.signal })
      return choices[0]?.message.content ?? ''
    },
    stream: async function* (books, options = {}) {
      const body = {
        model: 'gpt-test',
        messages: MESSAGES,
        max_completion_tokens: options.maxTokens ?? 200,
        stream: true,
        stream_options: { include_usage: true },
      } as const
      const stream = await openai(books, options).chat.completions.create(body, { signal: options.signal })
      for await (const { choices } of stream) yield choices[0]?.delta.content ?? ''
    },
  },
  responses: {
    ask: async (books, options = {}) => {
      const body = { model: 'gpt-test', input: 'x'.repeat(80), max_output_tokens: options.maxTokens ?? 200 }
      return (await openai(books, options).responses.create(body, { signal: options.signal })).output_text
    },
    stream: async function* (books, options = {}) {
      const body = {
        model: 'gpt-test',
        input: 'x'.repeat(80),
        max_output_tokens: options.maxTokens ?? 200,
        stream: true,
      } as const
      const stream = await openai(books, options).responses.create(body, { signal: options.signal })
      for await (const event of stream) yield event.type === 'response.output_text.delta' ? event.delta : ''
    },
  },
  messages: {
    ask: async (books, options = {}) => {
      const body = { model: 'claude-test', messages: MESSAGES, max_tokens: options.maxTokens ?? 200 }
      const { content } = await anthropic(books, options).messages.create(body, { signal: options.signal })
      return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
    },
    stream: async function* (books, options = {}) {
      const body = {
        model: 'claude-test',
        messages: MESSAGES,
        max_tokens: options.maxTokens ?? 200,
        stream: true,
      } as const
      const stream = await anthropic(books, options).messages.create(body, { signal: options.signal })
      for await (const event of stream)
        yield event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : ''
    },
  },
}

async function textOf(stream: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const part of stream) text += part
  return text
}

for (const [api, client] of Object.entries(CLIENTS) as [Api, Client][]) {
  const done: Reply = { kind: 'json', body: wireAnswer(api, 'hello', USAGE) }
  const failed: Reply = {
    kind: 'json',
    status: 500,
    body: { error: { message: 'no' } },
    headers: { 'retry-after-ms': '1' },
  }

  test(`${api}: answers and streams of the real client are charged what the provider counted`, async () => {
    const books = modelBooks(10_000)
    provider.answer(done)
    expect(await client.ask(books)).toBe('hello')
    for (const pieceBytes of [undefined, 11]) {
      provider.answer({
        kind: 'stream',
        events: wireEvents(api, WORDS, USAGE),
        ...(pieceBytes !== undefined && { pieceBytes }),
      })
      expect(await textOf(client.stream(books))).toBe(TEXT)
    }
    expect(books.settlements.map(({ outcome, isEstimated }) => [outcome, isEstimated])).toEqual(
      Array.from({ length: 3 }, () => ['finished', false]),
    )
    expect(await books.used()).toBe(450)
  })

  test(`${api}: with maxRetries 2, three attempts are one reservation`, async () => {
    // It covers one call, and not two.
    const books = modelBooks(400)
    const before = provider.requests.length
    provider.answer(failed, failed, done)
    expect(await client.ask(books, { maxRetries: 2 })).toBe('hello')
    const counts = provider.requests.slice(before).map(({ headers }) => headers['x-stainless-retry-count'])
    expect(counts).toEqual(['0', '1', '2'])
    expect(books.settlements).toMatchObject([{ outcome: 'finished', usedUnits: 150 }])
    expect(await books.used()).toBe(150)
    provider.answer(failed)
    await expect(client.ask(books, { maxRetries: 2 })).rejects.toMatchObject({ status: 500 })
    expect(books.settlements).toMatchObject([{}, { outcome: 'failed', usedUnits: 0 }])
    expect(await books.used()).toBe(150)
  })

  test(`${api}: a denied call is an error of the client with status 429, and is not retried`, async () => {
    const books = modelBooks(100)
    const before = provider.requests.length
    const error: unknown = await client.ask(books, { maxRetries: 2 }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(api === 'messages' ? AnthropicRateLimitError : RateLimitError)
    expect(error).toMatchObject({ status: 429, message: /credits:ada.*over-limit/ })
    expect(provider.requests.length).toBe(before)
    expect(await books.used()).toBe(0)
  })

  test(`${api}: an abort, and a reader that stops, cost what was seen`, async () => {
    for (const how of ['abort', 'break'] as const) {
      const books = modelBooks(10_000)
      provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, USAGE), hangAfter: 40 })
      const abort = new AbortController()
      let words = 0
      const reading = async (): Promise<void> => {
        for await (const text of client.stream(books, { signal: abort.signal })) {
          if (text !== '') words += 1
          if (words < 30) continue
          if (how === 'break') break
          abort.abort()
        }
      }
      // Whether an abort is an error is the client's.
      await reading().catch(() => undefined)
      await expect.poll(() => books.settlements.length).toBe(1)
      expect(books.settlements).toMatchObject([{ outcome: 'aborted', isEstimated: true }])
      expect(books.settlements[0]?.tokens.output).toBeGreaterThanOrEqual(45)
      expect(books.settlements[0]?.tokens.output).toBeLessThan(100)
      expect(await books.used()).toBe(books.settlements[0]?.usedUnits)
    }
  })

  test(`${api}: a stream that uses up the budget is an error of the client that says so`, async () => {
    const books = modelBooks(60)
    provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, USAGE) })
    let text = ''
    const reading = async (): Promise<void> => {
      for await (const part of client.stream(books, { extendTokens: 5, maxTokens: 10 })) text += part
    }
    await expect(reading()).rejects.toThrow(/budget-spent/)
    expect(TEXT.startsWith(text)).toBe(true)
    expect(text.length).toBeGreaterThan(10)
    expect(books.settlements).toMatchObject([{ outcome: 'stopped' }])
    expect(await books.used()).toBeLessThanOrEqual(60)
  })

  test(`${api}: 64 streams at once on a budget that allows one: one runs`, async () => {
    const books = modelBooks(350)
    provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, USAGE) })
    const texts = await Promise.allSettled(Array.from({ length: 64 }, () => textOf(client.stream(books))))
    expect(texts.filter((one) => one.status === 'fulfilled' && one.value === TEXT).length).toBe(1)
    expect(texts.filter((one) => one.status === 'rejected').length).toBe(63)
    expect(await books.used()).toBe(150)
  })

  test(`${api}: a connection that is cut is an error of the client, and costs what was seen`, async () => {
    const books = modelBooks(10_000)
    provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, USAGE), cutAfter: 30 })
    await expect(textOf(client.stream(books))).rejects.toThrow(/terminated|Connection|network/i)
    expect(books.settlements).toMatchObject([{ outcome: 'broken', isEstimated: true }])
    expect(await books.used()).toBeGreaterThan(40)
  })
}

test('a denied call that may come again in a moment is retried by the client itself, when the period is over', async () => {
  const { vsa } = modelBooks(1)
  const budget = vsa.budget('seconds:ada', { limit: 400, per: 'second', atRisk: 0 })
  provider.answer({ kind: 'json', body: wireAnswer('chat', 'hello', { input: 30, output: 170 }) })
  const client = new OpenAI({ apiKey: 'key', baseURL: provider.url, maxRetries: 5, fetch: meteredFetch({ budget }) })
  const ask = (): Promise<unknown> =>
    client.chat.completions.create({ model: 'gpt-test', messages: MESSAGES, max_completion_tokens: 200 })
  // Each takes half a second's tokens and reserves more.
  expect(await Promise.all([ask(), ask(), ask()])).toHaveLength(3)
  const { used, limit } = await budget.peek()
  expect(used).toBeLessThanOrEqual(limit)
})
