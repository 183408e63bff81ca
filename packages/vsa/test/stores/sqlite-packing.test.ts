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
    ['a mint', [usual('a', 0), { ...usual('b', 0), mint: { units: 5, id: 'x' } }]],
  ] as const)('brings a batch across: %s', (_, entries) => {
    const sent = batch({ epoch: 7, token: 't', incarnation: 'i' }, 9, {
      entries,
      takes: [{ need: [[0, 2]], n: 3 }],
      close: true,
    })
    expect(unpackBatch(structuredClone(packBatch(sent)))).toEqual(sent)
  })

  it.each([
    ['nothing', []],
    ['usual ones', [figures, { ...figures, held: 0 }]],
    ['unusual ones in front', [{ kind: 'row_lost' }, { kind: 'counter', value: -5, overflow: false }, figures]],
    ['unusual ones behind', [figures, { ...figures, mint: 'minted' }, { kind: 'void' }]],
  ] as const)('brings an answer across: %s', (_, entries) => {
    const written = { records: 1, leaseRecords: 2 }
    const rest = { time: 5, expiresAt: 6, granted: [1], wanted: [{ key: 'k', period: 0 }], written, frozenUntil: 9 }
    const sent: Answer = { kind: 'applied', entries, ...rest }
    expect(unpackAnswer(structuredClone(packAnswer(sent)))).toEqual(sent)
  })

  it('does not change other answers', () => {
    const sent: Answer = { kind: 'fenced', time: 1, last: null, forgot: true, gone: [3, null] }
    expect(unpackAnswer(packAnswer(sent))).toEqual(sent)
  })
})
