import { type TokenUsage, tokensFrom, withoutCache } from '../calls/token-usage.ts'
import { errorOf } from './chat-completions.ts'
import { field, type JsonValue, textsOf } from './json-value.ts'
import type { WireFormat } from './wire-format.ts'

/** What ends a stream, whatever became of the answer. */
const LAST = new Set<JsonValue>(['response.completed', 'response.incomplete', 'response.failed'])
/** Of an answer that is not worked out yet. */
const PENDING = new Set<JsonValue>(['queued', 'in_progress'])

/** `POST …/responses` of OpenAI. */
export const responses: WireFormat = {
  path: '/responses',
  input: (body) => ['instructions', 'input', 'tools', 'text'].map((name) => field(body, name)),
  outputTokensMax: (body) => field(body, 'max_output_tokens'),
  usage: (answer) => usageOf(field(answer, 'usage')),
  output: (answer) => field(answer, 'output'),
  goesOn: (body) => field(body, 'background') === true || PENDING.has(field(body, 'status')),
  usual: { contains: '"type":"response.output_text.delta"', before: '"delta":"', after: '"' },
  event: (data) => {
    const type = field(data, 'type')
    if (LAST.has(type)) return { usage: usageOf(field(field(data, 'response'), 'usage')), isLast: true }
    // Of text, reasoning, refusals, and the arguments of calls.
    return typeof type === 'string' && type.endsWith('.delta') ? { text: textsOf(field(data, 'delta')) } : {}
  },
  denied: (denial, message) => ({ error: errorOf(denial, message) }),
  stopped: ({ message, reason }) =>
    `event: error\ndata: ${JSON.stringify({ type: 'error', code: reason, message, param: null })}\n\n`,
}

function usageOf(usage: JsonValue): TokenUsage {
  const cacheRead = tokensFrom(field(field(usage, 'input_tokens_details'), 'cached_tokens'))
  return {
    input: withoutCache(tokensFrom(field(usage, 'input_tokens')), cacheRead),
    cacheRead,
    output: tokensFrom(field(usage, 'output_tokens')),
  }
}
