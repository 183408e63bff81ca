import type { Budget } from 'vsa'
import { meterLanguageModel, type ModelStreamPart } from 'vsa/ai'
import { meteredFetch } from 'vsa/openai'
import { drain, type FakeStreams, fakeStreams } from './fake-streams.ts'

/** A kind of stream, as it comes, and metered. */
export interface StreamKind {
  readonly name: string
  make(streams: number): FakeStreams<unknown>
  plain(source: ReadableStream<unknown>): Promise<number>
  metered(source: ReadableStream<unknown>, budget: Budget): Promise<number>
}

const USAGE = {
  inputTokens: { total: 20, noCache: 20, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 500, text: 500, reasoning: 0 },
}
const WORDS = Array.from({ length: 1_000 }, (_, at) => ` word${at}`)
const PARTS: readonly ModelStreamPart[] = WORDS.map((delta) => ({ type: 'text-delta', id: '1', delta }))
const LAST_PARTS: readonly ModelStreamPart[] = [{ type: 'finish', usage: USAGE }]

/** Parts of the AI SDK. */
const ai: StreamKind = {
  name: 'vsa/ai, parts of a model',
  make: (streams) => fakeStreams(streams, (at) => PARTS[at % PARTS.length], LAST_PARTS),
  plain: drain,
  metered: async (source, budget) => {
    const { wrapStream } = meterLanguageModel({ budget })
    const params = { prompt: 'hello', maxOutputTokens: 1_000 }
    const model = { provider: 'fake', modelId: 'fake' }
    const { stream } = await wrapStream({ params, model, doStream: async () => ({ stream: source }) })
    return drain(stream)
  },
}

const EVENTS = WORDS.map((content) =>
  Buffer.from(
    `data: ${JSON.stringify({
      id: 'chatcmpl-BxYz1234567890abcdefghijk',
      object: 'chat.completion.chunk',
      created: 1_795_000_000,
      model: 'gpt-4.1-mini-2026-04-14',
      service_tier: 'default',
      system_fingerprint: 'fp_1234567890',
      choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
      usage: null,
    })}\n\n`,
  ),
)
const LAST_EVENTS = [
  'data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":500,"total_tokens":520}}\n\n',
  'data: [DONE]\n\n',
].map((event) => Buffer.from(event))
const REQUEST = {
  method: 'POST',
  body: JSON.stringify({
    model: 'gpt',
    stream: true,
    max_completion_tokens: 1_000,
    messages: [{ role: 'user', content: 'hello' }],
  }),
}

/** Bytes of a stream of chat completions. */
const openai: StreamKind = {
  name: 'vsa/openai, bytes of chat completions',
  make: (streams) => fakeStreams<Uint8Array | undefined>(streams, (at) => EVENTS[at % EVENTS.length], LAST_EVENTS),
  plain: (source) => drain(responseOf(source).body ?? source),
  metered: async (source, budget) => {
    const fetch = meteredFetch({ budget, fetch: async () => responseOf(source) })
    const { body } = await fetch('http://localhost/v1/chat/completions', REQUEST)
    return body === null ? 0 : drain(body)
  },
}

function responseOf(source: ReadableStream<unknown>): Response {
  // Its chunks are bytes.
  return new Response(source as ReadableStream<Uint8Array>, { headers: { 'content-type': 'text/event-stream' } })
}

export const STREAM_KINDS: readonly StreamKind[] = [ai, openai]
