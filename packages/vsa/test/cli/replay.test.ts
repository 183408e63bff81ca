import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseKeyField } from '../../src/cli/replay/key-field.ts'
import { type ReplayOptions, replay } from '../../src/cli/replay/replay.ts'
import { verify } from '../../src/cli/verify.ts'
import { aFolder } from './store-fixture.ts'

const NOON = Date.parse('2024-05-05T12:00:00Z')

function aLog(folder: string, lines: readonly string[], name = 'access.log'): string {
  const path = join(folder, name)
  const content = lines.join('\n')
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content)
  return path
}

const json = (key: string, afterMs: number, cost = 1): string => JSON.stringify({ key, at: NOON + afterMs, cost })
const access = (ip: string, second: number): string =>
  `${ip} - - [05/May/2024:12:00:${String(second).padStart(2, '0')} +0000] "GET / HTTP/1.1" 200 5 "-" "-"`

const options = (file: string, part: Partial<ReplayOptions> = {}): ReplayOptions => ({
  file,
  key: parseKeyField('key'),
  limit: 60,
  per: 60_000,
  flushIntervalMs: 100,
  showsProgress: false,
  ...part,
})

describe('decisions', () => {
  test('reports admitted and denied units, and the keys denied most', async () => {
    const file = aLog(aFolder(), [
      ...Array.from({ length: 70 }, (_, index) => json('greedy', index * 100)),
      ...Array.from({ length: 5 }, (_, index) => json('modest', 7_000 + index)),
      json('greedy', 60_000, 60),
      json('greedy', 60_001),
      json('huge', 60_002, 61),
    ])
    const { ok, json: found, text } = await replay(options(file))
    expect(found).toMatchObject({
      ok: true,
      log: { requests: 78, badLines: 0, outOfOrder: 0, from: NOON, to: NOON + 60_002 },
      decisions: {
        admittedRequests: 66,
        admittedUnits: 125,
        deniedRequests: 12,
        deniedUnits: 72,
        keys: 3,
        topDenied: [
          { key: 'huge', requests: 1, units: 61 },
          { key: 'greedy', requests: 11, units: 11 },
        ],
        failures: {},
      },
      writes: { perRequestDesign: 78 },
      books: { used: 125, admitted: 125, burned: 0, held: 0, faulty: [] },
    })
    expect(ok).toBe(true)
    expect(text).toContain('The books are right, to the unit, at every interval.')
  })

  test('replays gzip by address, with bad lines and lines out of order', async () => {
    const lines = [access('10.0.0.1', 5), 'garbage', access('10.0.0.2', 4), access('::1', 9)]
    const {
      ok,
      json: found,
      text,
    } = await replay(options(aLog(aFolder(), lines, 'log.gz'), { key: parseKeyField('ip') }))
    expect(found).toMatchObject({ ok: true, log: { requests: 3, badLines: 1, outOfOrder: 1, furthestBackMs: 1_000 } })
    expect(ok).toBe(true)
    expect(text).toContain('line 2, not in the combined log format: garbage')
    expect(text).toContain('No request would have been denied.')
  })

  test('replays with calendar periods', async () => {
    const file = aLog(aFolder(), [json('a', 0, 2), json('a', 1_800_000, 2), json('a', 3_600_000, 2)])
    const { json: found } = await replay(options(file, { limit: 3, per: 'hour' }))
    expect(found).toMatchObject({ ok: true, decisions: { admittedUnits: 4, deniedUnits: 2 } })
  })
})

describe('the trade-off', () => {
  test('L7: many requests of one key write few records, and fewer at longer intervals', async () => {
    const file = aLog(
      aFolder(),
      Array.from({ length: 3_000 }, (_, index) => json('hot', index * 10)),
    )
    const { ok, json: found } = await replay(options(file, { limit: 1_000_000, per: 'day' }))
    expect(ok).toBe(true)
    const { trade } = found as {
      trade: { flushIntervalMs: number; records: number; isOfUse: boolean; booksAreRight: boolean }[]
    }
    expect(trade.map(({ flushIntervalMs }) => flushIntervalMs)).toEqual([100, 1_000, 10_000, 60_000, 600_000])
    expect(trade.every(({ isOfUse, booksAreRight }) => isOfUse && booksAreRight)).toBe(true)
    const records = trade.map(({ records }) => records)
    expect(records).toEqual(records.toSorted((a, b) => b - a))
    expect(records[0]).toBeLessThanOrEqual(310)
  })
  test('when no requests share an interval, the text says that VSA saves almost nothing', async () => {
    const file = aLog(
      aFolder(),
      Array.from({ length: 50 }, (_, index) => json(`visitor ${index}`, index * 1_000)),
    )
    const { ok, text } = await replay(options(file))
    expect(ok).toBe(true)
    expect(text).toContain('VSA does next to nothing for this traffic')
  })
})

describe('stores', () => {
  test('a named store is kept, and its rows balance', async () => {
    const folder = aFolder()
    const storePath = join(folder, 'kept.db')
    const { text } = await replay(options(aLog(folder, [json('a', 0, 7)]), { storePath }))
    expect(text).toContain(`vsa verify ${storePath}`)
    expect((await verify(storePath)).json).toMatchObject({ ok: true, used: 7, held: 0 })
  })
  test('an existing file is refused', async () => {
    const folder = aFolder()
    const file = aLog(folder, [json('a', 0)])
    await expect(replay(options(file, { storePath: file }))).rejects.toMatchObject({ code: 'store_exists' })
  })
  test('a temporary store is removed', async () => {
    const temporary = aFolder()
    const file = aLog(aFolder(), [json('a', 0)])
    vi.stubEnv('TMPDIR', temporary)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    await replay(options(file))
    expect(readdirSync(temporary)).toEqual([])
  })
})

describe('logs that cannot be replayed', () => {
  test.each([
    ['an empty file', []],
    ['a file without a request', ['garbage']],
  ])('%s', async (_name, lines) => {
    await expect(replay(options(aLog(aFolder(), lines)))).rejects.toMatchObject({ code: 'no_requests' })
  })
  test('a missing file is an error', async () => {
    await expect(replay(options('/nowhere/access.log'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
