import { expect, test } from 'vitest'
import {
  CallDeniedError,
  CallStoppedError,
  meterLanguageModel,
  type ModelMeterOptions,
  type ModelStreamPart,
} from '../../src/ai/index.ts'
import { credits } from '../calls/credits.ts'
import { type FakeModel, fakeModel, type FakeParams, modelParts, modelUsage, type Script } from './fake-model.ts'

const WORDS = Array.from({ length: 100 }, (_, at) => ` word ${at}`)
const PROMPT = [{ role: 'user', content: [{ type: 'text', text: 'x'.repeat(80) }] }]
const PARAMS: FakeParams = { prompt: PROMPT, maxOutputTokens: 200 }

/** As `wrapLanguageModel` does. */
function wrapped<Version extends 'v3' | 'v4'>(
  model: FakeModel,
  options: ModelMeterOptions<Version>,
): Pick<FakeModel, 'doGenerate' | 'doStream'> {
  const { wrapGenerate, wrapStream } = meterLanguageModel(options)
  return {
    doGenerate: (params) => wrapGenerate({ doGenerate: () => model.doGenerate(params), params, model }),
    doStream: (params) => wrapStream({ doStream: () => model.doStream(params), params, model }),
  }
}

async function partsOf(stream: ReadableStream<ModelStreamPart>): Promise<readonly ModelStreamPart[]> {
  const parts: ModelStreamPart[] = []
  for await (const part of stream) parts.push(part)
  return parts
}

for (const specificationVersion of ['v3', 'v4'] as const) {
  const setUp = (script: Script, units = 10_000, more: Partial<ModelMeterOptions> = {}) => {
    const bench = credits(units)
    const model = fakeModel(specificationVersion, script)
    const { budget, clock, onSettled } = bench
    return { ...bench, model, ...wrapped(model, { budget, clock, onSettled, ...more, specificationVersion }) }
  }

  test(`${specificationVersion}: a stream is charged what the provider counted, and its parts are the same`, async () => {
    const parts = modelParts(WORDS, modelUsage(50, 100, 20, 5))
    const { doStream, settlements, used } = setUp({ parts })
    const { stream, response } = await doStream(PARAMS)
    expect(response).toEqual({ headers: { 'x-request': '1' } })
    const seen = await partsOf(stream)
    expect(seen.length).toBe(parts.length)
    expect(seen.every((part, at) => part === parts[at])).toBe(true)
    expect(settlements).toMatchObject([
      {
        outcome: 'finished',
        model: 'fake-model',
        usedUnits: 150,
        isEstimated: false,
        tokens: { input: 25, cacheRead: 20, cacheWrite: 5, output: 100 },
      },
    ])
    expect(await used()).toBe(150)
  })

  test(`${specificationVersion}: an answer in one piece is charged what the provider counted, or else what was seen`, async () => {
    const told = setUp({ text: 'hello', usage: modelUsage(50, 100) })
    await told.doGenerate(PARAMS)
    expect(await told.used()).toBe(150)
    const silent = setUp({ text: 'y'.repeat(400), usage: modelUsage(undefined, undefined) })
    await silent.doGenerate(PARAMS)
    expect(silent.settlements).toMatchObject([{ isEstimated: true }])
    expect(await silent.used()).toBeGreaterThanOrEqual(120)
    expect(await silent.used()).toBeLessThan(140)
  })

  test(`${specificationVersion}: nothing is read ahead of the reader`, async () => {
    const { doStream, model, clock } = setUp({ parts: modelParts(WORDS, modelUsage(50, 100)) })
    const reader = (await doStream(PARAMS)).stream.getReader()
    for (let part = 0; part < 10; part += 1) {
      await clock.settle()
      expect(model.calls.pulled).toBe(part)
      await reader.read()
    }
    await reader.cancel()
  })

  test(`vercel/ai 7628, ${specificationVersion}: a stream that is aborted costs what was seen, and is never free`, async () => {
    const { doStream, settlements, used } = setUp({ parts: modelParts(WORDS, null), behind: 'hang' })
    const abort = new AbortController()
    const { stream } = await doStream({ ...PARAMS, abortSignal: abort.signal })
    const reader = stream.getReader()
    for (let part = 0; part < 53; part += 1) await reader.read()
    abort.abort(new Error('the user has gone'))
    await expect(reader.read()).rejects.toThrow('the user has gone')
    // 50 words of 7 or 8 bytes.
    expect(settlements).toMatchObject([{ outcome: 'aborted', isEstimated: true }])
    expect(settlements[0]?.tokens.output).toBe(Math.ceil(WORDS.slice(0, 50).join('').length / 4))
    expect(await used()).toBe(settlements[0]?.usedUnits)
  })

  test(`${specificationVersion}: a reader that cancels, or an abort that nothing reads, ends the call as well`, async () => {
    const cancelled = setUp({ parts: modelParts(WORDS, null), behind: 'hang' })
    const one = (await cancelled.doStream(PARAMS)).stream.getReader()
    for (let part = 0; part < 53; part += 1) await one.read()
    await one.cancel('enough')
    expect(cancelled.model.calls.cancelled).toBe('enough')
    expect(cancelled.settlements).toMatchObject([{ outcome: 'aborted' }])
    expect(await cancelled.used()).toBeGreaterThan(100)

    const unread = setUp({ parts: modelParts(WORDS, null), behind: 'hang' })
    const abort = new AbortController()
    await unread.doStream({ ...PARAMS, abortSignal: abort.signal })
    abort.abort()
    await unread.clock.settle()
    expect(unread.settlements).toMatchObject([{ outcome: 'aborted' }])
    expect(await unread.used()).toBeGreaterThanOrEqual(20)
  })

  test(`${specificationVersion}: a stream that breaks, or ends without a finish, costs what was seen`, async () => {
    for (const behind of ['break', undefined] as const) {
      const { doStream, settlements, used } = setUp({ parts: modelParts(WORDS, null), ...(behind && { behind }) })
      const reading = partsOf((await doStream(PARAMS)).stream)
      if (behind === 'break') await expect(reading).rejects.toThrow('the provider is gone')
      else await reading
      expect(settlements).toMatchObject([{ outcome: 'broken', isEstimated: true }])
      expect(await used()).toBeGreaterThan(200)
    }
  })

  test(`${specificationVersion}: 64 streams at once on a budget that allows one: one runs, and the others throw before the model is called`, async () => {
    const { doStream, model, used } = setUp({ parts: modelParts(WORDS, modelUsage(50, 100)) }, 350)
    const streams = await Promise.allSettled(Array.from({ length: 64 }, () => doStream(PARAMS)))
    const denied = streams.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    expect(denied.length).toBe(63)
    expect(denied.every((error) => error instanceof CallDeniedError)).toBe(true)
    expect(denied[0]).toMatchObject({ code: 'call_denied', statusCode: 429, key: 'credits:ada', reason: 'exhausted' })
    for (const one of streams) if (one.status === 'fulfilled') await partsOf(one.value.stream)
    expect(model.calls.count).toBe(1)
    expect(await used()).toBe(150)
  })

  test(`${specificationVersion}: a stream that uses up the budget is ended with an error part and a finish part that say so`, async () => {
    const { doStream, model, settlements, used } = setUp({ parts: modelParts(WORDS, modelUsage(50, 100)) }, 60, {
      extendTokens: 5,
    })
    const parts = await partsOf((await doStream({ ...PARAMS, maxOutputTokens: 10 })).stream)
    const [error, finish] = parts.slice(-2)
    expect(error).toMatchObject({
      type: 'error',
      error: { code: 'call_stopped', reason: 'budget-spent', key: 'credits:ada' },
    })
    expect(finish).toMatchObject({ type: 'finish', finishReason: { unified: 'error', raw: 'budget-spent' } })
    expect(model.calls.cancelled).toBeInstanceOf(CallStoppedError)
    expect(settlements).toMatchObject([{ outcome: 'stopped', usedUnits: 60 }].map(({ outcome }) => ({ outcome })))
    expect(settlements[0]?.usedUnits).toBeGreaterThan(50)
    expect(settlements[0]?.usedUnits).toBeLessThan(80)
    expect(await used()).toBeLessThanOrEqual(60)
  })
}

test('the version is what the option says, by default v4', () => {
  const { budget } = credits(1)
  expect(meterLanguageModel({ budget }).specificationVersion).toBe('v4')
  expect(meterLanguageModel({ budget, specificationVersion: 'v3' }).specificationVersion).toBe('v3')
})

test('a denied call says when a retry may help, and costs nothing', async () => {
  const { budget, clock, used } = credits({ limit: 200, per: 'minute', atRisk: 0 })
  const model = fakeModel('v4', { usage: modelUsage(50, 100) })
  const { doGenerate } = wrapped(model, { budget, clock })
  await budget.admit(150)
  const error: unknown = await doGenerate({ prompt: PROMPT, maxOutputTokens: 100 }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ reason: 'exhausted', retryAfterMs: 60_002, remaining: 50 })
  await clock.advance(60_000)
  await doGenerate({ prompt: PROMPT, maxOutputTokens: 100 })
  expect(await used()).toBe(150)
})

test('the deltas of reasoning and of tool inputs are seen, and the input of a tool that came whole', async () => {
  const text = 'z'.repeat(40)
  const parts = [
    { type: 'reasoning-delta', id: '1', delta: text },
    { type: 'tool-input-delta', id: 't1', delta: text },
    { type: 'tool-call', toolCallId: 't1', toolName: 'a', input: text },
    { type: 'tool-call', toolCallId: 't2', toolName: 'a', input: text },
    { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: modelUsage(undefined, undefined) },
  ] as unknown as readonly ModelStreamPart[]
  const { budget, onSettled, settlements, used } = credits(10_000)
  const { doStream } = wrapped(fakeModel('v4', { parts }), { budget, onSettled })
  await partsOf((await doStream(PARAMS)).stream)
  expect(settlements).toMatchObject([{ outcome: 'finished', tokens: { output: 30 } }])
  expect(await used()).toBe(settlements[0]?.usedUnits)
})

test('what is left unread behind the finish is no abort', async () => {
  const { budget, onSettled, settlements, used } = credits(10_000)
  const parts = [...modelParts([], modelUsage(50, 100)), { type: 'raw' } as ModelStreamPart]
  const { doStream } = wrapped(fakeModel('v4', { parts, behind: 'hang' }), { budget, onSettled })
  const reader = (await doStream(PARAMS)).stream.getReader()
  for (let part = 0; part < 5; part += 1) await reader.read()
  await reader.cancel()
  expect(settlements).toMatchObject([{ outcome: 'finished', usedUnits: 150 }])
  expect(await used()).toBe(150)
})

test('usage as models of version 2 report it is understood', async () => {
  const { budget, used } = credits(10_000)
  const { doGenerate } = wrapped(
    fakeModel('v4', { usage: { inputTokens: 50, outputTokens: 100, cachedInputTokens: 20 } }),
    { budget },
  )
  await doGenerate(PARAMS)
  expect(await used()).toBe(150)
})

test('attempts with one id are one reservation; without an id each attempt is settled by itself', async () => {
  const failing = Object.assign(new Error('busy'), { statusCode: 503, isRetryable: true })
  for (const id of [
    undefined,
    ({ params }: { params: { headers?: unknown } }) => (params.headers as Record<string, string>)['x-call'],
  ]) {
    const { budget, clock, onSettled, settlements, used } = credits(400)
    const options = { budget, clock, onSettled, ...(id && { id }) }
    const middleware = meterLanguageModel(options)
    const params = { ...PARAMS, headers: { 'x-call': 'call-1' } }
    const attempt = (model: FakeModel) =>
      middleware.wrapGenerate({ doGenerate: () => model.doGenerate(params), params, model })
    for (let at = 0; at < 2; at += 1) await expect(attempt(fakeModel('v4', { error: failing }))).rejects.toThrow('busy')
    expect(await budget.admit(300)).toBe(id === undefined)
    if (id === undefined) budget.refund(300)
    await attempt(fakeModel('v4', { usage: modelUsage(50, 100) }))
    expect(settlements.map(({ outcome }) => outcome)).toEqual(
      id === undefined ? ['failed', 'failed', 'finished'] : ['finished'],
    )
    expect(await used()).toBe(150)
  }
})

test('the budget may depend on the call', async () => {
  const { vsa, used, budget } = credits(1_000)
  const users = vsa.budgets('users', { initial: 1_000 })
  const model = fakeModel('v4', { usage: modelUsage(50, 100) })
  const { doGenerate } = wrapped(model, {
    budget: async ({ params }) =>
      params.headers?.['x-user'] === undefined ? null : users.of(params.headers['x-user']),
  })
  await doGenerate({ ...PARAMS, headers: { 'x-user': 'bob' } })
  await doGenerate(PARAMS)
  expect((await users.of('bob').peek()).used).toBe(150)
  expect(await used()).toBe(0)
  expect(budget.key).toBe('credits:ada')
})
