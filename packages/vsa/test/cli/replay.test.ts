import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseKeyField } from '../../src/cli/replay/key-field.ts'
import { replay } from '../../src/cli/replay/replay.ts'
import { verify } from '../../src/cli/verify.ts'
import { access, aLog, json, type ManyKeys, mixed, NOON, onceEach, options } from './replay-fixture.ts'
import { aFolder } from './store-fixture.ts'

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
      books: { used: 125, admitted: 125, burned: 0, leased: 0, faulty: [], unreadable: [] },
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
    const { text } = await replay(options(aLog(folder, [json('a', 0, 7)]), { store: storePath }))
    expect(text).toContain(`vsa verify ${storePath}`)
    expect((await verify(storePath)).json).toMatchObject({ ok: true, used: 7, leased: 0 })
  })
  test('an existing file is refused', async () => {
    const folder = aFolder()
    const file = aLog(folder, [json('a', 0)])
    await expect(replay(options(file, { store: file }))).rejects.toMatchObject({ code: 'store_exists' })
  })
  test('a store on a server is refused, because its time is not that of the log', async () => {
    const file = aLog(aFolder(), [json('a', 0)])
    const store = 'postgres://me:hunter2@localhost:1/app'
    const message: unknown = expect.stringMatching(
      /^a replay runs on the time of the log, and postgres:\/\/me@localhost:1\/app goes/,
    )
    await expect(replay(options(file, { store }))).rejects.toMatchObject({ code: 'not_supported', message })
  })
  test('without a named store nothing is written to the disk', async () => {
    const temporary = aFolder()
    const file = aLog(aFolder(), [json('a', 0)])
    vi.stubEnv('TMPDIR', temporary)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const changed = statSync(temporary).mtimeMs
    await replay(options(file))
    expect(readdirSync(temporary)).toEqual([])
    expect(statSync(temporary).mtimeMs).toBe(changed)
  })
  test('a store in memory and a SQLite file give the same figures', async () => {
    const folder = aFolder()
    const file = aLog(folder, mixed(150))
    const inMemory = (await replay(options(file, { limit: 20 }))).json
    const inFile = (await replay(options(file, { limit: 20, store: join(folder, 'kept.db') }))).json
    expect(inFile).toEqual({ ...(inMemory as object), store: join(folder, 'kept.db') })
  })
})

describe('many keys', () => {
  test('L7: requests of one moment share store calls, as they would in a service', async () => {
    const found = (await replay(options(aLog(aFolder(), onceEach(0, 2_000))))).json as ManyKeys
    expect(found.ok).toBe(true)
    // At most 1,000 entries go into one call: two to admit, two to return the leases.
    for (const { storeCalls } of found.trade) expect(storeCalls).toBeLessThanOrEqual(6)
  })
  test('rows of past periods are not kept in memory, and are in the books', async () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => json(`key ${index % 10}`, index * 10_000, 2))
    const { ok, json: found } = await replay(options(aLog(aFolder(), lines), { limit: 2, per: 1_000 }))
    expect(found).toMatchObject({ books: { rows: 1_000, used: 2_000, minted: 2_000, admitted: 2_000, leased: 0 } })
    expect(ok).toBe(true)
  })
})

describe('times in several units', () => {
  test.each([
    ['one of three in µs', [NOON, NOON + 1, (NOON + 2) * 1_000]],
    ['seconds, ms, µs and ns', [NOON / 1_000, NOON + 1, (NOON + 2) * 1e3, (NOON + 3) * 1e6]],
    ['ns first', [NOON * 1e6, NOON + 5, NOON / 1_000 + 1]],
  ])('%s: the books are right', async (_name, times) => {
    const lines = times.map((at) => JSON.stringify({ key: 'a', at }))
    const { ok, json: found, text } = await replay(options(aLog(aFolder(), lines)))
    expect(found).toMatchObject({
      log: { requests: times.length, badLines: 0, from: NOON },
      books: { used: times.length },
    })
    expect(ok).toBe(true)
    expect(text).toContain('Times that cannot be in ms, taken in the unit of their size: ')
  })
  test('a time of the far future is left out, and the books of a kept store are right', async () => {
    const folder = aFolder()
    const lines = [json('a', 0), JSON.stringify({ key: 'a', at: '9999-12-31T23:59Z' }), '{"key":"a","at":0}']
    const { ok, json: found } = await replay(options(aLog(folder, lines), { store: join(folder, 'kept.db') }))
    expect(found).toMatchObject({ log: { requests: 2, badLines: 1 }, books: { rows: 2, used: 2 } })
    expect(ok).toBe(true)
  })
})

describe('logs that cannot be replayed', () => {
  test.each([
    ['an empty file', []],
    ['a file without a request', ['garbage']],
  ])('%s', async (_name, lines) => {
    await expect(replay(options(aLog(aFolder(), lines)))).rejects.toMatchObject({ code: 'no_requests' })
  })
  test('the error names the first bad line and what is wrong with it', async () => {
    const file = aLog(aFolder(), ['{"key":"a","at":"yesterday"}', 'garbage'])
    await expect(replay(options(file))).rejects.toMatchObject({
      message: `none of the 2 lines of ${file} is a request: line 1: "at" is neither ms since 1970 nor an ISO 8601 time`,
    })
  })
  test('a missing file is an error', async () => {
    await expect(replay(options('/nowhere/access.log'))).rejects.toMatchObject({ code: 'no_such_file' })
  })
})
