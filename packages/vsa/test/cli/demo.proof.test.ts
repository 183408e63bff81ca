import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { aFolder } from './store-fixture.ts'
import { CLI, vsa, vsaFed } from './run-cli.ts'

describe('vsa replay, as built', () => {
  test('reads standard input, packed or not', async () => {
    const log = [1, 2, 3]
      .map((second) => `::1 - - [05/May/2024:12:00:0${second} +0000] "GET / HTTP/1.1" 200 5`)
      .join('\n')
    for (const input of [log, gzipSync(log)]) {
      const { code, stdout, stderr } = await vsaFed(input, 'replay', '-', '--limit', '2', '--json')
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, file: '-', decisions: { admittedUnits: 2, deniedUnits: 1 } })
    }
    expect((await vsaFed(log, 'replay', '-')).stdout).toMatch(/^standard input: 3 requests by 1 ip/)
    expect(await vsaFed('', 'replay', '-')).toMatchObject({
      code: 2,
      stderr: 'vsa: none of the 0 lines of standard input is a request: it is empty (no_requests)\n',
    })
  })
  test('reads a pipe by its path, once', () => {
    const log = join(aFolder(), 'access.log')
    writeFileSync(log, '{"ip":"a","at":1}\n{"ip":"a","at":2}\n')
    const piped = spawnSync('sh', ['-c', `cat "$0" | "$1" "$2" replay /dev/stdin --json`, log, process.execPath, CLI])
    expect(piped.stderr.toString()).toBe('')
    expect(JSON.parse(piped.stdout.toString())).toMatchObject({ ok: true, log: { requests: 2 } })
  })
  test('reads gzip, and prints one JSON document', async () => {
    const log = join(aFolder(), 'access.log.gz')
    const line = '::1 - - [05/May/2024:12:00:07 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"'
    writeFileSync(log, gzipSync([line, 'garbage', 'x'.repeat(1_048_576), line].join('\n')))
    const { code, stdout, stderr } = await vsa('replay', log, '--limit', '1', '--per', 'hour', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      log: { requests: 2, badLines: 2 },
      decisions: { admittedUnits: 1, deniedUnits: 1, topDenied: [{ key: '::1' }] },
    })
  })
  test('exits 2 and prints the code of the error', async () => {
    const { code, stdout, stderr } = await vsa('replay', '/nowhere/access.log', '--json')
    expect(code).toBe(2)
    expect(stderr).toBe('vsa: /nowhere/access.log does not exist: name a log, or - for standard input (no_such_file)\n')
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'no_such_file' } })
  })
})
