import { describe, expect, test } from 'vitest'
import type { UpkeepRows } from '../../src/core/adapter.ts'
import { NO_LEAP } from '../../src/core/leap.ts'
import { maintain, type Upkeep } from '../../src/core/maintain.ts'
import type { BudgetRow } from '../../src/core/rows.ts'
import { LEASE_TTL_MS } from './books-fixture.ts'

const NOW = 1_000_000
const MAX = 2
const ROW: BudgetRow = {
  ...{
    key: 'a',
    period: 0,
    kind: 'initial',
    minted: 9,
    used: 0,
    reserved: 0,
    pool: 1,
    burned: 0,
    limit: 9,
    burnMax: 9,
  },
  ...{ version: 1, resets: 0, wantedUntil: 0, endsAt: null, keepUntil: null },
}

function upkeep(parts: Partial<UpkeepRows>): Upkeep {
  const rows: UpkeepRows = {
    ...{ open: [], burning: [], ended: [], prunable: [], nextPrunableAt: null, forgettable: [] },
    ...{ nextSweepAt: null, leap: NO_LEAP, ...parts },
  }
  const bounds = { leasesMax: MAX, rowsMax: MAX, ownersKeptMs: 1 }
  const call = {
    caller: { epoch: 9, token: 'living', seq: 0 },
    bounds,
    leaseTtlMs: LEASE_TTL_MS,
    standstillMs: 0,
  }
  return maintain(rows, { time: NOW, timeSeen: NOW, clock: NOW }, call)
}

describe('S10: what an upkeep leaves to be done', () => {
  test('R3: a sweep is due when the first reservation ends, and not where there is none', () => {
    expect([null, NOW + 1, NOW, 0].map((nextSweepAt) => upkeep({ nextSweepAt }).isSweepDue)).toEqual([
      false,
      false,
      true,
      true,
    ])
  })

  test('S10: it is behind, and goes on at once, where it has removed as many owners as it may', () => {
    expect(upkeep({ forgettable: [1] })).toMatchObject({ isBehind: false, dueInMs: null })
    expect(upkeep({ forgettable: [1, 2] })).toMatchObject({ isBehind: true, dueInMs: 0 })
  })

  test('S8: it goes on at once where it has burned as many leases as it may', () => {
    const ended = [1, 2].map((epoch) => ({ lease: { key: 'a', period: 0, epoch, held: 4 }, row: ROW }))
    expect(upkeep({ ended })).toMatchObject({ leadsOn: false, dueInMs: 0 })
  })

  test('S10, O6: shortly after a leap, it looks again only for what waits to be removed', () => {
    const leap = { from: 1, at: NOW - 1, until: NOW + LEASE_TTL_MS }
    expect(upkeep({ leap }).dueInMs).toBeNull()
    expect(upkeep({ leap, prunable: [{ key: 'a', period: 0, endsAt: 5 }] }).dueInMs).toBe(1_000)
  })
})
