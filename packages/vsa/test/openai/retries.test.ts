import { afterAll, beforeAll, expect, test } from 'vitest'
import { failedWith } from '../../src/calls/call-failure.ts'
import { type FetchMeterOptions, meteredFetch } from '../../src/openai/index.ts'
import { credits } from '../calls/credits.ts'
import { type FakeProvider, fakeProvider, type Reply } from './fake-provider.ts'
import { wireAnswer, wireEvents } from './wire-events.ts'

const USAGE = { input: 30, output: 100 }
const DONE: Reply = { kind: 'json', body: wireAnswer('chat', 'hello', USAGE) }
const FAILED: Reply = { kind: 'json', status: 500, body: { error: { message: 'no' } } }

let provider: FakeProvider
beforeAll(async () => {
  provider = await fakeProvider()
})
afterAll(() => provider.close())

type Send = (attempt: number | null, prompt?: string, init?: RequestInit) => Promise<Response>

/** As the clients do: each attempt says which it is. */
function sender(options: FetchMeterOptions): Send {
  const fetch = meteredFetch(options)
  return async (attempt, prompt = 'hello', init = {}) => {
    const body = JSON.stringify({
      model: 'gpt-test',
      messages: [{ role: 'user', content: prompt }],
      max_completion_tokens: 200,
    })
    const headers: Record<string, string> = attempt === null ? {} : { 'x-stainless-retry-count': String(attempt) }
    const response = await fetch(`${provider.url}/chat/completions`, { method: 'POST', body, headers, ...init })
    await response.text()
    return response
  }
}

test('three attempts of one call are one reservation, and cost what the last one took', async () => {
  // It covers one call, not two: without the reservation of the first attempt the others would be denied.
  for (const id of [undefined, () => 'call-1']) {
    const { budget, onSettled, settlements, used, vsa } = credits(400)
    const send = sender({ budget, onSettled, ...(id && { id }) })
    provider.answer(FAILED, FAILED, DONE)
    expect((await send(0)).status).toBe(500)
    // In between, the units are not for others.
    expect((await budget.peek()).remaining).toBeLessThan(200)
    expect(await budget.admit(200)).toBe(false)
    expect((await send(1)).status).toBe(500)
    expect((await send(2)).status).toBe(200)
    expect(settlements).toMatchObject([{ outcome: 'finished', usedUnits: 130 }])
    expect(vsa.stats().admittedUnits).toBeLessThan(400)
    expect(await used()).toBe(130)
  }
})

test('the last attempt that fails settles the reservation at once, for nothing', async () => {
  const { budget, onSettled, settlements, used } = credits(400)
  const send = sender({ budget, onSettled })
  provider.answer(FAILED)
  for (const attempt of [0, 1, 2]) expect((await send(attempt)).status).toBe(500)
  expect(settlements).toMatchObject([{ outcome: 'failed', usedUnits: 0, settledUnits: 0 }])
  expect(await used()).toBe(0)
})

test('an error that no client retries settles the reservation at once', async () => {
  const { budget, onSettled, settlements, used } = credits(400)
  const send = sender({ budget, onSettled })
  provider.answer({ kind: 'json', status: 400, body: {} })
  await send(0)
  provider.answer({ ...FAILED, headers: { 'x-should-retry': 'false' } })
  await send(0)
  expect(settlements.map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
  expect(await used()).toBe(0)
})

test('a reservation waits for the next attempt for retryWaitMs, and not longer', async () => {
  const { budget, clock, onSettled, settlements, used } = credits(400)
  const send = sender({ budget, clock, onSettled, retryWaitMs: 5_000 })
  provider.answer(FAILED, DONE)
  await send(0)
  await clock.advance(4_999)
  expect(settlements).toEqual([])
  await clock.advance(1)
  expect(settlements).toMatchObject([{ outcome: 'failed', usedUnits: 0 }])
  // The attempt that comes too late has a reservation of its own.
  expect((await send(1)).status).toBe(200)
  expect(await used()).toBe(130)
})

test('two calls that are alike are two reservations, and each retry goes on with one of them', async () => {
  const { budget, onSettled, settlements, used } = credits(600)
  const send = sender({ budget, onSettled })
  provider.answer(FAILED, FAILED, DONE)
  await Promise.all([send(0), send(0)])
  const answers = await Promise.all([send(1), send(1)])
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(settlements.length).toBe(2)
  expect(await used()).toBe(260)
})

test('another prompt, or a first attempt, is no retry', async () => {
  const { budget, clock, used } = credits(400)
  const send = sender({ budget, clock })
  provider.answer(FAILED, DONE)
  await send(0)
  expect((await send(1, 'something else')).status).toBe(429)
  expect((await send(0)).status).toBe(429)
  expect((await send(1)).status).toBe(200)
  expect(await used()).toBe(130)
})

test('an attempt that may have been billed is charged its input, once the call ends', async () => {
  const { budget, onSettled, settlements, used } = credits(400)
  const send = sender({ budget, onSettled })
  provider.answer({ kind: 'cut' }, DONE)
  await expect(send(0)).rejects.toThrow('fetch failed')
  expect((await send(1)).status).toBe(200)
  const [{ usedUnits } = { usedUnits: 0 }] = settlements
  expect(usedUnits).toBeGreaterThan(130)
  expect(usedUnits).toBeLessThan(160)
  expect(await used()).toBe(usedUnits)
})

test('a request that was surely not sent costs nothing', async () => {
  const { budget, onSettled, settlements, used } = credits(400)
  const gone = await fakeProvider()
  await gone.close()
  const fetch = meteredFetch({ budget, onSettled })
  const body = JSON.stringify({
    model: 'gpt-test',
    messages: [{ role: 'user', content: 'hello' }],
    max_completion_tokens: 20,
  })
  await expect(fetch(`${gone.url}/chat/completions`, { method: 'POST', body })).rejects.toThrow('fetch failed')
  expect(settlements).toMatchObject([{ outcome: 'failed', usedUnits: 0 }])
  expect(await used()).toBe(0)
})

const caused = (cause: object): Error => new TypeError('fetch failed', { cause })

test.each<[string, Error, boolean]>([
  ['no route', caused({ code: 'EHOSTUNREACH' }), true],
  ['no TLS', caused({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), true],
  ['a certificate that is over', caused({ code: 'CERT_HAS_EXPIRED' }), true],
  ['a port that fetch blocks', caused(new Error('bad port')), true],
  ['a scheme that fetch does not know', caused(new Error('unknown scheme')), true],
  ['each address refused', caused(new AggregateError([{ code: 'ECONNREFUSED' }, { code: 'ENETUNREACH' }])), true],
  [
    'one address refused, one cut',
    caused(new AggregateError([{ code: 'ECONNREFUSED' }, { code: 'ECONNRESET' }])),
    false,
  ],
  ['no key', Object.assign(new Error('no key'), { name: 'AI_LoadAPIKeyError' }), true],
  ['an answer that cannot be read', Object.assign(new Error('no'), { name: 'AI_JSONParseError' }), false],
  ['a cut connection', caused({ code: 'ECONNRESET' }), false],
])('%s: charged only where it may have been sent', (_name, error, isNotSent) => {
  expect(failedWith(error, false)).toEqual({ mayBeBilled: !isNotSent, mayBeRetried: true })
})

test('a call that is aborted before its answer is charged its input', async () => {
  const { budget, onSettled, settlements, used } = credits(400)
  const abort = new AbortController()
  const answering: typeof fetch = (input, init) => {
    const answer = fetch(input, init)
    abort.abort()
    return answer
  }
  const send = sender({ budget, onSettled, fetch: answering })
  provider.answer({ kind: 'stream', events: [], hangAfter: 0 })
  await expect(send(0, 'hello', { signal: abort.signal })).rejects.toThrow(/abort/i)
  expect(settlements.length).toBe(1)
  expect(await used()).toBe(settlements[0]?.usedUnits)
  expect(await used()).toBeGreaterThan(0)
  // With a signal that is aborted already nothing is sent, and nothing charged.
  const before = await used()
  await expect(send(0, 'hello', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  expect(await used()).toBe(before)
})

test('R1: an id that was settled before runs again as a call of its own, which costs again', async () => {
  const { budget, onSettled, settlements, used } = credits(1_000)
  const send = sender({ budget, onSettled, id: () => 'job-7' })
  provider.answer(DONE)
  for (let run = 0; run < 3; run += 1) expect((await send(0)).status).toBe(200)
  expect(settlements.map(({ id }) => id)).toEqual(['job-7', 'job-7~2', 'job-7~3'])
  expect(await used()).toBe(390)
})

test('R1: two runs under one id at the same time are two reservations', async () => {
  const { budget, onSettled, settlements, used } = credits(1_000)
  const send = sender({ budget, onSettled, id: () => 'job-7' })
  provider.answer(DONE)
  await Promise.all([send(0), send(0)])
  expect(settlements.map(({ id = '' }) => id).toSorted((a, b) => a.length - b.length)).toEqual(['job-7', 'job-7~2'])
  expect(await used()).toBe(260)
})

test('R3: the process that ran it is gone: with an id all of it stays charged, and the retry of another process goes on with what is reserved', async () => {
  const { budget, clock, vsa } = credits(400)
  // As the first process left it.
  const input = await probe(budget)
  await budget.reserve(input + 200, { id: 'job-7', ttlMs: 600_000, onExpire: 'capture' })
  const send = sender({ budget, clock, id: () => 'job-7' })
  provider.answer(DONE)
  expect((await send(0)).status).toBe(200)
  expect(await budget.peek()).toMatchObject({ used: 130, reserved: 0 })
  await budget.reserve(200, { id: 'job-8', ttlMs: 600_000, onExpire: 'capture' })
  await clock.advance(700_000)
  await vsa.flush()
  expect(await budget.peek()).toMatchObject({ remaining: 70 })
})

test('R1: an id that was settled for another estimate, as a step with a longer prompt, runs again as a call of its own', async () => {
  const { budget, onSettled, settlements, used } = credits(2_000)
  const send = sender({ budget, onSettled, id: () => 'job-7' })
  provider.answer(DONE)
  for (const prompt of ['hello', 'hello, and what the tool said', 'hello']) {
    expect((await send(0, prompt)).status).toBe(200)
  }
  expect(settlements.map(({ id }) => id)).toEqual(['job-7', 'job-7~2', 'job-7~3'])
  expect(await used()).toBe(390)
})

test('R1: an id that runs in another process for another estimate is a reservation of its own here', async () => {
  const { budget, onSettled, settlements } = credits(2_000)
  await budget.reserve(999, { id: 'job-7', ttlMs: 600_000, onExpire: 'capture' })
  const send = sender({ budget, onSettled, id: () => 'job-7' })
  provider.answer(DONE)
  expect((await send(0)).status).toBe(200)
  expect(settlements.map(({ id }) => id)).toEqual(['job-7~2'])
  expect(await budget.peek()).toMatchObject({ minted: 2_000, used: 130, reserved: 999, remaining: 871 })
})

test('R4: another process ran under the same id, and has settled it: what this one used is charged besides', async () => {
  const { budget, onSettled, settlements, used } = credits(1_000)
  const send = sender({
    budget,
    onSettled,
    id: () => 'job-7',
    fetch: async (input, init) => {
      const answer = await fetch(input, init)
      await budget.reservation('job-7').settle(50)
      return answer
    },
  })
  provider.answer(DONE)
  await send(0)
  expect(settlements).toMatchObject([{ usedUnits: 130, settledUnits: 130 }])
  expect(await used()).toBe(180)
})

test('an id that is no id is an error before anything is reserved', async () => {
  const { budget, used } = credits(1_000)
  for (const id of ['', 'x'.repeat(241)]) await expect(sender({ budget, id: () => id })(0)).rejects.toThrow(RangeError)
  provider.answer(DONE)
  expect((await sender({ budget, id: () => 'x'.repeat(240) })(0)).status).toBe(200)
  expect(await used()).toBe(130)
})

test('the waiting reservations have a limit: beyond it a failed attempt is settled at once', async () => {
  const { budget, onSettled, settlements, used } = credits(10_000_000)
  const fetch = meteredFetch({ budget, onSettled, fetch: async () => new Response('{}', { status: 500 }) })
  const body = JSON.stringify({ model: 'gpt-test', messages: [], max_completion_tokens: 20 })
  const init = { method: 'POST', body, headers: { 'x-stainless-retry-count': '0' } }
  const sent = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => fetch('http://localhost/chat/completions', init)))
  }
  await sent(256)
  expect(settlements.length).toBe(0)
  await sent(1)
  expect(settlements.length).toBe(1)
  // They are ended by their next attempts.
  const next = { ...init, headers: { 'x-stainless-retry-count': '1' } }
  await Promise.all(Array.from({ length: 256 }, () => fetch('http://localhost/chat/completions', next)))
  await Promise.all(
    Array.from({ length: 256 }, () =>
      fetch('http://localhost/chat/completions', { ...init, headers: { 'x-stainless-retry-count': '2' } }),
    ),
  )
  expect(settlements.length).toBe(257)
  expect(await used()).toBe(0)
})

test('a stream is not retried: each break is settled by itself', async () => {
  const { budget, onSettled, settlements, used } = credits(2_000)
  const send = sender({ budget, onSettled })
  provider.answer({ kind: 'stream', events: wireEvents('chat', ['a b c d'], USAGE), cutAfter: 2 })
  await expect(send(0)).rejects.toThrow('terminated')
  await expect(send(1)).rejects.toThrow('terminated')
  expect(settlements.map(({ outcome }) => outcome)).toEqual(['broken', 'broken'])
  expect(await used()).toBe(settlements.reduce((sum, { usedUnits }) => sum + usedUnits, 0))
})

/** What the input of the calls here is estimated at. */
async function probe(budget: Parameters<typeof sender>[0]['budget']): Promise<number> {
  let units = 0
  if (typeof budget === 'function') return units
  provider.answer({ kind: 'json', status: 400, body: {} })
  await sender({ budget, onSettled: ({ reservedUnits }) => (units = reservedUnits - 200) })(null)
  return units
}
