import type { Fetch } from '../../src/openai/index.ts'
import { streamOf } from '../openai/fake-provider.ts'
import { wireAnswer, wireEvents, type WireUsage } from '../openai/wire-events.ts'

/** A provider without a socket, which streams these words. */
export function streaming(words: readonly string[], usage: WireUsage | null): Fetch {
  const pieces = wireEvents('chat', words, usage).map((event) => Buffer.from(event))
  return async () => new Response(streamOf(pieces), { headers: { 'content-type': 'text/event-stream' } })
}

/** One that answers in one piece. */
export function answering(text: string, usage: WireUsage | null): Fetch {
  return async () => Response.json(wireAnswer('chat', text, usage))
}

/** A request of 20 tokens or a few more, by the default estimate. */
export function chatRequest(more: object = {}): readonly [url: string, init: RequestInit] {
  const body = {
    model: 'gpt-test',
    messages: [{ role: 'user', content: 'x'.repeat(40) }],
    max_completion_tokens: 200,
    ...more,
  }
  return ['http://localhost/v1/chat/completions', { method: 'POST', body: JSON.stringify(body) }]
}
