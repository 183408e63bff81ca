import { expect, test } from 'vitest'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { storeConformance, type ConformanceOptions, type MakeStore } from '../../src/testing/index.ts'
import { tamperedStore, type Bug } from './tampered-store.ts'

interface Case {
  readonly title: string
  readonly run: () => Promise<void>
}

/** The tests that the suite registers. */
function casesOf(make: MakeStore, options: ConformanceOptions): readonly Case[] {
  const cases: Case[] = []
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it: (title: string, run: () => Promise<void>) => cases.push({ title, run }),
    expect,
  }
  storeConformance('tampered', make, runner, options)
  return cases
}

/** Titles of the tests that a store with this bug fails, of all or of those whose title includes one of `parts`. */
async function failures(bug: Bug, parts: readonly string[] = ['']): Promise<string[]> {
  const make: MakeStore = (needs) => {
    const store = tamperedStore(needs, bug)
    return { store, another: () => store, dispose: () => store.close() }
  }
  const failed: string[] = []
  const cases = casesOf(make, { sequences: 20 }).filter(({ title }) => parts.some((part) => title.includes(part)))
  for (const { title, run } of cases) await run().catch(() => failed.push(title))
  return failed
}

const never: MakeStore = () => {
  throw new Error('registering makes no store')
}

test('every title begins with a law or rule, and no two are the same', () => {
  const titles = casesOf(never, {}).map(({ title }) => title)
  expect(titles.filter((title) => !/^([LSOGFRIVP]\d+(, |-(?=S))?)+: /.test(title))).toEqual([])
  expect(new Set(titles).size).toBe(titles.length)
  expect(titles.length).toBeGreaterThanOrEqual(115)
})

test('a store with a clock of its own is spared the tests that would wait long', () => {
  const titles = casesOf(never, { time: 'own' }).map(({ title }) => title)
  expect(titles.length).toBeGreaterThanOrEqual(95)
  expect(titles.filter((title) => title.startsWith('S10'))).toEqual([])
})

test('a store whose second handle cannot be opened is disposed of', async () => {
  let disposed = 0
  const make: MakeStore = (needs) => ({
    store: tamperedStore(needs, {}),
    another: () => Promise.reject(new Error('no second handle')),
    dispose: async () => void disposed++,
  })
  await expect(casesOf(make, {})[0]?.run()).rejects.toThrow('no second handle')
  expect(disposed).toBe(1)
})

test('an adapter is tried as the store that it makes', async () => {
  const make: MakeStore = ({ now, leaseTtlMs }) => {
    const store = new MemoryAdapter(now, leaseTtlMs)
    return { store, another: () => store, dispose: async () => undefined }
  }
  const failed: string[] = []
  for (const { title, run } of casesOf(make, { sequences: 5 })) await run().catch(() => failed.push(title))
  expect(failed).toEqual([])
})

test('a store without a planted bug passes', async () => {
  expect(await failures({})).toEqual([])
})

const RANDOM = 'random sequences'

const bugs: readonly (readonly [name: string, caughtBy: readonly string[], bug: Bug])[] = [
  ['a mint is forgotten', ['once per id', RANDOM], { writes: (writes) => ({ ...writes, mints: [] }) }],
  [
    'an ended epoch is accepted',
    ['S9: close', RANDOM],
    {
      writes: (writes) => ({
        ...writes,
        owners: writes.owners.map(({ change, row }) => ({
          change: change === 'closed' ? 'renewed' : change,
          row: { ...row, state: 'open' },
        })),
      }),
    },
  ],
  [
    'grants are not kept for replays',
    ['S2, L3', RANDOM],
    {
      writes: (writes) => ({
        ...writes,
        owners: writes.owners.map(({ change, row }) => ({
          change,
          row: { ...row, outcome: { ...row.outcome, granted: [] } },
        })),
      }),
    },
  ],
  ['no owner learns that a row is wanted', ['O12', RANDOM], { exchange: (rows) => ({ ...rows, wanted: [] }) }],
  ['time goes back', ['S1: store time never goes back', RANDOM], { time: (now) => Math.floor(now) }],
  [
    'time stands still while the clock is behind it',
    ['S1, L5'],
    { time: (now, kept) => Math.max(Math.floor(now), kept) },
  ],
  ['upkeep never burns leases of closed epochs', [RANDOM], { upkeep: (rows) => ({ ...rows, ended: [] }) }],
  [
    'leases of closed epochs go back to the pool',
    ['never returned', RANDOM],
    {
      writes: (writes, honest) => ({
        ...writes,
        budgets: writes.budgets.map(({ change, row }) => {
          const burned = row.burned - (honest.read([row])[0]?.burned ?? 0)
          return { change, row: { ...row, burned: row.burned - burned, pool: row.pool + burned } }
        }),
      }),
    },
  ],
  [
    'an owner that is late is reaped without having expired',
    ['S2, S8', RANDOM],
    {
      upkeep: (rows) => ({
        ...rows,
        open: rows.open.map((one) => ({ ...one, owner: { ...one.owner, expiresAt: one.owner.seenAt } })),
      }),
    },
  ],
  [
    'a leased row is removed',
    ['S10, L1: a past row'],
    {
      upkeep: (rows, honest, time) => {
        const all = honest.list({ limit: 10_000 }).rows.map(({ budget }) => budget)
        return { ...rows, prunable: all.filter(({ keepUntil }) => keepUntil !== null && keepUntil < time) }
      },
    },
  ],
  ['rows are never removed', ['S10, L1: a past row', RANDOM], { upkeep: (rows) => ({ ...rows, prunable: [] }) }],
  [
    'what is remembered is forgotten',
    ['R1: the same id', RANDOM],
    { writes: (writes) => ({ ...writes, reservations: [] }) },
  ],
  ['nothing is swept', ['R3: upkeep returns', RANDOM], { upkeep: (rows) => ({ ...rows, nextSweepAt: null }) }],
  [
    'what was remembered is never removed',
    ['R6: a reservation', RANDOM],
    { writes: (writes) => ({ ...writes, removedReservations: [] }) },
  ],
  [
    'what became of reservations is not kept for replays',
    ['S2, R1: a repeated batch', RANDOM],
    {
      writes: (writes) => ({
        ...writes,
        owners: writes.owners.map(({ change, row }) => {
          const { granted, notes, written } = row.outcome
          return { change, row: { ...row, outcome: { granted, notes, written } } }
        }),
      }),
    },
  ],
  [
    'resets are not counted',
    ['I2, P5', RANDOM],
    {
      writes: (writes) => ({
        ...writes,
        budgets: writes.budgets.map(({ change, row }) => ({ change, row: { ...row, resets: 0 } })),
      }),
    },
  ],
  [
    'earlier periods are not looked at',
    ['P2: the next row'],
    {
      exchange: (rows) => ({
        ...rows,
        entries: rows.entries.map((entry) => (entry?.kind === 'budget' ? { ...entry, earlier: undefined } : entry)),
      }),
    },
  ],
  [
    'a row with reserved units is removed',
    ['S10, R2'],
    {
      upkeep: (rows, honest, time) => {
        const all = honest.list({ limit: 10_000 }).rows.map(({ budget }) => budget)
        return { ...rows, prunable: all.filter(({ keepUntil }) => keepUntil !== null && keepUntil < time) }
      },
    },
  ],
  [
    'leases of other owners are not counted',
    ['O4: an owner may refund'],
    {
      exchange: (rows) => ({
        ...rows,
        entries: rows.entries.map((entry) => (entry?.kind === 'budget' ? { ...entry, others: 0 } : entry)),
      }),
    },
  ],
  [
    'epochs are issued twice',
    ['concurrent joins'],
    { join: (rows) => ({ ...rows, lastEpoch: Math.floor(rows.lastEpoch / 2) }) },
  ],
  [
    'a counter wraps',
    ['S6: a counter'],
    {
      exchange: (rows) => ({
        ...rows,
        entries: rows.entries.map((entry) =>
          entry?.kind === 'counter' ? { kind: 'counter', value: entry.value % 32 } : entry,
        ),
      }),
    },
  ],
  [
    'a page begins with the row that ended the last one',
    ['list answers every row once'],
    {
      store: (honest) => ({
        list: ({ after, ...range }) =>
          honest.list(after === undefined ? range : { ...range, after: { ...after, period: after.period - 1 } }),
      }),
    },
  ],
  [
    'list leaves out the leases',
    ['list answers every row once'],
    {
      store: (honest) => ({
        list: async (range) => ({
          rows: (await honest.list(range)).rows.map(({ budget }) => ({ budget, leases: [] })),
        }),
      }),
    },
  ],
  [
    'keys are trimmed',
    ['every well-formed key'],
    {
      store: (honest) => ({
        exchange: (batch) =>
          honest.exchange({
            ...batch,
            entries: batch.entries.map((entry) =>
              entry.kind === 'void' ? entry : { ...entry, key: entry.key.trim() },
            ),
          }),
      }),
    },
  ],
  [
    'a batch is sent twice by a driver, and the first answer is lost',
    ['S2, L3'],
    { store: (honest) => ({ exchange: async (batch) => (await honest.exchange(batch), honest.exchange(batch)) }) },
  ],
]

test.each(bugs)('a planted bug is caught: %s', async (_, caughtBy, bug) => {
  const failed = await failures(bug, caughtBy)
  expect(caughtBy.filter((title) => !failed.some((failure) => failure.includes(title)))).toEqual([])
})
