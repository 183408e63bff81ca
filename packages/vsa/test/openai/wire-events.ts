/** What a provider tells of a call. */
export interface WireUsage {
  readonly input: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  readonly output: number
}

export type Api = 'chat' | 'responses' | 'messages'

/** The events of a stream, as the provider writes them. @param usage null: it tells none */
export function wireEvents(api: Api, words: readonly string[], usage: WireUsage | null): readonly string[] {
  switch (api) {
    case 'chat':
      return chatEvents(words, usage)
    case 'responses':
      return responsesEvents(words, usage)
    case 'messages':
      return messagesEvents(words, usage)
  }
}

/** The answer in one piece. */
export function wireAnswer(api: Api, text: string, usage: WireUsage | null): object {
  switch (api) {
    case 'chat':
      return {
        ...CHUNK,
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: 'stop' }],
        ...(usage && { usage: chatUsage(usage) }),
      }
    case 'responses':
      return response('completed', text, usage)
    case 'messages':
      return {
        ...MESSAGE,
        content: [{ type: 'text', text }],
        stop_reason: 'end_turn',
        ...(usage && { usage: messageUsage(usage) }),
      }
  }
}

const CHUNK = {
  id: 'chatcmpl-BxYz12345',
  object: 'chat.completion.chunk',
  created: 1_795_000_000,
  model: 'gpt-test-2026-10-01',
  service_tier: 'default',
  system_fingerprint: 'fp_1234567890',
}

function chatEvents(words: readonly string[], usage: WireUsage | null): readonly string[] {
  const chunk = (choices: readonly object[], told: object | null): string =>
    `data: ${JSON.stringify({ ...CHUNK, choices, ...(usage !== null && { usage: told }) })}\n\n`
  const delta = (content: object, reason: string | null = null): string =>
    chunk([{ index: 0, delta: content, logprobs: null, finish_reason: reason }], null)
  return [
    delta({ role: 'assistant', content: '', refusal: null }),
    ...words.map((content) => delta({ content })),
    delta({}, 'stop'),
    ...(usage === null ? [] : [chunk([], chatUsage(usage))]),
    'data: [DONE]\n\n',
  ]
}

function chatUsage({ input, cacheRead = 0, output }: WireUsage): object {
  return {
    prompt_tokens: input + cacheRead,
    completion_tokens: output,
    total_tokens: input + cacheRead + output,
    prompt_tokens_details: { cached_tokens: cacheRead, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  }
}

function responsesEvents(words: readonly string[], usage: WireUsage | null): readonly string[] {
  const item = { item_id: 'msg_1', output_index: 0, content_index: 0 }
  const events: object[] = [
    { type: 'response.created', response: response('in_progress', '', null) },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { id: 'msg_1', type: 'message', status: 'in_progress', content: [] },
    },
    ...words.map((delta) => ({ type: 'response.output_text.delta', ...item, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...item, text: words.join(''), logprobs: [] },
    { type: 'response.completed', response: response('completed', words.join(''), usage) },
  ]
  return events.map((event, at) => named({ ...event, sequence_number: at }))
}

function response(status: string, text: string, usage: WireUsage | null): object {
  return {
    id: 'resp_1',
    object: 'response',
    status,
    error: null,
    model: 'gpt-test-2026-10-01',
    output:
      text === ''
        ? []
        : [
            {
              id: 'msg_1',
              type: 'message',
              role: 'assistant',
              status,
              content: [{ type: 'output_text', text, annotations: [] }],
            },
          ],
    usage: usage && {
      input_tokens: usage.input + (usage.cacheRead ?? 0),
      input_tokens_details: { cached_tokens: usage.cacheRead ?? 0 },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
    },
  }
}

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-test',
  content: [],
  stop_reason: null,
  stop_sequence: null,
}

function messagesEvents(words: readonly string[], usage: WireUsage | null): readonly string[] {
  const start = usage === null ? {} : { usage: { ...messageUsage(usage), output_tokens: 1 } }
  const events: readonly object[] = [
    { type: 'message_start', message: { ...MESSAGE, ...start } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    ...words.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      ...(usage && { usage: { output_tokens: usage.output } }),
    },
    { type: 'message_stop' },
  ]
  return events.map(named)
}

function messageUsage({ input, cacheRead = 0, cacheWrite = 0, output }: WireUsage): object {
  return {
    input_tokens: input,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheWrite,
    output_tokens: output,
  }
}

function named(event: object): string {
  return `event: ${(event as { readonly type?: string }).type ?? ''}\ndata: ${JSON.stringify(event)}\n\n`
}
