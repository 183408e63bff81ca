import { expect, test } from 'vitest'
import { meterLanguageModel, type ModelStreamPart } from '../../src/ai/index.ts'
import { credits } from '../calls/credits.ts'
import { fakeModel, type FakeParams, modelParts } from './fake-model.ts'

const WORDS = Array.from({ length: 100 }, (_, at) => ` word ${at}`)
const PROMPT = [{ role: 'user', content: [{ type: 'text', text: 'x'.repeat(80) }] }]
const PARAMS: FakeParams = { prompt: PROMPT, maxOutputTokens: 200 }

test('a model that reports no usage at all is charged what was seen', async () => {
  for (const usage of [undefined, null]) {
    const { budget, onSettled, settlements, used } = credits(10_000)
    const content = [{ type: 'text', text: 'y'.repeat(400) }]
    const { wrapGenerate, wrapStream } = meterLanguageModel({ budget, onSettled })
    const call = { params: PARAMS, model: { provider: 'fake', modelId: 'fake-model' } }
    // As a provider that keeps to no specification answers.
    const doGenerate = async () => ({ content, usage: usage as unknown as object })
    expect((await wrapGenerate({ ...call, doGenerate })).content).toBe(content)
    const finish = { type: 'finish', usage } as unknown as ModelStreamPart
    const { doStream } = fakeModel('v4', { parts: [...modelParts(WORDS, null), finish] })
    const { stream } = await wrapStream({ ...call, doStream: () => doStream(PARAMS) })
    for await (const _ of stream);
    expect(settlements).toMatchObject([
      { outcome: 'finished', isEstimated: true },
      { outcome: 'finished', isEstimated: true },
    ])
    expect(settlements.every(({ tokens }) => tokens.output >= 100)).toBe(true)
    expect(await used()).toBe(settlements.reduce((sum, { usedUnits }) => sum + usedUnits, 0))
  }
})

test('an answer that cannot be read ends the call as well', async () => {
  const { budget, onSettled, settlements, used } = credits(10_000)
  const { wrapGenerate } = meterLanguageModel({ budget, onSettled })
  const content = {
    get text(): string {
      throw new Error('no text')
    },
  }
  const doGenerate = async () => ({ content, usage: {} })
  const call = { params: PARAMS, model: { provider: 'fake', modelId: 'fake-model' } }
  await expect(wrapGenerate({ ...call, doGenerate })).rejects.toThrow('no text')
  expect(settlements).toMatchObject([{ outcome: 'finished' }])
  expect(await used()).toBe(settlements[0]?.usedUnits)
})

test('an abort while the model begins its stream ends the call, where the model does not heed it', async () => {
  const { budget, clock, onSettled, settlements, used } = credits(10_000)
  const abort = new AbortController()
  const model = fakeModel('v4', { parts: modelParts(WORDS, null), behind: 'hang' })
  const { wrapStream } = meterLanguageModel({ budget, clock, onSettled })
  const doStream = async () => {
    abort.abort()
    return model.doStream(PARAMS)
  }
  await wrapStream({ doStream, params: { ...PARAMS, abortSignal: abort.signal }, model })
  await clock.settle()
  expect(settlements).toMatchObject([{ outcome: 'aborted', isEstimated: true }])
  expect(await used()).toBe(settlements[0]?.usedUnits)
})
