import { expect, test } from 'vitest'
import type { Writes } from '../../src/core/written-rows.ts'
import { writesOf } from '../../src/core/writes.ts'
import type { BudgetRow, OwnerRow, ReservationRow } from '../../src/core/rows.ts'
import { RowCache } from '../../src/stores/sqlite/row-cache.ts'

const OWNER: OwnerRow = {
  epoch: 1,
  token: 'token',
  label: 'service',
  state: 'open',
  seq: 1,
  outcome: { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } },
  seenAt: 1_000,
  expiresAt: 2_000,
  leaseTtlMs: 1_000,
  process: null,
}

const ROW: BudgetRow = {
  key: 'a',
  period: 0,
  kind: 'initial',
  minted: 10,
  used: 0,
  reserved: 0,
  pool: 10,
  burned: 0,
  limit: 10,
  burnMax: 10,
  version: 1,
  resets: 0,
  wantedUntil: 0,
  endsAt: null,
  keepUntil: null,
}

function writes(changes: Partial<Writes>): Writes {
  return writesOf(1_000, changes)
}

function opened(): RowCache {
  const cache = new RowCache()
  cache.begin(1)
  cache.keepOpening({ timeSeen: 1_000, wantedUntil: 0, isBurning: false, hasDeletions: false, owner: OWNER })
  return cache
}

test('S1: the kept time of the store is the latest that was committed', () => {
  const cache = opened()
  cache.committed(writes({ time: 1_500 }))
  expect(cache.opening(1)?.timeSeen).toBe(1_500)
  cache.committed(writes({ time: 1_200 }))
  expect(cache.opening(1)?.timeSeen).toBe(1_500)
})

test('O12: the kept end of wants is the latest of any row', () => {
  const cache = opened()
  for (const wantedUntil of [1_800, 1_700])
    cache.committed(writes({ budgets: [{ change: 'changed', row: { ...ROW, wantedUntil } }] }))
  expect(cache.opening(1)?.wantedUntil).toBe(1_800)
})

test('what another connection may have changed is forgotten', () => {
  const cache = opened()
  cache.keepBudget('a', 0, 1, { row: ROW, held: 0, others: 0, othersHeld: 0 })
  cache.begin(1)
  expect([cache.opening(1)?.owner, cache.budget('a', 0, 1)?.row]).toEqual([OWNER, ROW])
  cache.begin(2)
  expect([cache.opening(1), cache.budget('a', 0, 1)]).toEqual([undefined, undefined])
})

test('the lease of another epoch on a row makes it be read again', () => {
  const cache = opened()
  cache.keepBudget('a', 0, 1, { row: ROW, held: 0, others: 0, othersHeld: 0 })
  cache.committed(writes({ leases: [{ key: 'a', period: 0, epoch: 1, held: 3 }] }))
  expect(cache.budget('a', 0, 1)?.held).toBe(3)
  cache.committed(writes({ leases: [{ key: 'a', period: 0, epoch: 2, held: 3 }] }))
  expect(cache.budget('a', 0, 1)).toBeUndefined()
})

test.each<[string, Partial<Writes>, boolean]>([
  ['an exchange', { owners: [{ change: 'renewed', row: OWNER }] }, true],
  ['a join', { owners: [{ change: 'opened', row: OWNER }] }, false],
  [
    'an exchange that closes another epoch',
    {
      owners: [
        { change: 'renewed', row: OWNER },
        { change: 'closed', row: { ...OWNER, epoch: 2, state: 'closed' } },
      ],
    },
    false,
  ],
  ['the removal of a row', { removedBudgets: [{ key: 'b', period: 0, endsAt: 1 }] }, false],
  ['the removal of an epoch', { removedOwners: [2] }, false],
  ['the end of an epoch that burned', { burnedOut: [2] }, false],
])('after %s what is kept stays, or is read again', (_, changes, stays) => {
  const cache = opened()
  cache.keepBudget('a', 0, 1, { row: ROW, held: 0, others: 0, othersHeld: 0 })
  cache.keepCounter('c', 7)
  cache.committed(writes(changes))
  const kept = [cache.opening(1), cache.budget('a', 0, 1), cache.counter('c')]
  expect(kept.map((each) => each !== undefined)).toEqual([stays, stays, stays])
})

test('R3: what a sweep has written is known as it left it, and its time', () => {
  const cache = opened()
  cache.keepBudget('a', 0, 1, { row: ROW, held: 3, others: 0, othersHeld: 0 })
  cache.keepCounter('c', 7)
  const row = { ...ROW, reserved: 0, used: 4, pool: 6 }
  const lots: ReservationRow['lots'] = []
  const reservation = { key: 'a', id: 'r', as: 'reservation', request: '', onExpire: 'return', lots } as const
  cache.committed(
    writes({
      time: 1_500,
      budgets: [{ change: 'changed', row }],
      counters: [{ key: 'c', value: 2 }],
      removedReservations: [reservation],
    }),
  )
  expect([cache.budget('a', 0, 1), cache.counter('c'), cache.opening(1)?.timeSeen]).toEqual([
    { row, held: 3, others: 0, othersHeld: 0 },
    2,
    1_500,
  ])
})

/** Of two budgets. */
function reservation(id: string, state: 'open' | 'final' = 'open'): ReservationRow {
  const lotOf = (key: string, of: 'open' | 'final'): ReservationRow['lots'][number] => ({
    ...{ units: 1, uncovered: 0, state: of, expiresAt: 9_000, keepUntil: of === 'final' ? 9_000 : null },
    sources: [{ key, period: 0, charged: 1, refunded: null, resets: 0 }],
  })
  const lots = [lotOf('a', 'final'), lotOf('b', state)]
  return { key: 'a', id, as: 'reservation', request: '[]', onExpire: 'return', lots }
}

test('R1, R4: a reservation is known by each of its names until all of it is settled', () => {
  const cache = opened()
  const row = reservation('r')
  cache.committed(writes({ reservations: [{ change: 'created', row }] }))
  expect([cache.reservation({ key: 'a', id: 'r' }), cache.reservation({ key: 'b', id: 'r' })]).toEqual([row, row])
  expect(cache.reservation({ key: 'a', id: 'other' })).toBeUndefined()
  const extended = { ...row, onExpire: 'capture' } as const
  cache.committed(writes({ reservations: [{ change: 'changed', row: extended }] }))
  expect(cache.reservation({ key: 'b', id: 'r' })).toBe(extended)
  cache.committed(writes({ reservations: [{ change: 'changed', row: reservation('r', 'final') }] }))
  expect([cache.reservation({ key: 'a', id: 'r' }), cache.reservation({ key: 'b', id: 'r' })]).toEqual([
    undefined,
    undefined,
  ])
})

test('R6: what was removed, and what another connection may have changed, is not known', () => {
  const cache = opened()
  const rows = ['r', 's'].map((id) => reservation(id))
  cache.committed(writes({ reservations: rows.map((row) => ({ change: 'created', row }) as const) }))
  cache.committed(writes({ removedReservations: rows.slice(0, 1) }))
  expect(cache.reservation({ key: 'b', id: 'r' })).toBeUndefined()
  expect(cache.reservation({ key: 'b', id: 's' })).toBe(rows[1])
  cache.begin(2)
  expect(cache.reservation({ key: 'b', id: 's' })).toBeUndefined()
})

test('the reservations that were made last are known, 8,192 names of them', () => {
  const cache = opened()
  const rows = Array.from({ length: 4_097 }, (_, at) => reservation(`r${at}`))
  cache.committed(writes({ reservations: rows.map((row) => ({ change: 'created', row }) as const) }))
  const knows = (id: string): boolean => cache.reservation({ key: 'b', id }) !== undefined
  expect(['r0', 'r1', 'r4096'].map(knows)).toEqual([false, true, true])
})
