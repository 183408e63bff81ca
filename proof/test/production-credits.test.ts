import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { AppliedAnswer } from '../../packages/vsa/src/core/exchange.ts'
import { type Books, type CreditAnswer, type CreditOp, nameOf, sum } from '../src/credits/books.ts'
import { applyOp } from '../src/credits/store.ts'
import { touched } from '../src/credits/touch.ts'
import { maintain, reset } from '../src/credits/upkeep.ts'
import { Rng } from '../src/simulation/rng.ts'
import { CreditProduction, type ProductionOp, type Setup } from './credit-production.ts'
import { drawOps, IDS, KEYS } from './draw-credit-ops.ts'
import { rounds } from '../../packages/vsa/test/rounds.ts'

const SEQUENCES = rounds(75)
const STEPS = 40
const OWNER = 0

/** The model's books with the same beginning. */
function booksOf({ pools, counter, lease }: Setup): Books {
  const rows = Object.entries(pools).map(([key, units]) => {
    const held = key === lease.key ? Math.min(lease.units, units) : 0
    return [
      key,
      { minted: units, used: 0, reserved: 0, pool: units - held, burned: 0, resets: 0, held: [held] },
    ] as const
  })
  return {
    ...{ time: 0, rows: new Map(rows), counters: new Map([[counter, 0]]), reservations: new Map(), mints: new Map() },
    ...{ intents: [], applied: [], epochs: [{ isOpen: true, seq: 0, outcome: [] }] },
  }
}

/** Of the model: production ends all lots of a request at the first touch of any, the model each list by itself, which no rule tells apart. */
function modelAnswer(books: Books, op: ProductionOp): unknown {
  if (op.kind === 'reset') return reset(books, op.key)
  for (const [key, id] of namesOf(op))
    for (const other of books.reservations.get(nameOf(key, id))?.keys ?? []) touched(books, other, id, null)
  return comparableModel(applyOp(books, op, OWNER, null), books, op)
}

function namesOf(op: CreditOp): readonly (readonly [key: string, id: string])[] {
  if (op.kind === 'admit' || op.kind === 'reserve') return op.keys.map((key) => [key, op.id] as const)
  return op.kind === 'settle' || op.kind === 'extend' || op.kind === 'refund' ? [[op.key, op.id]] : []
}

function comparableModel(answer: CreditAnswer, books: Books, op: CreditOp): unknown {
  switch (answer.kind) {
    case 'granted': {
      const { shares, repeated } = answer
      if (op.kind !== 'admit' && op.kind !== 'reserve') return { shares }
      const states = op.keys.map((key) => books.reservations.get(nameOf(key, op.id))?.state)
      const state = states.includes('open') ? 'open' : states.includes('expired') ? 'expired' : 'final'
      return { shares, repeated, state }
    }
    case 'settled':
      return { settled: sum(answer.shares), uncovered: answer.uncovered, repeated: answer.repeated }
    case 'refunded':
      return { back: sum(answer.back), repeated: answer.repeated }
    case 'done':
    case 'refused':
    case 'given back before':
    case 'id_conflict':
    case 'unknown':
    case 'not final':
    case 'not open':
    case 'no row':
      return answer
  }
}

function productionAnswers(ops: readonly ProductionOp[], { entries, granted, credits }: AppliedAnswer): unknown[] {
  const names = [...new Set(ops.flatMap((op) => ('keys' in op ? op.keys : isChange(op) ? [] : [op.key])))]
  let [take, change] = [0, 0]
  return ops.map((op) => {
    if (op.kind === 'reset') return undefined
    if (isChange(op)) return changeOutcome(credits?.changes[change++])
    if ('keys' in op) {
      const at = take++
      return takeOutcome(granted[at] ?? 0, credits?.takes[at])
    }
    const row = entries[names.indexOf(op.key)]
    if (row?.kind !== 'budget') return row
    if (op.kind === 'give back') return { kind: 'done', units: row.refunded }
    if (op.kind === 'mint') return row.mint === 'id_conflict' ? { kind: row.mint } : { kind: 'done', units: op.units }
    return { kind: 'done', units: op.kind === 'flush' ? op.spent : 0 }
  })
}

function isChange(op: ProductionOp): op is Extract<CreditOp, { kind: 'settle' | 'extend' | 'refund' }> {
  return op.kind === 'settle' || op.kind === 'extend' || op.kind === 'refund'
}

type Credits = NonNullable<AppliedAnswer['credits']>

function takeOutcome(granted: number, outcome: Credits['takes'][number] | undefined): unknown {
  if (outcome === undefined) return granted === 0 ? { kind: 'refused' } : undefined
  switch (outcome.kind) {
    case 'drawn':
      return { shares: outcome.charged }
    case 'remembered': {
      const { charged: shares, repeated, state } = outcome
      return granted === (repeated ? 0 : 1) ? { shares, repeated, state } : undefined
    }
    case 'refunded':
      return { kind: 'given back before' }
    case 'id_conflict':
    case 'damaged':
      return outcome
  }
}

function changeOutcome(outcome: Credits['changes'][number] | undefined): unknown {
  switch (outcome?.kind) {
    case 'settled':
      return { settled: outcome.settled, uncovered: outcome.uncovered, repeated: outcome.repeated }
    case 'refunded':
      return { back: outcome.units, repeated: outcome.repeated }
    case 'extended':
      return { kind: 'done', units: outcome.units }
    case 'not_open':
      return { kind: 'not open' }
    case 'not_final':
      return { kind: 'not final' }
    case 'refused':
    case 'unknown':
    case 'damaged':
    case undefined:
      return outcome
  }
}

/** Rows, the counter and everything that is remembered, by name. */
function modelBooks(books: Books, { counter }: Setup): unknown {
  const rows = [...books.rows].map(([key, { held, ...row }]) => ({ key, ...row, held: held[OWNER] }))
  const remembered = [...books.reservations.values()]
    .filter(({ key }) => key !== counter)
    .map(({ key, id, state, charged, refunded, units, uncovered, expiresAt, keepUntil, resets }) => ({
      ...{ key, id, state, charged, refunded, units, uncovered },
      ...{ expiresAt: state === 'open' ? expiresAt : null, keepUntil: state === 'open' ? null : keepUntil },
      resets: state === 'final' ? resets : null,
    }))
  return { rows, counter: books.counters.get(counter), remembered: remembered.toSorted(byName) }
}

function productionBooks(production: CreditProduction, { lease, pools }: Setup): unknown {
  const rows = Object.keys(pools).map((key) => {
    const { minted = 0, used = 0, reserved = 0, pool = 0, burned = 0, resets = 0 } = production.row(key) ?? {}
    return { key, minted, used, reserved, pool, burned, resets, held: key === lease.key ? production.held : 0 }
  })
  const names = KEYS.flatMap((key) => IDS.map((id) => ({ key, id })))
  const remembered = production.reservations(names).flatMap(({ id, lots }) =>
    lots.flatMap(({ state, units, uncovered, expiresAt, keepUntil, sources }) =>
      sources
        .filter(({ period }) => period !== null)
        .map(({ key, charged, refunded, resets }) => ({
          ...{ key, id, state, charged, refunded, units, uncovered },
          ...{ expiresAt: state === 'open' ? production.timeOf(expiresAt) : null },
          ...{ keepUntil: keepUntil === null ? null : production.timeOf(keepUntil) },
          resets: state === 'final' ? resets : null,
        })),
    ),
  )
  return { rows, counter: production.counter(), remembered: remembered.toSorted(byName) }
}

interface Named {
  readonly key: string
  readonly id: string
}

function byName(a: Named, b: Named): number {
  return nameOf(a.key, a.id) < nameOf(b.key, b.id) ? -1 : 1
}

function drawSetup(rng: Rng): Setup {
  const pools = Object.fromEntries(KEYS.map((key) => [key, rng.whole(0, 14)]))
  const key = rng.pick(KEYS)
  return { pools, counter: 'over', lease: { key, units: Math.min(rng.whole(0, 3), pools[key] ?? 0) } }
}

/** @returns how often each thing happened, for the test that all of them do */
function compare(seed: number, seen: Map<string, number>): void {
  const rng = new Rng(seed, 'credits in production')
  const setup = drawSetup(rng)
  const [books, production] = [booksOf(setup), new CreditProduction(setup)]
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  for (let step = 0; step < STEPS; step += 1) {
    const trace = `seed ${seed}, step ${step}`
    if (rng.chance(0.16)) {
      const ticks = rng.whole(1, 2)
      books.time += ticks
      production.time += ticks
    } else if (rng.chance(0.12)) {
      const before = books.reservations.size
      maintain(books, [], null)
      production.sweep()
      if (books.reservations.size < before) count('forgotten')
    } else {
      const ops = drawOps(rng, { setup, held: production.held })
      const expected = ops.map((op) => modelAnswer(books, op))
      const { batch, answer } = production.apply(ops)
      same(productionAnswers(ops, answer), expected, `${trace}: ${JSON.stringify(ops)}`)
      for (const one of Object.values(answer.credits?.takes ?? {})) count(stateOf(one))
      for (const one of answer.credits?.changes ?? []) count(stateOf(one))
      if (rng.chance(0.1)) same(production.replay(batch).credits, answer.credits, trace)
    }
    same(productionBooks(production, setup), modelBooks(books, setup), trace)
  }
}

/** `expect` alone would take most of the time. */
function same(got: unknown, expected: unknown, trace: string): void {
  if (!isDeepStrictEqual(got, expected)) expect(got, trace).toEqual(expected)
}

function stateOf(outcome: Credits['takes'][number] | Credits['changes'][number]): string {
  const repeated = 'repeated' in outcome ? ` ${outcome.repeated ? 'again' : 'now'}` : ''
  return `${outcome.kind}${'state' in outcome ? ` ${outcome.state}` : ''}${repeated}`
}

test('R1-R6, I1, I2, V1, V3, P5: random operations have the answers and the books of the model', () => {
  const seen = new Map<string, number>()
  for (let seed = 1; seed <= SEQUENCES; seed += 1) compare(seed, seen)
  const rare = WHAT_HAPPENS.filter((what) => (seen.get(what) ?? 0) < rounds(5))
  expect({ rare, seen: rare.length === 0 ? [] : [...seen] }).toEqual({ rare: [], seen: [] })
})

const WHAT_HAPPENS = [
  ...['remembered open now', 'remembered open again', 'remembered expired again', 'remembered final now'],
  ...['remembered final again', 'drawn', 'id_conflict', 'refunded', 'refunded now', 'refunded again', 'settled now'],
  ...['settled again', 'extended', 'refused', 'not_open expired', 'not_open final', 'not_final open', 'unknown'],
  ...['not_final expired', 'forgotten'],
]
