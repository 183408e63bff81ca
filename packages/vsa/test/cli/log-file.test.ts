import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readLines } from '../../src/cli/replay/log-file.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vsa-test-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function fileWith(name: string, content: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function linesOf(path: string): Promise<readonly (string | null)[]> {
  const texts: (string | null)[] = []
  let reached = 0
  for await (const { lines, fraction } of readLines(path)) {
    expect(fraction).toBeGreaterThanOrEqual(reached)
    reached = fraction
    texts.push(...lines.map(({ text }) => text))
  }
  expect(reached).toBe(1)
  return texts
}

const LONG = Array.from({ length: 20_000 }, (_, index) => `line ${index}`)

test('plain text of many chunks is read completely', async () => {
  expect(await linesOf(fileWith('plain', LONG.join('\n')))).toEqual(LONG)
})
test('gzip is detected by its content, with one member or several', async () => {
  expect(await linesOf(fileWith('packed.log', gzipSync(LONG.join('\n'))))).toEqual(LONG)
  expect(await linesOf(fileWith('two.gz', Buffer.concat([gzipSync('a\nb'), gzipSync('c\n')])))).toEqual(['a', 'bc'])
})
test('a file may be empty or have a single byte', async () => {
  expect(await linesOf(fileWith('empty', ''))).toEqual([])
  expect(await linesOf(fileWith('byte', 'x'))).toEqual(['x'])
})
test('truncated gzip is an error after its complete lines were read', async () => {
  const packed = gzipSync(LONG.join('\n'))
  await expect(linesOf(fileWith('torn.gz', packed.subarray(0, packed.length - 20)))).rejects.toMatchObject({
    code: 'Z_BUF_ERROR',
  })
})
test('a missing file and a folder are errors', async () => {
  await expect(linesOf(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(linesOf(folder)).rejects.toMatchObject({ code: 'EISDIR' })
})
