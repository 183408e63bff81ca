import type {
  LanguageModelV3,
  LanguageModelV3Middleware,
  LanguageModelV4,
  LanguageModelV4Middleware,
} from '@ai-sdk/provider'
import { APICallError, generateText, simulateReadableStream, streamText, wrapLanguageModel } from 'ai'
import { MockLanguageModelV3, MockLanguageModelV4 } from 'ai/test'
import { expect, test } from 'vitest'
import { CallDeniedError, CallStoppedError, meterLanguageModel, type ModelMeterOptions } from 'vsa/ai'
import { modelBooks } from './model-calls.ts'

const WORDS = Array.from({ length: 100 }, (_, at) => ` word${at}`)
const USAGE = {
  inputTokens: { total: 50, noCache: 30, cacheRead: 20, cacheWrite: 0 },
  outputTokens: { total: 100, text: 100, reasoning: 0 },
}
const FINISH = { unified: 'stop', raw: 'stop' } as const

type Answer = Awaited<ReturnType<LanguageModelV4['doGenerate']>>
type Part = Awaited<ReturnType<LanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer One> ? One : never

const answer: Answer = { content: [{ type: 'text', text: 'hello' }], finishReason: FINISH, usage: USAGE, warnings: [] }
const parts: Part[] = [
  { type: 'stream-start', warnings: [] },
  { type: 'text-start', id: '1' },
  ...WORDS.map((delta): Part => ({ type: 'text-delta', id: '1', delta })),
  { type: 'text-end', id: '1' },
  { type: 'finish', usage: USAGE, finishReason: FINISH },
]

/** The middleware is of the types of the SDK as it is. */
function v4(options: ModelMeterOptions): LanguageModelV4Middleware {
  return meterLanguageModel(options)
}

function v3(options: ModelMeterOptions<'v3'>): LanguageModelV3Middleware {
  return meterLanguageModel({ ...options, specificationVersion: 'v3' })
}

const MODELS = {
  v4: (chunks: Part[], doGenerate = async () => answer) =>
    new MockLanguageModelV4({ doGenerate, doStream: async () => ({ stream: simulateReadableStream({ chunks }) }) }),
  // The parts that are used here have the same form in both.
  v3: (chunks: Part[], doGenerate = async () => answer) =>
    new MockLanguageModelV3({
      doGenerate,
      doStream: async () => ({ stream: simulateReadableStream({ chunks }) }),
    } as never),
}

test('the middleware of version 3 has the type of the SDK of version 6', () => {
  const { budget } = modelBooks(1)
  const middleware: LanguageModelV3Middleware = v3({ budget })
  expect(middleware.specificationVersion).toBe('v3')
})

for (const version of ['v4', 'v3'] as const) {
  const setUp = (units: number, chunks = parts, doGenerate?: () => Promise<Answer>) => {
    const books = modelBooks(units)
    const model: LanguageModelV4 | LanguageModelV3 = MODELS[version](chunks, doGenerate)
    const middleware = v4({ budget: books.budget, onSettled: books.onSettled, extendTokens: 5 })
    return { ...books, model: wrapLanguageModel({ model, middleware }) }
  }

  test(`${version}: generateText and streamText are charged what the provider counted`, async () => {
    const { model, settlements, used } = setUp(10_000)
    expect((await generateText({ model, prompt: 'hi', maxOutputTokens: 200 })).text).toBe('hello')
    const stream = streamText({ model, prompt: 'hi', maxOutputTokens: 200 })
    expect(await stream.text).toBe(WORDS.join(''))
    expect(await stream.usage).toMatchObject({ inputTokens: 50, outputTokens: 100 })
    expect(settlements).toMatchObject([
      { outcome: 'finished', usedUnits: 150, isEstimated: false, tokens: { input: 30, cacheRead: 20, output: 100 } },
      { outcome: 'finished', usedUnits: 150, isEstimated: false },
    ])
    expect(await used()).toBe(300)
  })

  test(`${version}: 64 streamText at once on a budget that allows one: one runs, the others tell why`, async () => {
    const { model, used } = setUp(350)
    const errors: unknown[] = []
    const texts = await Promise.all(
      Array.from({ length: 64 }, async () => {
        let text = ''
        const stream = streamText({
          model,
          prompt: 'hi',
          maxOutputTokens: 200,
          onError: ({ error }) => void errors.push(error),
        })
        for await (const part of stream.textStream) text += part
        return text
      }),
    )
    expect(texts.filter((text) => text === WORDS.join('')).length).toBe(1)
    expect(errors.length).toBe(63)
    expect(errors.every((error) => error instanceof CallDeniedError)).toBe(true)
    expect(await used()).toBe(150)
  })

  test(`${version}: an abort in mid-stream costs what was seen`, async () => {
    const { model, settlements, used } = setUp(10_000)
    const abort = new AbortController()
    const stream = streamText({ model, prompt: 'hi', maxOutputTokens: 200, abortSignal: abort.signal })
    let words = 0
    for await (const _ of stream.textStream) {
      words += 1
      if (words === 50) abort.abort()
    }
    expect(words).toBeLessThan(100)
    expect(settlements).toMatchObject([{ outcome: 'aborted', isEstimated: true }])
    expect(settlements[0]?.tokens.output).toBeGreaterThanOrEqual(75)
    expect(settlements[0]?.tokens.output).toBeLessThan(150)
    expect(await used()).toBe(settlements[0]?.usedUnits)
  })

  test(`${version}: a stream that uses up the budget is ended, and the caller is told why`, async () => {
    const { model, settlements, used } = setUp(60)
    const errors: unknown[] = []
    const stream = streamText({
      model,
      prompt: 'hi',
      maxOutputTokens: 10,
      onError: ({ error }) => void errors.push(error),
    })
    let text = ''
    for await (const part of stream.textStream) text += part
    expect(WORDS.join('').startsWith(text)).toBe(true)
    expect(text.length).toBeGreaterThan(100)
    expect(errors).toMatchObject([{ name: 'CallStoppedError', reason: 'budget-spent' }])
    expect(errors[0]).toBeInstanceOf(CallStoppedError)
    expect(await stream.finishReason).toBe('error')
    expect(settlements).toMatchObject([{ outcome: 'stopped' }])
    expect(await used()).toBeLessThanOrEqual(60)
  })

  test(`${version}: a denied call is not retried by the SDK, and reaches no model`, async () => {
    let calls = 0
    const { model, used } = setUp(100, parts, async () => ((calls += 1), answer))
    const error: unknown = await generateText({ model, prompt: 'hi', maxOutputTokens: 200 }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(CallDeniedError)
    expect(error).toMatchObject({ reason: 'over-limit', statusCode: 429 })
    expect(calls).toBe(0)
    expect(await used()).toBe(0)
  })

  test(`${version}: the retries of the SDK cost what the last attempt took; under an id they are one reservation`, async () => {
    for (const id of [undefined, () => 'call-1']) {
      let calls = 0
      const busy = new APICallError({
        message: 'busy',
        url: 'http://a',
        requestBodyValues: {},
        statusCode: 503,
        responseHeaders: { 'retry-after-ms': '1' },
      })
      const books = modelBooks(300)
      const model = MODELS[version](parts, async () => {
        calls += 1
        // In between, the units are not for others.
        if (calls < 3) throw busy
        return answer
      })
      const { budget, onSettled, settlements, used } = books
      const wrapped = wrapLanguageModel({ model, middleware: v4({ budget, onSettled, ...(id && { id }) }) })
      expect((await generateText({ model: wrapped, prompt: 'hi', maxOutputTokens: 200, maxRetries: 2 })).text).toBe(
        'hello',
      )
      expect(settlements.map(({ usedUnits }) => usedUnits)).toEqual(id === undefined ? [0, 0, 150] : [150])
      expect(await used()).toBe(150)
    }
  })
}
