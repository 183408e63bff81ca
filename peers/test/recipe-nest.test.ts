import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sparePort } from 'vsa-servers'
import { expect, test } from 'vitest'
import { filesOf, packageFolder, root } from './recipe-page.ts'
import { served, type RecipeServer } from './recipe-server.ts'

const folder = packageFolder()
/** What Nest asks of the compiler, and what this repository does. */
const OPTIONS = ['--experimentalDecorators', '--emitDecoratorMetadata', '--skipLibCheck', '--strict', '--types', 'node']

/** The recipe's program, compiled and type-checked. @returns its folder */
async function compiled(): Promise<string> {
  const place = join(folder, 'nest')
  mkdirSync(place)
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }')
  for (const { path, code } of filesOf('NestJS')) writeFileSync(join(place, path), code)
  const target = ['--target', 'es2023', '--module', 'nodenext', '--typeRoots', join(root, 'node_modules/@types')]
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [compiler, ...OPTIONS, ...target, 'main.ts'], { cwd: place })
  return place
}

async function countsOf({ url }: RecipeServer, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const answers = await Promise.all(Array.from({ length: requests }, () => fetch(url)))
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

test('NestJS: an app with the guard admits its limit and no request more, also after a restart and with a second process', async () => {
  const cwd = await compiled()
  const first = await served(['main.js'], await sparePort(), { cwd })
  const answer = await fetch(first.url)
  expect(await answer.text()).toBe('hello')
  expect(answer.headers.get('x-ratelimit-limit')).toBe('100')
  expect(answer.headers.get('x-ratelimit-remaining')).toBe('99')
  expect(Number(answer.headers.get('x-ratelimit-reset'))).toBeLessThanOrEqual(86_400)
  expect(await countsOf(first, 29)).toEqual({ 200: 29 })
  expect(await first.ended()).toMatchObject({ exit: 'SIGTERM' })

  const [second, third] = [
    await served(['main.js'], await sparePort(), { cwd }),
    await served(['main.js'], await sparePort(), { cwd }),
  ]
  const counts = await Promise.all([countsOf(second, 60), countsOf(third, 60)])
  expect(counts.reduce((sum, { 200: admitted = 0 }) => sum + admitted, 0)).toBe(70)
  const denied = await fetch(second.url)
  expect(denied.status).toBe(429)
  expect(Number(denied.headers.get('retry-after'))).toBeGreaterThan(0)
  for (const server of [second, third]) await server.ended()

  // Closed in order: nothing burned, and the books balance (L2).
  const vsa = join(root, 'packages/vsa/bin/vsa.js')
  const { stdout } = await promisify(execFile)(process.execPath, [vsa, 'usage', 'vsa.db', '--csv'], { cwd })
  const [, row = ''] = stdout.split('\n')
  // Limit, minted, used, reserved, burned, leased.
  expect(row).toMatch(/,100,100,100,0,0,0$/)
  await promisify(execFile)(process.execPath, [vsa, 'verify', 'vsa.db'], { cwd })
})
