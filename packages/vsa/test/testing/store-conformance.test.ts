import { expect, test } from 'vitest'
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

/** Titles of the tests that a store with this bug fails. */
async function failures(bug: Bug): Promise<string[]> {
  const make: MakeStore = (needs) => {
    const store = tamperedStore(needs, bug)
    return { store, another: () => store, dispose: () => store.close() }
  }
  const failed: string[] = []
  for (const { title, run } of casesOf(make, { sequences: 20 })) await run().catch(() => failed.push(title))
  return failed
}

const never: MakeStore = () => {
  throw new Error('registering makes no store')
}

test('every title begins with a law or rule, and no two are the same', () => {
  const titles = casesOf(never, {}).map(({ title }) => title)
  expect(titles.filter((title) => !/^([LSOG]\d+(, |-(?=S))?)+: /.test(title))).toEqual([])
  expect(new Set(titles).size).toBe(titles.length)
  expect(titles.length).toBeGreaterThanOrEqual(63)
})

test('a store with a clock of its own is spared the tests that would wait long', () => {
  const titles = casesOf(never, { time: 'own' }).map(({ title }) => title)
  expect(titles.length).toBeGreaterThanOrEqual(53)
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

test('a store without a planted bug passes, and so does the one that bugs are planted in', async () => {
  expect(await failures({})).toEqual([])
  expect(await failures({ ledger: () => ({}) })).toEqual([])
})

const RANDOM = 'random sequences'

const bugs: readonly (readonly [name: string, caughtBy: readonly string[], bug: Bug])[] = [
  ['a mint is forgotten', ['once per id', RANDOM], { ledger: () => ({ mintedUnits: () => undefined }) }],
  [
    'an ended epoch is accepted',
    ['S9: close', RANDOM],
    {
      ledger: (honest) => ({
        owner: (epoch) => {
          const owner = honest.owner(epoch)
          return owner === undefined ? undefined : { ...owner, state: 'open' }
        },
      }),
    },
  ],
  [
    'grants are not kept for replays',
    ['S2, L3', RANDOM],
    {
      ledger: (honest) => ({
        saveOwner: (owner) => honest.saveOwner({ ...owner, outcome: { ...owner.outcome, granted: [] } }),
      }),
    },
  ],
  ['no owner learns that a row is wanted', ['O12', RANDOM], { ledger: () => ({ wanted: () => [] }) }],
  ['time goes back', ['S1: store time never goes back', RANDOM], { ledger: () => ({ timeSeen: () => 0 }) }],
  [
    'time stands still while the clock is behind it',
    ['S1, L5'],
    { clock: (now) => ({ read: () => Math.floor(now()), kept: () => undefined }) },
  ],
  ['leases of closed epochs are never burned', ['burned once', RANDOM], { ledger: () => ({ closedLeases: () => [] }) }],
  [
    'leases of closed epochs go back to the pool',
    ['never returned', RANDOM],
    {
      ledger: (honest) => ({
        saveBudget: (row) => {
          const burned = row.burned - (honest.budget(row.key, row.period)?.burned ?? 0)
          honest.saveBudget(burned > 0 ? { ...row, burned: row.burned - burned, pool: row.pool + burned } : row)
        },
      }),
    },
  ],
  [
    'an owner that is late is reaped without having expired',
    ['S2, S8', RANDOM],
    {
      ledger: (honest) => ({
        openOwners: () => honest.openOwners().map((owner) => ({ ...owner, expiresAt: owner.seenAt })),
      }),
    },
  ],
  [
    'a leased row is removed',
    ['S10, L1: a past row'],
    {
      ledger: (honest) => ({
        prunableBudgets: (time) =>
          honest.allBudgets().filter(({ keepUntil }) => keepUntil !== null && keepUntil < time),
      }),
    },
  ],
  ['rows are never removed', ['S10, L1: a past row', RANDOM], { ledger: () => ({ prunableBudgets: () => [] }) }],
  [
    'leases of other owners are not counted',
    ['O4: an owner may refund'],
    { ledger: (honest) => ({ leases: (key, period, epoch) => ({ ...honest.leases(key, period, epoch), others: 0 }) }) },
  ],
  [
    'epochs are issued twice',
    ['concurrent joins'],
    { ledger: (honest) => ({ nextEpoch: () => Math.ceil(honest.nextEpoch() / 2) }) },
  ],
  [
    'a counter wraps',
    ['S6: a counter'],
    { ledger: (honest) => ({ counter: (key) => (honest.counter(key) ?? 0) % 32 }) },
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
  const failed = await failures(bug)
  expect(caughtBy.filter((title) => !failed.some((failure) => failure.includes(title)))).toEqual([])
})
