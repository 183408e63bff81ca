import type { CallDenial } from '../calls/call-errors.ts'
import { type TokenUsage, tokensFrom, withoutCache } from '../calls/token-usage.ts'
import { entriesOf, field, type JsonValue, textsOf } from './json-value.ts'
import type { WireFormat } from './wire-format.ts'

/** `POST …/chat/completions` of OpenAI, and of what speaks like it. */
export const chatCompletions: WireFormat = {
  path: '/chat/completions',
  input: (body) => ['messages', 'tools', 'functions', 'response_format'].map((name) => field(body, name)),
  outputTokensMax: (body) => field(body, 'max_completion_tokens') ?? field(body, 'max_tokens'),
  answers: (body) => field(body, 'n'),
  usage: (answer) => usageOf(field(answer, 'usage')),
  output: (answer) => entriesOf(field(answer, 'choices')).map((choice) => field(choice, 'message')),
  usual: { before: '"delta":{"content":"', after: '"}' },
  event: (data) => ({
    text: entriesOf(field(data, 'choices'))
      .map((choice) => deltaText(field(choice, 'delta')))
      .join(''),
    usage: usageOf(field(data, 'usage')),
  }),
  denied: (denial, message) => ({ error: errorOf(denial, message) }),
  stopped: ({ message, reason }) =>
    `data: ${JSON.stringify({ error: { message, type: 'insufficient_quota', param: null, code: reason } })}\n\n`,
}

/** As OpenAI names them: `rate_limit_exceeded` where waiting helps, else `insufficient_quota`. */
export function errorOf({ retryAfterMs }: CallDenial, message: string): object {
  return retryAfterMs === undefined
    ? { message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' }
    : { message, type: 'tokens', param: null, code: 'rate_limit_exceeded' }
}

function deltaText(delta: JsonValue): string {
  const calls = [
    field(delta, 'function_call'),
    ...entriesOf(field(delta, 'tool_calls')).map((call) => field(call, 'function')),
  ]
  return textsOf(
    ...['content', 'reasoning_content', 'reasoning', 'refusal'].map((name) => field(delta, name)),
    ...calls.flatMap((call) => [field(call, 'name'), field(call, 'arguments')]),
  )
}

function usageOf(usage: JsonValue): TokenUsage {
  const cacheRead = tokensFrom(field(field(usage, 'prompt_tokens_details'), 'cached_tokens'))
  return {
    input: withoutCache(tokensFrom(field(usage, 'prompt_tokens')), cacheRead),
    cacheRead,
    output: tokensFrom(field(usage, 'completion_tokens')),
  }
}
