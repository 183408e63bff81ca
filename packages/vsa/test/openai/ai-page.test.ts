import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { programsOf } from '../house/readme-programs.ts'
import { root, temporaryFolder } from '../house/repository.ts'
import { fakeProvider } from './fake-provider.ts'
import { wireEvents } from './wire-events.ts'

test('docs/ai.md: the program without a client prints what the page says', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))
  const [{ code, output } = { code: '', output: '' }, ...others] = programsOf('docs/ai.md')
  expect(others).toEqual([])
  writeFileSync(join(folder, 'program.mjs'), code)
  const provider = await fakeProvider()
  const events = wireEvents('responses', ['Hello', '!'], { input: 10, output: 90 })
  // The second one has come to its two words when it is aborted.
  provider.answer({ kind: 'stream', events }, { kind: 'stream', events, hangAfter: 4, pieceBytes: 10_000 })
  const env = { ...process.env, OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: 'key' }
  const run = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder, env, timeout: 100_000 })
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: output, stderr: '' })
  await provider.close()
})
