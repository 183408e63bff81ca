import { expect, test } from 'vitest'
import { storeConformance, type MakeStore } from '../../src/testing/index.ts'
import { tamperedStore, type Bug } from './tampered-store.ts'

interface Case {
  readonly title: string
  readonly run: () => Promise<void>
}

/** The titles of the suite's tests that a store with this bug fails. */
async function failures(bug: Bug): Promise<string[]> {
  const cases: Case[] = []
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it: (title: string, run: () => Promise<void>) => cases.push({ title, run }),
    expect,
  }
  const make: MakeStore = (needs) => {
    const store = tamperedStore(needs, bug)
    return { store, another: () => store, dispose: () => store.close() }
  }
  storeConformance('tampered', make, runner, { sequences: 20 })
  const failed: string[] = []
  for (const { title, run } of cases) await run().catch(() => failed.push(title))
  return failed
}

test('a store without a bug passes', async () => {
  expect(await failures({})).toEqual([])
})

const RANDOM = 'random sequences'

const bugs: readonly (readonly [name: string, caughtBy: readonly string[], bug: Bug])[] = [
  ['a mint is forgotten', ['once for each id', RANDOM], { writes: (writes) => ({ ...writes, mints: [] }) }],
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
    'what was granted is not kept for replays',
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
  ['no answer names the rows that are wanted', ['O12', RANDOM], { exchange: (rows) => ({ ...rows, wanted: [] }) }],
  ['time goes back', ['S1, scenario 5', RANDOM], { time: (now) => Math.floor(now) }],
  [
    'time stands still while the clock is behind it',
    ['S1, L5'],
    { time: (now, kept) => Math.max(Math.floor(now), kept) },
  ],
  ['upkeep never burns the leases of the dead', [RANDOM], { upkeep: (rows) => ({ ...rows, ended: [] }) }],
  [
    'what the dead held goes back to the pool',
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
        open: rows.open.map(({ owner, isGone }) => ({ owner: { ...owner, expiresAt: owner.seenAt }, isGone })),
      }),
    },
  ],
  [
    'a leased row is removed',
    ['S10, L1, scenario 27'],
    {
      upkeep: (rows, honest, time) => {
        const all = honest.list({ limit: 10_000 }).rows.map(({ budget }) => budget)
        return { ...rows, prunable: all.filter(({ keepUntil }) => keepUntil !== null && keepUntil < time) }
      },
    },
  ],
  ['rows are never removed', ['S10, L1, scenario 27', RANDOM], { upkeep: (rows) => ({ ...rows, prunable: [] }) }],
  [
    'others’ leases are not seen',
    ['O4, scenario 12'],
    {
      exchange: (rows) => ({
        ...rows,
        entries: rows.entries.map((entry) => (entry?.kind === 'budget' ? { ...entry, others: 0 } : entry)),
      }),
    },
  ],
  [
    'epochs are given twice',
    ['scenario 6'],
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
    ['list gives every row once'],
    {
      store: (honest) => ({
        list: ({ after, ...range }) =>
          honest.list(after === undefined ? range : { ...range, after: { ...after, period: after.period - 1 } }),
      }),
    },
  ],
  [
    'list forgets the leases',
    ['list gives every row once'],
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
    ['scenario 19'],
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
    'a batch is sent on twice, by a driver that re-sends by itself, and the first answer is lost',
    ['S2, L3'],
    { store: (honest) => ({ exchange: async (batch) => (await honest.exchange(batch), honest.exchange(batch)) }) },
  ],
]

test.each(bugs)('a planted bug is caught: %s', async (_, caughtBy, bug) => {
  const failed = await failures(bug)
  expect(caughtBy.filter((title) => !failed.some((failure) => failure.includes(title)))).toEqual([])
})
