import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeProvider, fakeProvider } from '../../packages/vsa/test/openai/fake-provider.ts'
import { type Api, wireAnswer, wireEvents } from '../../packages/vsa/test/openai/wire-events.ts'
import { packageFolder, root } from './recipe-page.ts'

const page = readFileSync(join(root, 'docs/ai.md'), 'utf8')
const PROGRAM = /^## (?<title>.+)$|^```mjs\n(?<code>[^]*?)^```\n\n```text\n(?<output>[^]*?)^```/gm

function programs(): readonly { readonly title: string; readonly code: string; readonly output: string }[] {
  let heading = ''
  return [...page.matchAll(PROGRAM)].flatMap(({ groups }) => {
    const { title, code, output } = groups ?? {}
    if (title !== undefined) heading = title
    return code === undefined || output === undefined ? [] : [{ title: heading, code, output }]
  })
}

/** The model of the program for the AI SDK. */
const MODEL = `
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
const usage = { inputTokens: { total: 10, noCache: 10 }, outputTokens: { total: 90 } }
const finish = { type: 'finish', usage, finishReason: { unified: 'stop', raw: 'stop' } }
export const model = new MockLanguageModelV4({ doStream: async () => ({ stream: simulateReadableStream({ chunks: [finish] }) }) })
`
const APIS: Readonly<Record<string, Api>> = { OpenAI: 'chat', Anthropic: 'messages' }
const USAGE = { input: 100, output: 400 }

const folder = packageFolder()
let provider: FakeProvider
beforeAll(async () => {
  provider = await fakeProvider()
})
afterAll(() => provider.close())

test('there are three programs with clients', () => {
  expect(programs().map(({ title }) => title)).toEqual(['The AI SDK', 'OpenAI', 'Anthropic'])
})

test.each(programs())('$title: the program prints what the page says', async ({ title, code, output }) => {
  const api = APIS[title] ?? 'chat'
  if (api === 'chat') provider.answer({ kind: 'stream', events: wireEvents(api, ['Hello', '!'], USAGE) })
  else provider.answer({ kind: 'json', body: wireAnswer(api, 'Hello!', USAGE) })
  const place = join(folder, title.replaceAll(' ', '-'))
  mkdirSync(place)
  writeFileSync(join(place, 'program.mjs'), code)
  writeFileSync(join(place, 'model.mjs'), MODEL)
  const env = {
    ...process.env,
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: provider.url,
    ANTHROPIC_API_KEY: 'key',
    ANTHROPIC_BASE_URL: provider.url.replace('/v1', ''),
  }
  const run = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: place, env, timeout: 100_000 })
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: output, stderr: '' })
})
