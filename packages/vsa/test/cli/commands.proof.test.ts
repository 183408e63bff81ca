import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { aFolder, aStore, tamper } from './store-fixture.ts'
import { vsa } from './run-cli.ts'

const version: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

describe('vsa verify, as built', () => {
  test('exits 0 and prints one JSON document', async () => {
    const path = await aStore(aFolder())
    const { code, stdout, stderr } = await vsa('verify', path, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, rows: 2 })
  })
  test('L2: exits 1 and names the row that does not balance', async () => {
    const path = await aStore(aFolder())
    await tamper(path, "UPDATE budget SET used = used + 1 WHERE key = 'concert-43'")
    const { code, stdout } = await vsa('verify', path)
    expect(code).toBe(1)
    expect(stdout).toContain('concert-43')
  })
  test('exits 2 with an error code when it cannot read the file', async () => {
    const path = join(aFolder(), 'none.db')
    const plain = await vsa('verify', path)
    expect(plain).toMatchObject({ code: 2, stdout: '' })
    expect(plain.stderr).toMatch(/none\.db does not exist.*\(no_such_file\)\n$/)
    const { code, stdout } = await vsa('verify', path, '--json')
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'no_such_file' } })
  })
})

describe('vsa inspect, as built', () => {
  test('prints tables, or JSON', async () => {
    const path = await aStore(aFolder())
    expect((await vsa('inspect', path, 'concert-42')).stdout).toMatch(/concert-42/)
    expect(JSON.parse((await vsa('inspect', path, '--json')).stdout)).toMatchObject({ counters: [{ key: 'likes' }] })
  })
})

describe('the command line', () => {
  test('prints its version and its commands', async () => {
    expect(version).toMatchObject({ version: (await vsa('--version')).stdout.trim() })
    const { code, stdout } = await vsa('--help')
    expect(code).toBe(0)
    for (const name of ['demo', 'replay', 'verify', 'inspect', 'why', 'usage', 'migrate'])
      expect(stdout).toContain(name)
    expect(stdout).not.toContain('victim')
  })
  test.each(['demo', 'replay', 'verify', 'inspect', 'why', 'usage', 'migrate'])(
    'vsa %s --help names the command',
    async (name) => {
      const { code, stdout, stderr } = await vsa(name, '--help')
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(new RegExp(`^Usage: vsa ${name} `))
    },
  )
  test('without arguments it prints help on standard error and exits 2', async () => {
    const { code, stdout, stderr } = await vsa()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: vsa /)
  })
  test.each([
    [['verify'], '<store>'],
    [['fly'], "'fly'"],
    [['verify', 'postgers://me:hunter2@db/app'], "'postgres:'"],
    [['verify', 'a.db', '--colour'], "'--colour'"],
    [['replay', 'log', '--limit', '-1'], '--limit'],
    [['replay', 'log', '--per', 'fortnight'], '--per'],
    [['replay', 'log', '--key', 'host'], '--key'],
    [['replay', 'log', '--flush', '2h'], '--flush'],
    [['inspect', 'a.db', '--time-zone', 'Berlin'], '--time-zone'],
    [['demo', '--seconds', '0'], '--seconds'],
    [['demo', 'agent'], "'agents'"],
  ])('vsa %s is refused: exit 2, and an error that names %s', async (args, named) => {
    const { code, stdout, stderr } = await vsa(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^vsa: [^\n]+ \(usage\)\n$/)
    expect(stderr).toContain(named)
  })
  test.each([
    [['verify', '--json']],
    [['fly', '--json']],
    [['inspect', 'a.db', '--rows', 'x', '--json']],
    [['--json']],
  ])('%j: an argument error under --json is one JSON document', async (args) => {
    const { code, stdout, stderr } = await vsa(...args)
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'usage' } })
    expect(stderr).toMatch(/^vsa: /)
  })
  test('control characters that were typed are not printed', async () => {
    for (const args of [['verify', '/x\u009b31m\u202e'], ['fly\u001b[2J'], ['inspect', 'a', '--rows', '\u2066']]) {
      const { code, stderr } = await vsa(...args)
      expect(code).toBe(2)
      expect(stderr).toMatch(/^[\u0020-\u007e]+\n$/)
    }
  })
})

test('the linked command names the build command when nothing is built', () => {
  const folder = aFolder()
  cpSync(fileURLToPath(new URL('../../bin', import.meta.url)), join(folder, 'bin'), { recursive: true })
  const args = [join(folder, 'bin/vsa.js'), '--help']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain('npm run build')
})
