import { describe, expect, it } from 'vitest'
import type { Answer, BudgetAnswer, BudgetEntry } from '../../src/core/exchange.ts'
import { UNITS_MAX } from '../../src/core/units.ts'
import { packAnswer, packBatch, unpackAnswer, unpackBatch } from '../../src/stores/sqlite/thread/packing.ts'
import { batch, count, entry } from './sqlite-fixture.ts'

function usual(key: string, spent: number): BudgetEntry {
  const { policy: _, ...rest } = entry({ known: true, key, spent })
  return rest
}

const figures: BudgetAnswer = {
  kind: 'budget',
  held: UNITS_MAX,
  pool: -UNITS_MAX,
  used: 1,
  burned: 2,
  minted: UNITS_MAX,
  limit: 3,
  version: 4,
  others: 5,
  othersHeld: 6,
  refunded: 7,
}

describe('packing', () => {
  it.each([
    ['nothing', []],
    ['usual entries', [usual('a', 1), usual('b', UNITS_MAX)]],
    ['unusual ones in front', [count('c', -1), entry(), usual('a', 1)]],
    ['unusual ones between and behind', [usual('a', 1), { kind: 'void' }, count('c', 2), usual('b', 2), entry()]],
    ['what was gone', [usual('a', 0), { ...usual('b', 0), gone: 5 }]],
    ['a reset', [usual('a', 0), { ...usual('b', 0), reset: true }]],
    ['a mint', [usual('a', 0), { ...usual('b', 0), mint: { units: 5, id: 'x' } }]],
  ] as const)('brings a batch across: %s', (_, entries) => {
    const sent = batch({ epoch: 7, token: 't', incarnation: 'i' }, 9, {
      entries,
      takes: [{ need: [[0, 2]], n: 3 }],
      close: true,
    })
    expect(unpackBatch(structuredClone(packBatch(sent)))).toEqual(sent)
  })

  it('R1, V1: brings remembered takes, waterfalls and changes across', () => {
    const remember = { id: 'r', as: 'reservation', ttlMs: 5, onExpire: 'capture' } as const
    const need = [[0, 2] as const, [1, 2] as const]
    const sent = batch({ epoch: 7, token: 't', incarnation: 'i' }, 9, {
      entries: [usual('a', 0), count('c', 0)],
      takes: [
        { need, n: 3 },
        { need, n: 5, first: true },
        { need, n: 1, first: true, remember },
        { need: [[0, 1]], n: 1, remember },
      ],
      changes: [
        { op: 'settle', key: 'a', id: 'r', units: 3 },
        { op: 'extend', key: 'a', id: 's', units: 4, ttlMs: 6 },
      ],
    })
    expect(unpackBatch(structuredClone(packBatch(sent)))).toEqual(sent)
  })

  it.each([
    ['nothing', []],
    ['usual ones', [figures, { ...figures, held: 0 }]],
    ['unusual ones in front', [{ kind: 'row_lost' }, { kind: 'counter', value: -5, overflow: false }, figures]],
    ['reserved units', [figures, { ...figures, reserved: UNITS_MAX }]],
    ['unusual ones behind', [figures, { ...figures, mint: 'minted' }, { kind: 'void' }]],
  ] as const)('brings an answer across: %s', (_, entries) => {
    const written = { records: 1, leaseRecords: 2 }
    const rest = { time: 5, expiresAt: 6, granted: [1], wanted: [{ key: 'k', period: 0 }], written, frozenUntil: 9 }
    const sent: Answer = { kind: 'applied', entries, ...rest }
    expect(unpackAnswer(structuredClone(packAnswer(sent)))).toEqual(sent)
  })

  it('S2, R1: brings what became of takes and changes across', () => {
    const written = { records: 1, leaseRecords: 2 }
    const remembered = {
      kind: 'remembered',
      state: 'open',
      charged: [4],
      units: 4,
      expiresAt: 9,
      repeated: true,
    } as const
    const credits = { takes: { 1: remembered }, changes: [{ kind: 'unknown' }] } as const
    const rest = { time: 5, expiresAt: 6, granted: [0, 0], wanted: [], written, frozenUntil: 0 }
    const sent: Answer = { kind: 'replayed', entries: [figures], ...rest, credits }
    expect(unpackAnswer(structuredClone(packAnswer(sent)))).toEqual(sent)
  })

  it('does not change other answers', () => {
    const sent: Answer = { kind: 'fenced', time: 1, last: null, forgot: true, gone: [3, null] }
    expect(unpackAnswer(packAnswer(sent))).toEqual(sent)
  })
})
