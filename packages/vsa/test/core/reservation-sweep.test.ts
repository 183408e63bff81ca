import { expect, test } from 'vitest'
import type { SourceRows, SweepRows } from '../../src/core/adapter.ts'
import type { Writes } from '../../src/core/written-rows.ts'
import { RESERVATION_KEPT_MS } from '../../src/core/reservations/settlement.ts'
import { sweep } from '../../src/core/reservations/sweep.ts'
import type { BudgetRow, ReservationLot, ReservationRow, ReservationSource } from '../../src/core/rows.ts'

const NOW = 1_000_000

function swept(rows: Partial<SweepRows>): Writes | null {
  return sweep({ due: [], sources: [], ...rows }, { time: NOW, timeSeen: NOW, clock: NOW })
}

/** A reservation of 4 units of each source. */
function reservation(id: string, keys: readonly string[], parts: Partial<ReservationLot>): ReservationRow {
  const sources = keys.map((key): ReservationSource => {
    const period = key === 'over' ? null : 0
    return { key, period, charged: 4, refunded: null, resets: 0 }
  })
  const lot: ReservationLot = { units: 4, uncovered: 0, state: 'open', expiresAt: NOW, keepUntil: null, ...{ sources } }
  const [key = ''] = keys
  return { key, id, as: 'reservation', request: '', onExpire: 'return', lots: [{ ...lot, ...parts }] }
}

/** Ten units. */
function budget(key: string, parts: Partial<BudgetRow> = {}): SourceRows {
  const row: BudgetRow = {
    ...{
      key,
      period: 0,
      kind: 'initial',
      minted: 10,
      used: 0,
      reserved: 4,
      pool: 6,
      burned: 0,
      limit: 10,
      burnMax: 10,
    },
    ...{ version: 1, resets: 0, wantedUntil: 0, endsAt: null, keepUntil: null, ...parts },
  }
  const leases = { held: 0, others: 0, othersHeld: 0, ended: [], mintedBefore: undefined }
  return { key, period: 0, rows: { kind: 'budget', row, ...leases } }
}

const captured = { state: 'expired', keepUntil: NOW } as const

test('R3: an end is written as a change of its reservation and, where units go back, of its sources, and as nothing else', () => {
  const sources: readonly SourceRows[] = [
    budget('a'),
    { key: 'over', period: null, rows: { kind: 'counter', value: 9 } },
    budget('b'),
    { key: 'over', period: null, rows: { kind: 'counter', value: 9 } },
  ]
  const returned = swept({ due: [reservation('r', ['a', 'over'], {})], sources })
  const kept = { ...reservation('s', ['b', 'over'], {}), onExpire: 'capture' } as const
  const captured = swept({ due: [kept], sources: [budget('b'), ...sources] })
  const ended = { state: 'expired', keepUntil: NOW + RESERVATION_KEPT_MS }
  expect(returned?.reservations).toMatchObject([{ change: 'changed', row: { id: 'r', lots: [ended] } }])
  expect(returned?.budgets).toMatchObject([{ row: { key: 'a', reserved: 0, pool: 10 } }])
  expect(returned?.counters).toEqual([{ key: 'over', value: 5 }])
  expect(captured?.reservations).toMatchObject([{ change: 'changed', row: { id: 's', lots: [ended] } }])
  expect([captured?.budgets, captured?.counters]).toEqual([[], []])
  for (const { mints, removedIntents, removedReservations, leases } of [returned, captured].flatMap((one) => one ?? []))
    expect([mints, removedIntents, removedReservations, leases]).toEqual([[], [], [], []])
})

test('R6: it is forgotten once its time has come, and not a millisecond before', () => {
  const due = [reservation('r', ['a'], captured)]
  expect(swept({ due, sources: [budget('a')] })).toMatchObject({
    removedReservations: due,
    budgets: [{ row: { used: 4, reserved: 0, pool: 6 } }],
  })
  const early = [reservation('r', ['a'], { ...captured, keepUntil: NOW + 1 })]
  expect(swept({ due: early, sources: [budget('a')] })).toBeNull()
})

test.each([
  ['cannot be read', { key: 'a', period: 0, rows: { kind: 'damaged', detail: 'no row' } }],
  ['does not balance', budget('a', { used: 1 })],
  ['has less set aside than it', budget('a', { reserved: 3, pool: 7 })],
] as const)('R6, S6: what was captured of a row that %s is not forgotten, and the others go on', (_, bad) => {
  const [stays, goes] = [reservation('stays', ['a'], captured), reservation('goes', ['b'], captured)]
  const writes = swept({ due: [stays, goes], sources: [bad, budget('b')] })
  expect(writes?.removedReservations).toEqual([goes])
  expect(writes?.budgets).toMatchObject([{ row: { key: 'b', used: 4 } }])
})

test('S6: an error that is no damage ends the sweep, because it is a bug', () => {
  const rows = {
    ...({ kind: 'budget', held: 0, others: 0, othersHeld: 0, ended: [], mintedBefore: undefined } as const),
    get row(): never {
      throw new TypeError('a bug')
    },
  }
  const broken: SourceRows = { key: 'a', period: 0, rows }
  for (const parts of [{}, captured])
    expect(() => swept({ due: [reservation('r', ['a'], parts)], sources: [broken] })).toThrow('a bug')
  const mint = { number: 1, op: 'mint', key: 'a', id: 'm', units: 1, period: 0, mintedBefore: undefined } as const
  expect(() => swept({ intents: [mint], sources: [broken] })).toThrow('a bug')
})

test('T1, S6: a mint whose row cannot be read waits, and the others go on', () => {
  const mint = { op: 'mint', id: 'm', units: 1, period: 0, mintedBefore: undefined } as const
  const intents = [
    { ...mint, number: 1, key: 'a' },
    { ...mint, number: 2, key: 'b' },
  ]
  const damaged: SourceRows = { key: 'a', period: 0, rows: { kind: 'damaged', detail: 'no row' } }
  const writes = swept({ intents, sources: [damaged, budget('b')] })
  expect([writes?.removedIntents, writes?.mints]).toEqual([[2], [{ key: 'b', id: 'm', units: 1 }]])
})
