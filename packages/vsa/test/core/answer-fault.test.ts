import { describe, expect, test } from 'vitest'
import { faultOfAnswer, faultOfJoined } from '../../src/core/answer-fault.ts'
import type { Answer, Batch } from '../../src/core/exchange.ts'
import { asking, Books, seats } from './books-fixture.ts'

/** A batch with each kind of entry, and every kind of answer that a store gave to it. */
function told(): { readonly batch: Batch; readonly answers: readonly Answer[] } {
  const books = new Books()
  const [one, two] = [books.join(), books.join()]
  const batch = books.batch(one, {
    entries: [
      asking('a', { policy: seats(10), hold: 4, mint: { id: 'x', units: 5 } }),
      asking('b', { policy: seats(10), refund: 3 }),
      asking('gone', { known: true }),
      { kind: 'counter', key: 'likes', add: -7 },
      { kind: 'void' },
    ],
    takes: [{ need: [[0, 2]], n: 3 }],
  })
  const applied = books.send(batch)
  books.apply(two, [asking('a', { known: true, wantMs: 500 })])
  const replayed = books.send(batch)
  books.send(books.batch(one, { close: true }))
  const closing = books.batch(two, { close: true, entries: batch.entries, takes: batch.takes })
  books.send(closing)
  const fenced = books.send(closing)
  const time = books.now
  const breach: Answer = { kind: 'breach', time, row: { key: 'a', period: 0 }, detail: 'minted is 0.5' }
  const others: Answer[] = [
    breach,
    { kind: 'stale', time },
    { kind: 'lost', time },
    { kind: 'fenced', time, last: null, forgot: true, gone: batch.entries.map(() => null) },
  ]
  return { batch, answers: [applied, replayed, { ...fenced, ...asSeq(fenced, batch.seq) }, ...others] }
}

/** The outcome of another batch of the same form, told as that of this one. */
function asSeq(answer: Answer, seq: number): object {
  if (answer.kind !== 'fenced' || answer.last === null) throw new Error('the closing batch counts')
  return { last: { ...answer.last, seq } }
}

const hostile: object = Object.defineProperty({}, 'time', {
  get: () => {
    throw new Error('planted')
  },
})

type Path = readonly (string | number)[]

/** Every value within `value`, with the way to it. */
function* leaves(value: unknown, path: Path = []): Generator<readonly [Path, unknown]> {
  yield [path, value]
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) yield* leaves(inner, [...path, name])
}

function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return by
  const fields = value as Record<string, unknown>
  const inner = replaced(fields[name], rest, by)
  return Array.isArray(value) ? value.with(Number(name), inner) : { ...fields, [name]: inner }
}

/** What stands for `value` in a wrong answer. */
function wrongFor(path: Path, value: unknown): readonly unknown[] {
  const name = path.at(-1)
  if (typeof value === 'number') {
    const isSigned = name === 'pool' || name === 'value' || name === 'period'
    const isTime = name === 'time' || name === 'expiresAt' || name === 'frozenUntil'
    // Of a row that was not looked at, nothing is told.
    if (path[0] === 'gone') return ['7', NaN, Infinity, -1, 0.5, 2 ** 53]
    return ['7', null, NaN, Infinity, ...(isSigned ? [] : [-1]), ...(isTime ? [] : [0.5, 2 ** 53])]
  }
  if (typeof value === 'string') return [7, null, ...(name === 'key' || name === 'detail' ? [] : ['other'])]
  if (typeof value === 'boolean') return [1, 'true', null]
  if (value === null && path[0] === 'gone') return ['object', '7', -1]
  if (!Array.isArray(value)) return ['object', 7, ...(name === 'last' ? [] : [null])]
  // One entry too few, and one too many. A wish for units may name any number of rows.
  const list: readonly unknown[] = value
  const lengths = name === 'wanted' ? [] : [list.slice(1), [...list, ...list]]
  return [null, 'list', { length: list.length }, ...lengths]
}

/** Left out, they mean nothing else than that they are left out. */
const OPTIONAL = new Set<unknown>(['mint', 'row', 'detail', 'last'])

describe('what a store answers is checked before it is used', () => {
  const { batch, answers } = told()

  test.each(answers.map((answer) => [answer.kind, answer] as const))(
    'O2: an answer of kind %s has no fault, and each wrong, missing or extra part of it is named',
    (_kind, answer) => {
      expect(faultOfAnswer(batch, answer)).toBeNull()
      const found: string[] = []
      for (const [path, value] of leaves(answer)) {
        for (const wrong of wrongFor(path, value)) {
          const fault = faultOfAnswer(batch, replaced(answer, path, wrong))
          expect(fault, `${path.join('.')} = ${String(wrong)} was let through`).not.toBeNull()
          found.push(fault ?? '')
        }
        const isNote = path.includes('notes')
        if (path.length === 0 || isNote || OPTIONAL.has(path.at(-1)) || Array.isArray(value)) continue
        const missing = faultOfAnswer(batch, replaced(answer, path, undefined))
        expect(missing, `${path.join('.')} was missing`).not.toBeNull()
      }
      expect(found.length).toBeGreaterThan(4)
    },
  )

  test('O2: an answer of another kind of row, or of more than was asked for, is no answer', () => {
    const [applied] = answers
    const entries = (at: number, answer: unknown): unknown => replaced(applied, ['entries', at], answer)
    expect(faultOfAnswer(batch, entries(0, { kind: 'counter', value: 1, overflow: false }))).toMatch(/^entry 0: kind/)
    expect(faultOfAnswer(batch, entries(1, { kind: 'void' }))).toMatch(/^entry 1: kind/)
    expect(faultOfAnswer(batch, entries(3, { kind: 'row_lost' }))).toMatch(/^entry 3: kind/)
    expect(faultOfAnswer(batch, entries(4, { kind: 'row_lost' }))).toMatch(/^entry 4: kind/)
    expect(faultOfAnswer(batch, entries(1, { kind: 'removed', refunded: 4 }))).toMatch(/^entry 1: refunded/)
    expect(faultOfAnswer(batch, replaced(applied, ['granted', 0], 4))).toMatch(/^granted 0/)
    expect(faultOfAnswer(batch, replaced(applied, ['entries'], []))).toBe('entries must be a list of 5, got 0')
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a text', 'applied'],
    ['a list', []],
    ['an object without fields', {}],
    ['an object whose fields throw', hostile],
  ])('O2: %s is no answer', (_what, answer) => {
    expect(faultOfAnswer(batch, answer)).toEqual(expect.any(String))
    expect(faultOfJoined(answer)).toEqual(expect.any(String))
  })

  test('O2: a join answers with an epoch, its token, the time and the lifetime of leases', () => {
    const life = { incarnation: 'i', mayForget: false, frozenUntil: 0 }
    const joined = { epoch: 1, token: 't', ...life, time: 5, leaseTtlMs: 10 }
    expect(faultOfJoined(joined)).toBeNull()
    for (const upkeepDueInMs of [undefined, null, 0, 7]) expect(faultOfJoined({ ...joined, upkeepDueInMs })).toBeNull()
    for (const upkeepDueInMs of [-1, NaN, '1'])
      expect(faultOfJoined({ ...joined, upkeepDueInMs })).toMatch(/^upkeepDueInMs/)
    for (const token of ['', 1, null, undefined]) expect(faultOfJoined({ ...joined, token })).toMatch(/^token/)
    for (const incarnation of ['', 1, null, undefined])
      expect(faultOfJoined({ ...joined, incarnation })).toMatch(/^incarnation/)
    for (const mayForget of [0, 'true', undefined])
      expect(faultOfJoined({ ...joined, mayForget })).toMatch(/^mayForget/)
    for (const frozenUntil of [-1, NaN, null, undefined])
      expect(faultOfJoined({ ...joined, frozenUntil })).toMatch(/^frozenUntil/)
    for (const epoch of [0, -1, 1.5, '1', null]) expect(faultOfJoined({ ...joined, epoch })).toMatch(/^epoch/)
    for (const time of [-1, NaN, '1', null]) expect(faultOfJoined({ ...joined, time })).toMatch(/^time/)
    for (const leaseTtlMs of [0, NaN, '1', null])
      expect(faultOfJoined({ ...joined, leaseTtlMs })).toMatch(/^leaseTtlMs/)
  })
})
