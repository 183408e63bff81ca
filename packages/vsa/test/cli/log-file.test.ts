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
    reached = fraction ?? Number.NaN
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
test('truncated or damaged gzip is an error after its complete lines were read', async () => {
  const packed = gzipSync(LONG.join('\n'))
  await expect(linesOf(fileWith('torn.gz', packed.subarray(0, packed.length - 20)))).rejects.toMatchObject({
    code: 'unreadable_log',
    message: `${join(folder, 'torn.gz')} cannot be read: its gzip data ends too early`,
  })
  packed.fill(0xff, 40, 80)
  await expect(linesOf(fileWith('bad.gz', packed))).rejects.toMatchObject({
    code: 'unreadable_log',
    message: `${join(folder, 'bad.gz')} cannot be read: its gzip data is damaged`,
  })
})
test('a missing file and a folder are errors in plain words', async () => {
  const missing = join(folder, 'none')
  await expect(linesOf(missing)).rejects.toMatchObject({
    code: 'no_such_file',
    message: `${missing} does not exist: name a log, or - for standard input`,
  })
  await expect(linesOf(join(fileWith('a-file', ''), 'b'))).rejects.toMatchObject({ code: 'no_such_file' })
  await expect(linesOf(folder)).rejects.toMatchObject({
    code: 'unreadable_log',
    message: `${folder} cannot be read: it is a folder`,
  })
})
