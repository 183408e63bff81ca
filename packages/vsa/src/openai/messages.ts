import { type TokenUsage, tokensFrom } from '../calls/token-usage.ts'
import { field, type JsonValue, textsOf } from './json-value.ts'
import type { WireFormat } from './wire-format.ts'

/** `POST …/messages` of Anthropic. */
export const messages: WireFormat = {
  path: '/messages',
  input: (body) => ['system', 'messages', 'tools'].map((name) => field(body, name)),
  outputTokensMax: (body) => field(body, 'max_tokens'),
  usage: (answer) => usageOf(field(answer, 'usage')),
  output: (answer) => field(answer, 'content'),
  usual: { before: '"delta":{"type":"text_delta","text":"', after: '"}' },
  event: (data) => {
    switch (field(data, 'type')) {
      case 'message_start':
        // Its output tokens are those of the beginning.
        return { usage: { ...usageOf(field(field(data, 'message'), 'usage')), output: undefined } }
      case 'content_block_delta': {
        const delta = field(data, 'delta')
        return { text: textsOf(...['text', 'thinking', 'partial_json'].map((name) => field(delta, name))) }
      }
      case 'message_delta':
        return { usage: usageOf(field(data, 'usage')) }
      case 'message_stop':
        return { isLast: true }
      default:
        return {}
    }
  },
  denied: (_denial, message) => ({ type: 'error', error: { type: 'rate_limit_error', message }, request_id: null }),
  stopped: ({ message }) =>
    `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message } })}\n\n`,
}

function usageOf(usage: JsonValue): TokenUsage {
  return {
    input: tokensFrom(field(usage, 'input_tokens')),
    cacheRead: tokensFrom(field(usage, 'cache_read_input_tokens')),
    cacheWrite: tokensFrom(field(usage, 'cache_creation_input_tokens')),
    output: tokensFrom(field(usage, 'output_tokens')),
  }
}
