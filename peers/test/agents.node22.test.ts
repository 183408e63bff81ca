import { Agent, OpenAIChatCompletionsModel, run, setTracingDisabled } from '@openai/agents'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { meteredFetch } from 'vsa/openai'
import { fakeProvider } from '../../packages/vsa/test/openai/fake-provider.ts'
import { wireAnswer } from '../../packages/vsa/test/openai/wire-events.ts'
import { modelBooks } from './model-calls.ts'

test('agents run on a client with a metered fetch: a budget for a run', async () => {
  setTracingDisabled(true)
  const provider = await fakeProvider()
  const { budget, used } = modelBooks(2_000)
  provider.answer({ kind: 'json', body: wireAnswer('chat', 'done', { input: 40, output: 60 }) })
  const client = new OpenAI({ apiKey: 'key', baseURL: provider.url, maxRetries: 0, fetch: meteredFetch({ budget }) })
  const model = new OpenAIChatCompletionsModel(client, 'gpt-test')
  const agent = new Agent({ name: 'helper', instructions: 'Be short.', model })
  expect((await run(agent, 'hello')).finalOutput).toBe('done')
  expect(await used()).toBe(100)
  await budget.admit(1_900)
  await expect(run(agent, 'hello')).rejects.toThrow(/credits:ada/)
  expect(await used()).toBe(2_000)
  await provider.close()
})
