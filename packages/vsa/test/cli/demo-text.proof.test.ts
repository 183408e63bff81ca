import { expect, test } from 'vitest'
import { vsa } from './run-cli.ts'

test('the text of the demo has no colours where its output is no terminal', async () => {
  expect((await vsa('demo', '--seconds', '1')).stdout).toMatch(/^[\u0020-\u007e\n]+$/)
})
