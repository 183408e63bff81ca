import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FetchMeterOptions, meteredFetch } from '../../src/openai/index.ts'
import { credits } from '../calls/credits.ts'
import { type FakeProvider, fakeProvider, piecesOf, streamOf } from './fake-provider.ts'
import { type Api, wireAnswer, wireEvents } from './wire-events.ts'

const APIS = ['chat', 'responses', 'messages'] as const
const PATHS = { chat: '/chat/completions', responses: '/responses', messages: '/messages' } as const
const WORDS = Array.from({ length: 40 }, (_, at) => ` wörd${at}"\n`)
const USAGE = { input: 30, cacheRead: 20, output: 100 }

const EVENT_STREAM = { 'content-type': 'text/event-stream' }

let provider: FakeProvider
beforeAll(async () => {
  provider = await fakeProvider()
})
afterAll(() => provider.close())

function requestOf(api: Api, more: object = {}): { readonly url: string; readonly init: RequestInit } {
  const prompt = 'x'.repeat(80)
  const limits = {
    chat: { max_completion_tokens: 200 },
    responses: { max_output_tokens: 200 },
    messages: { max_tokens: 200 },
  }
  const input = api === 'responses' ? { input: prompt } : { messages: [{ role: 'user', content: prompt }] }
  const body = JSON.stringify({ model: 'gpt-test', ...input, ...limits[api], ...more })
  return {
    url: `${provider.url}${PATHS[api]}`,
    init: { method: 'POST', body, headers: { 'content-type': 'application/json' } },
  }
}

async function call(
  api: Api,
  options: FetchMeterOptions,
  more: object = {},
  init: RequestInit = {},
): Promise<Response> {
  const request = requestOf(api, more)
  return meteredFetch(options)(request.url, { ...request.init, ...init })
}

for (const api of APIS) {
  test(`${api}: a stream is charged what the provider counted, and its bytes are unchanged, whatever the borders of its pieces`, async () => {
    const events = wireEvents(api, WORDS.slice(0, 8), USAGE)
    for (const pieceBytes of [undefined, 1, 7, 1_000, 'on the wire'] as const) {
      const { budget, onSettled, settlements, used } = credits(10_000)
      const pieces = piecesOf(events, pieceBytes === 'on the wire' ? undefined : pieceBytes)
      const fetch = async (): Promise<Response> => new Response(streamOf(pieces), { headers: EVENT_STREAM })
      provider.answer({ kind: 'stream', events })
      const options = { budget, onSettled, ...(pieceBytes !== 'on the wire' && { fetch }) }
      const response = await call(api, options, { stream: true })
      expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.concat(pieces))).toBe(true)
      expect(await used()).toBe(150)
      expect(settlements).toMatchObject([
        { outcome: 'finished', usedUnits: 150, settledUnits: 150, uncoveredUnits: 0, isEstimated: false },
      ])
    }
  })

  test(`${api}: an answer in one piece is charged what the provider counted`, async () => {
    const { budget, onSettled, settlements, used } = credits(10_000)
    provider.answer({ kind: 'json', body: wireAnswer(api, 'hello', USAGE) })
    const response = await call(api, { budget, onSettled })
    expect(await response.json()).toEqual(wireAnswer(api, 'hello', USAGE))
    expect(response.url).toContain(PATHS[api])
    expect(await used()).toBe(150)
    expect(settlements).toMatchObject([{ outcome: 'finished', tokens: { input: 30, cacheRead: 20, output: 100 } }])
  })

  test(`${api}: without usage, what was seen is charged`, async () => {
    const { budget, onSettled, settlements, used } = credits(10_000)
    provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, null) })
    await (await call(api, { budget, onSettled }, { stream: true })).text()
    provider.answer({ kind: 'json', body: wireAnswer(api, 'x'.repeat(400), null) })
    await (await call(api, { budget, onSettled })).text()
    const [stream, whole] = settlements
    expect(stream).toMatchObject({ outcome: 'finished', isEstimated: true })
    // Its texts have 4 bytes for each token.
    expect(stream?.tokens.output).toBe(Math.ceil(Buffer.byteLength(WORDS.join('')) / 4))
    expect(stream?.tokens.input).toBeGreaterThanOrEqual(20)
    expect(whole?.tokens.output).toBeGreaterThanOrEqual(100)
    expect(whole?.tokens.output).toBeLessThan(140)
    expect(await used()).toBe((stream?.usedUnits ?? 0) + (whole?.usedUnits ?? 0))
  })

  test(`${api}: a stream that is aborted costs what was seen, and the provider hears of it`, async () => {
    const { budget, onSettled, settlements, used } = credits(10_000)
    provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, USAGE), hangAfter: 24 })
    const abort = new AbortController()
    const response = await call(api, { budget, onSettled }, { stream: true }, { signal: abort.signal })
    const body: ReadableStream<Uint8Array> | null = response.body
    const reader = body?.getReader()
    let bytes = 0
    const enough = Buffer.byteLength(wireEvents(api, WORDS, USAGE).slice(0, 24).join(''))
    while (bytes < enough) {
      bytes += (await reader?.read())?.value?.byteLength ?? enough
    }
    abort.abort()
    await expect(reader?.read()).rejects.toThrow(/abort/i)
    await provider.abandoned()
    expect(settlements).toMatchObject([{ outcome: 'aborted', uncoveredUnits: 0, isEstimated: true }])
    // About 22 of the 40 words.
    expect(settlements[0]?.tokens.output).toBeGreaterThan(40)
    expect(settlements[0]?.tokens.output).toBeLessThan(100)
    expect(await used()).toBe(settlements[0]?.usedUnits)
  })

  test(`${api}: a reader that goes away in mid-stream ends the call, and it costs what was seen`, async () => {
    const { budget, onSettled, settlements, used } = credits(10_000)
    provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, USAGE), hangAfter: 24 })
    const response = await call(api, { budget, onSettled }, { stream: true })
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    expect(settlements).toMatchObject([{ outcome: 'aborted' }])
    expect(await used()).toBe(settlements[0]?.usedUnits)
    expect(await used()).toBeGreaterThanOrEqual(20)
  })

  test(`${api}: a connection that is cut in mid-stream costs what was seen`, async () => {
    const { budget, onSettled, settlements, used } = credits(10_000)
    provider.answer({ kind: 'stream', events: wireEvents(api, WORDS, USAGE), cutAfter: 24 })
    const response = await call(api, { budget, onSettled }, { stream: true })
    await expect(response.text()).rejects.toThrow('terminated')
    expect(settlements).toMatchObject([{ outcome: 'broken', isEstimated: true }])
    expect(settlements[0]?.tokens.output).toBeGreaterThan(0)
    expect(await used()).toBe(settlements[0]?.usedUnits)
  })

  test(`${api}: an error of the provider costs nothing, and is passed on as it is`, async () => {
    for (const status of [400, 401, 429, 500]) {
      const { budget, used } = credits(10_000)
      const body = { error: { message: 'no', type: 'test' } }
      provider.answer({ kind: 'json', status, body, headers: { 'x-request-id': 'req_2', 'retry-after': '7' } })
      const response = await call(api, { budget })
      expect(response.status).toBe(status)
      expect(response.headers.get('retry-after')).toBe('7')
      expect(await response.json()).toEqual(body)
      expect(await used()).toBe(0)
    }
  })

  test(`${api}: a stream that uses up its reservation and the budget is ended behind a whole event, with an event that says so`, async () => {
    const { budget, onSettled, settlements, used } = credits(60)
    const events = wireEvents(api, WORDS, USAGE)
    const fetch = async (): Promise<Response> =>
      new Response(streamOf(piecesOf(events, 100)), { headers: EVENT_STREAM })
    const options = { budget, onSettled, extendTokens: 5, fetch }
    const limit = { chat: 'max_completion_tokens', responses: 'max_output_tokens', messages: 'max_tokens' }[api]
    const response = await call(api, options, { stream: true, [limit]: 10 })
    const text = await response.text()
    const last = text.trimEnd().split('\n\n').at(-1) ?? ''
    expect(last).toMatch(/^(?:event: error\ndata: |data: \{"error":)[^\n]*budget-spent[^\n]*$/)
    const passed = text.slice(0, text.lastIndexOf(last))
    expect(events.join('').startsWith(passed)).toBe(true)
    expect(passed.endsWith('\n\n')).toBe(true)
    expect(settlements).toMatchObject([{ outcome: 'stopped', isEstimated: true }])
    expect(await used()).toBe(60 - ((await budget.peek()).remaining ?? 0))
    expect(settlements[0]?.usedUnits).toBeGreaterThan(50)
    expect(settlements[0]?.usedUnits).toBeLessThan(90)
  })
}

test('a denied call is answered in the form of the provider, and nothing is sent', async () => {
  const { budget, used } = credits(100)
  const before = provider.requests.length
  for (const api of APIS) {
    const response = await call(api, { budget })
    expect(response.status).toBe(429)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('retry-after')).toBeNull()
    expect(response.headers.get('x-vsa-denied')).toBe('over-limit')
    const body: unknown = await response.json()
    if (api === 'messages')
      expect(body).toMatchObject({ type: 'error', error: { type: 'rate_limit_error', message: /credits:ada/ } })
    else expect(body).toMatchObject({ error: { type: 'insufficient_quota', code: 'insufficient_quota', param: null } })
  }
  expect(provider.requests.length).toBe(before)
  expect(await used()).toBe(0)
})

test('a denied call says when waiting helps: the client retries by itself up to a minute, and not beyond', async () => {
  for (const [per, shouldRetry] of [
    [30_000, null],
    [3_600_000, 'false'],
  ] as const) {
    const { budget, clock, used } = credits({ limit: 1_000, per, atRisk: 0 })
    await budget.admit(900)
    const response = await call('chat', { budget, clock })
    expect(response.status).toBe(429)
    const seconds = Number(response.headers.get('retry-after'))
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(per / 1_000 + 1)
    expect(response.headers.get('x-should-retry')).toBe(shouldRetry)
    expect(await response.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    expect(await used()).toBe(900)
  }
})

test('other requests go on as they are, and so do those without a budget', async () => {
  const { budget, used, settlements, onSettled } = credits(1)
  provider.answer({ kind: 'json', body: { object: 'list', data: [] } })
  const fetch = meteredFetch({ budget, onSettled })
  expect((await fetch(`${provider.url}/models`)).status).toBe(200)
  expect((await fetch(`${provider.url}/messages/count_tokens`, { method: 'POST', body: '{}' })).status).toBe(200)
  const { url, init } = requestOf('chat')
  expect((await meteredFetch({ budget: () => null, onSettled })(url, init)).status).toBe(200)
  expect(settlements).toEqual([])
  expect(await used()).toBe(0)
})

test('64 streams at once on a budget that allows one: one runs, and the others are denied before anything is sent', async () => {
  for (const id of [undefined, 'with an id'] as const) {
    const { budget, used } = credits(350)
    const before = provider.requests.length
    provider.answer({ kind: 'stream', events: wireEvents('chat', WORDS, USAGE) })
    const ids =
      id === undefined ? {} : { id: ({ headers }: { headers: Headers }) => headers.get('x-request') ?? undefined }
    const fetch = meteredFetch({ budget, ...ids })
    const { url, init } = requestOf('chat', { stream: true })
    const responses = await Promise.all(
      Array.from({ length: 64 }, (_, at) => fetch(url, { ...init, headers: { 'x-request': `request-${at}` } })),
    )
    await Promise.all(responses.map((response) => response.text()))
    expect(responses.filter(({ status }) => status === 200).length).toBe(1)
    expect(responses.filter(({ status }) => status === 429).length).toBe(63)
    expect(provider.requests.length).toBe(before + 1)
    expect(await used()).toBe(150)
  }
})

test('a stream that is aborted while nothing reads it is settled at once, by what was seen', async () => {
  for (const readChunks of [0, 1]) {
    const { budget, onSettled, settlements, used } = credits(10_000)
    const stop = new AbortController()
    const pieces = wireEvents('chat', WORDS, null).map((event) => Buffer.from(event))
    const fetch = async (): Promise<Response> => new Response(streamOf(pieces), { headers: EVENT_STREAM })
    const response = await call('chat', { budget, onSettled, fetch }, { stream: true }, { signal: stop.signal })
    const reader = response.body?.getReader()
    for (let read = 0; read < readChunks; read += 1) await reader?.read()
    stop.abort()
    await new Promise((resolve) => setImmediate(resolve))
    expect(settlements).toMatchObject([{ outcome: 'aborted' }])
    expect(await used()).toBe(settlements[0]?.usedUnits)
    expect(settlements[0]?.usedUnits).toBeLessThan(100)
  }
})

test('a stream is one though its server does not say so: it is not held back', async () => {
  const { budget, onSettled, settlements, used } = credits(10_000)
  const pieces = wireEvents('chat', WORDS, USAGE).map((event) => Buffer.from(event))
  const fetch = async (): Promise<Response> => new Response(streamOf(pieces), { headers: {} })
  const response = await call('chat', { budget, onSettled, fetch }, { stream: true })
  expect(settlements).toEqual([])
  await response.text()
  expect(settlements).toMatchObject([{ outcome: 'finished', usedUnits: 150, isEstimated: false }])
  expect(await used()).toBe(150)
})

test('a message of a thread is no call of a model', async () => {
  const { budget, used } = credits(10_000)
  const fetch = meteredFetch({ budget, prices: {}, fetch: async () => Response.json({ id: 'msg_1' }) })
  const body = JSON.stringify({ role: 'user', content: 'hello' })
  const response = await fetch('http://localhost/v1/threads/thread_1/messages', { method: 'POST', body })
  expect(await response.json()).toEqual({ id: 'msg_1' })
  expect(await used()).toBe(0)
})
