import { expect, test } from 'vitest'
import type { UpkeepRows } from '../../src/core/adapter.ts'
import { NO_LEAP } from '../../src/core/leap.ts'
import { maintain } from '../../src/core/maintain.ts'
import { LEASE_TTL_MS } from './books-fixture.ts'

const POLICY = { kind: 'window', limit: 9, burnMax: 5, version: 1, endsAt: 1_000_000, keepUntil: 1_070_000 } as const

test('S8: an epoch has burned out once each of its leases is burned, and not while a row of one cannot be read', () => {
  const row = {
    ...POLICY,
    key: 'a',
    period: 0,
    minted: 9,
    used: 0,
    pool: 1,
    burned: 0,
    wantedUntil: 0,
    ...{ reserved: 0, resets: 0 },
  }
  const lease = { key: 'a', period: 0, held: 4 }
  const rows: UpkeepRows = {
    ...{ open: [], prunable: [], nextPrunableAt: null, nextSweepAt: null, forgettable: [], leap: NO_LEAP },
    burning: [1, 2, 3],
    ended: [
      { lease: { ...lease, epoch: 1 }, row },
      { lease: { ...lease, epoch: 2 }, row },
      { lease: { ...lease, epoch: 2, key: 'b' }, row: null },
      { lease: { ...lease, epoch: 3, key: 'c', held: 1 }, row: { ...row, key: 'c', burned: Number.MAX_SAFE_INTEGER } },
    ],
  }
  const bounds = { leasesMax: 5, rowsMax: 5, ownersKeptMs: 1 }
  const at = { time: 1_000_000, timeSeen: 1_000_000, clock: 1_000_000 }
  const caller = { epoch: 9, token: 'living', seq: 0 }
  const call = { caller, bounds, leaseTtlMs: LEASE_TTL_MS, standstillMs: 0 }
  const { writes } = maintain(rows, at, call)
  expect(writes?.burnedOut).toEqual([1])
  expect(writes?.budgets).toMatchObject([{ change: 'settled', row: { key: 'a', burned: 8 } }])
  expect(writes?.leases.map(({ epoch, key }) => [epoch, key])).toEqual([
    [1, 'a'],
    [2, 'a'],
  ])
  // As many leases as one call may load: there may be more of each epoch.
  expect(maintain(rows, at, { ...call, bounds: { ...bounds, leasesMax: 4 } }).writes?.burnedOut).toEqual([])
})
