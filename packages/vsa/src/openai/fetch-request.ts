import { createHash } from 'node:crypto'
import type { CallRequest } from '../calls/call-budget.ts'
import { requestText } from '../calls/request-text.ts'
import { tokensFrom } from '../calls/token-usage.ts'
import { chatCompletions } from './chat-completions.ts'
import { field, parsedJson } from './json-value.ts'
import { messages } from './messages.ts'
import { responses } from './responses.ts'
import type { WireFormat } from './wire-format.ts'

const FORMATS: readonly WireFormat[] = [chatCompletions, responses, messages]
/** Which attempt it is, from 0: both clients send it. */
const RETRY_COUNT = 'x-stainless-retry-count'

/** What `budget` and `id` of the options get. */
export interface FetchCall {
  readonly url: string
  readonly model: string
  readonly headers: Headers
  /** The parsed body. */
  readonly body: unknown
  readonly isStream: boolean
}

export interface FetchRequest {
  readonly format: WireFormat
  readonly request: CallRequest<FetchCall>
}

/** Null: it is no call of a model, and goes on as it is. @throws TypeError where the body cannot be read without using it up */
export async function fetchRequest(input: string | URL | Request, init: RequestInit): Promise<FetchRequest | null> {
  const asRequest = input instanceof Request ? input : null
  const url = asRequest?.url ?? String(input)
  const method = init.method ?? asRequest?.method ?? 'GET'
  const format = method.toUpperCase() === 'POST' ? formatOf(url) : undefined
  if (format === undefined) return null
  const text = await bodyText(init.body, asRequest)
  const body = parsedJson(text)
  const headers = new Headers(init.headers ?? asRequest?.headers)
  const model = field(body, 'model')
  // Other APIs have paths that end so. Of the others, Azure names the model in the path.
  if (format === messages && typeof model !== 'string') return null
  const signal = init.signal ?? asRequest?.signal
  const call: FetchCall = {
    url,
    model: typeof model === 'string' ? model : '',
    headers,
    body,
    isStream: field(body, 'stream') === true,
  }
  return {
    format,
    request: {
      call,
      model: call.model,
      input: requestText(...format.input(body)),
      outputTokensMax: tokensFrom(format.outputTokensMax(body)),
      answers: tokensFrom(format.answers?.(body)),
      signal,
      attempt: attemptOf(headers),
      fingerprint: () => fingerprint(url, headers, text),
    },
  }
}

function formatOf(url: string): WireFormat | undefined {
  const { pathname } = new URL(url)
  return FORMATS.find(({ path }) => pathname.endsWith(path))
}

async function bodyText(body: RequestInit['body'], request: Request | null): Promise<string> {
  if (typeof body === 'string') return body
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return new TextDecoder().decode(body)
  if (body instanceof Blob) return body.text()
  if (body === undefined || body === null) return request === null ? '' : request.clone().text()
  throw new TypeError('the body of a metered call must be text or bytes: it is read before it is sent')
}

function attemptOf(headers: Headers): number | undefined {
  const count = headers.get(RETRY_COUNT)
  return count === null ? undefined : tokensFrom(Number(count))
}

/** Attempts of one call differ in nothing but the number of the attempt. */
function fingerprint(url: string, headers: Headers, body: string): string {
  const key = headers.get('authorization') ?? headers.get('x-api-key') ?? ''
  return createHash('sha256')
    .update(JSON.stringify([url, key, body]))
    .digest('base64')
}
