import { CallBudget, type StartedCall } from '../calls/call-budget.ts'
import { failedWith, refusedWith } from '../calls/call-failure.ts'
import { type CallOptions, callSettings } from '../calls/call-options.ts'
import { meteredStream } from '../calls/metered-stream.ts'
import { requestText } from '../calls/request-text.ts'
import { deniedResponse } from './denied-response.ts'
import { EventMeter } from './event-meter.ts'
import { type FetchCall, type FetchRequest, fetchRequest } from './fetch-request.ts'
import { parsedJson } from './json-value.ts'
import type { WireFormat } from './wire-format.ts'

/** As the global one. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

export interface FetchMeterOptions extends CallOptions<FetchCall> {
  /** What sends the requests. Default: the global one, as it is when a request is sent. */
  readonly fetch?: Fetch
}

/**
 * A `fetch` for the clients of OpenAI and Anthropic, and for what speaks like them: each call of `…/chat/completions`, `…/responses` and `…/messages` reserves
 * an estimate of what it may take, and is settled by what the provider counted, else by what was seen of it. An aborted or broken stream is settled too. Other
 * requests go on as they are. The bytes of an answer are never changed.
 *
 * ```ts
 * const client = new OpenAI({ fetch: meteredFetch({ budget: credits.of(user), prices }) })
 * ```
 * A denied call is answered with status 429 in the form of the provider. A stream that the budget ends has a last event that the client throws.
 * @throws TypeError, RangeError that name the option. The returned function rejects with what `reserve` throws where the store does not answer
 */
export function meteredFetch(options: FetchMeterOptions): Fetch {
  const calls = new CallBudget(callSettings<FetchCall>(options, ['fetch']))
  const { fetch: given } = options
  if (given !== undefined && typeof given !== 'function') throw new TypeError('options.fetch must be a function')
  const send: Fetch = (input, init) => (given ?? globalThis.fetch)(input, init)
  return async (input, init = {}) => {
    const asked = await fetchRequest(input, init)
    if (asked === null) return send(input, init)
    const { format, request } = asked
    const started = await calls.start(request)
    switch (started.kind) {
      case 'unmetered':
        return send(input, init)
      case 'denied':
        return deniedResponse(format, started.denial)
      case 'started': {
        if (format.goesOn?.(request.call.body) === true) started.meter.goOn()
        const response = await answerOf(started, request.signal, () => send(input, init))
        return response.ok ? metered(response, started, asked) : response
      }
    }
  }
}

async function answerOf(
  { fail }: StartedCall,
  signal: AbortSignal | undefined,
  send: () => Promise<Response>,
): Promise<Response> {
  let response: Response
  try {
    response = await send()
  } catch (error) {
    await fail(failedWith(error, signal?.aborted === true))
    throw error
  }
  if (!response.ok) await fail(refusedWith(response.status, response.headers.get('x-should-retry')))
  return response
}

async function metered(
  response: Response,
  { meter }: StartedCall,
  { format, request: { call, signal } }: FetchRequest,
): Promise<Response> {
  const { body } = response
  const type = response.headers.get('content-type') ?? ''
  // Some servers leave the type of a stream out.
  const isStream = type.includes('text/event-stream') || (call.isStream && !type.includes('json'))
  if (body === null || !isStream) return whole(response, { meter }, format, signal)
  const { stream, stop } = meteredStream(body, new EventMeter(meter, format), signal)
  meter.watch(stop)
  return withBody(response, stream)
}

/** An answer in one piece: it is read first, so that it is charged even if nothing reads it. */
async function whole(
  response: Response,
  { meter }: Pick<StartedCall, 'meter'>,
  format: WireFormat,
  signal: AbortSignal | undefined,
): Promise<Response> {
  let bytes: ArrayBuffer
  try {
    bytes = await response.arrayBuffer()
  } catch (error) {
    await meter.end(signal?.aborted === true ? 'aborted' : 'broken')
    throw error
  }
  const text = new TextDecoder().decode(bytes)
  const answer = parsedJson(text)
  if (format.goesOn?.(answer) === true) meter.goOn()
  meter.report(format.usage(answer))
  meter.see(answer === null ? text : requestText(format.output(answer)).text)
  await meter.end('finished')
  return withBody(response, response.body === null ? null : bytes)
}

function withBody(response: Response, body: ReadableStream<Uint8Array> | ArrayBuffer | null): Response {
  const { status, statusText, headers, url } = response
  const copy = new Response(body, { status, statusText, headers })
  // A made response has none.
  Object.defineProperty(copy, 'url', { value: url })
  return copy
}
