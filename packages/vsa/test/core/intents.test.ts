import { describe, expect, test } from 'vitest'
import type { Writes } from '../../src/core/written-rows.ts'
import type { AppliedAnswer, Batch, Take } from '../../src/core/exchange.ts'
import { ONE_LIFE } from '../../src/core/life.ts'
import type { DroppedIntent, Intent, MintIntent, SettleIntent } from '../../src/core/reservations/intents.ts'
import type { Remember } from '../../src/core/reservations/messages.ts'
import { sourcesOf } from '../../src/core/reservations/names.ts'
import { sweep } from '../../src/core/reservations/sweep.ts'
import { transition } from '../../src/core/transition.ts'
import { loadExchange, loadSweep } from '../../src/stores/memory/load.ts'
import { save } from '../../src/stores/memory/save.ts'
import { asking, Books, seats } from './books-fixture.ts'

const REMEMBER = { id: 'r', as: 'reservation', ttlMs: 1_000, onExpire: 'return' } as const
const A = asking('a', { policy: seats(10) })
const B = asking('b', { policy: seats(10) })

/** Books with intents beside them, which a memory store does not keep. */
class Scene {
  readonly books = new Books()
  readonly epoch: number = this.books.join()
  intents: readonly Intent[] = []
  /** What was reported. */
  readonly dropped: DroppedIntent[] = []

  /** Reserves, before there is an intent. */
  reserve(entries: Batch['entries'], take: Partial<Take>, parts: Partial<Remember> = {}): void {
    const takes = [{ need: [[0, 4]] as const, n: 1, remember: { ...REMEMBER, ...parts }, ...take }]
    this.books.send(this.books.batch(this.epoch, { entries, takes }))
  }

  apply(parts: Partial<Batch>, frozenUntil = 0): AppliedAnswer {
    const { rows, now } = this.books
    const batch = this.books.batch(this.epoch, parts)
    const intents = this.intents.filter((intent) => intent.op === 'settle')
    const life = { ...ONE_LIFE, frozenUntil }
    const { answer, writes } = transition({ ...loadExchange(rows, batch, now), intents }, batch, now, life)
    if (answer.kind !== 'applied') throw new Error(`not applied: ${JSON.stringify(answer)}`)
    this.#save(writes)
    return answer
  }

  /** @param ids of reservations that have an intent and are not due */
  sweep(ids: readonly string[] = []): void {
    const { rows, now } = this.books
    const loaded = loadSweep(rows, 100, now)
    const due = [...loaded.due, ...ids.flatMap((id) => rows.reservation('a', id) ?? [])]
    const minted = this.intents.flatMap((intent) => (intent.op === 'mint' ? intent : []))
    const names = [...sourcesOf(due), ...minted.map(({ key, period }) => ({ key, period }))]
    const sources = names.map(({ key, period }) => ({
      ...{ key, period },
      rows: {
        ...({
          kind: 'budget',
          row: rows.budget({ key, period: period ?? 0 }),
          held: 0,
          others: 0,
          othersHeld: 0,
        } as const),
        ...{ ended: [], mintedBefore: undefined },
      },
    }))
    const intents = this.intents.map((intent) =>
      intent.op === 'mint' ? { ...intent, mintedBefore: rows.mintedUnits(intent.key, intent.id) } : intent,
    )
    this.#save(sweep({ due, sources, intents }, { time: now, timeSeen: now, clock: now }))
  }

  /** What is set aside, used and left of a budget. */
  figures(key = 'a'): readonly unknown[] {
    const row = this.books.budget(key)
    return [row?.reserved, row?.used, row?.pool]
  }

  #save(writes: Writes | null): void {
    if (writes === null) return
    save(this.books.rows, writes)
    this.dropped.push(...writes.droppedIntents)
    this.intents = this.intents.filter(({ number }) => !writes.removedIntents.includes(number))
  }
}

function settling(number: number, units: number, parts: Partial<SettleIntent> = {}): SettleIntent {
  return { number, op: 'settle', key: 'a', id: 'r', units, ...parts }
}

function minting(number: number, id: string, units: number, key = 'a'): MintIntent {
  return { number, op: 'mint', key, id, units, period: 0, mintedBefore: undefined }
}

describe('T1: a settlement in a transaction of the user', () => {
  const touches: readonly (readonly [what: string, touch: (scene: Scene) => unknown, answer: object])[] = [
    [
      'a repeat',
      (scene) => scene.apply({ entries: [A], takes: [{ need: [[0, 4]], n: 1, remember: REMEMBER }] }).credits?.takes[0],
      { kind: 'remembered', state: 'final', charged: [3], repeated: true },
    ],
    [
      'a settlement',
      (scene) => scene.apply({ changes: [{ op: 'settle', key: 'a', id: 'r', units: 1 }] }).credits?.changes[0],
      { kind: 'settled', settled: 3, repeated: true },
    ],
    [
      'an extension',
      (scene) =>
        scene.apply({ changes: [{ op: 'extend', key: 'a', id: 'r', units: 9, ttlMs: 9 }] }).credits?.changes[0],
      { kind: 'not_open', state: 'final' },
    ],
    ['a sweep', (scene) => scene.sweep(), {}],
  ]
  test.each(touches)(
    'R3, T1 18: it counts before the end of the reservation that is touched by %s',
    (_what, touch, answer) => {
      const scene = new Scene()
      scene.reserve([A], {})
      expect(scene.figures()).toEqual([4, 0, 6])
      scene.intents = [settling(1, 3)]
      scene.books.now += 5_000
      expect(touch(scene) ?? {}).toMatchObject(answer)
      expect([scene.figures(), scene.intents]).toEqual([[0, 3, 7], []])
    },
  )

  test('I2, T1 18: a refund gives back what it has settled', () => {
    const scene = new Scene()
    scene.reserve([A], {})
    scene.intents = [settling(1, 3)]
    const { credits } = scene.apply({ changes: [{ op: 'refund', key: 'a', id: 'r', units: 9 }] })
    expect(credits?.changes).toEqual([{ kind: 'refunded', units: 3, repeated: false }])
    expect([scene.figures(), scene.intents]).toEqual([[0, 0, 10], []])
  })

  test('R4, T1 21: the first one counts, in the order of the numbers; a later one, and one after a direct settlement, change nothing', () => {
    const scene = new Scene()
    scene.reserve([A], {})
    scene.intents = [settling(1, 3), settling(2, 1)]
    scene.sweep(['r'])
    expect([scene.figures(), scene.intents]).toEqual([[0, 3, 7], []])
    scene.reserve([A], {}, { id: 's' })
    scene.apply({ changes: [{ op: 'settle', key: 'a', id: 's', units: 2 }] })
    scene.intents = [settling(3, 4, { id: 's' })]
    scene.sweep(['s'])
    expect([scene.figures(), scene.intents]).toEqual([[0, 5, 5], []])
  })

  test('R4, T1 19: one that comes after the end settles what has expired', () => {
    const scene = new Scene()
    scene.reserve([A], {})
    scene.books.now += 5_000
    scene.sweep()
    expect(scene.figures()).toEqual([0, 0, 10])
    scene.intents = [settling(1, 3)]
    scene.sweep(['r'])
    expect([scene.figures(), scene.intents]).toEqual([[0, 3, 7], []])
  })

  test('T1 21: one that nothing is remembered for is removed, and does not settle what is made under its id now', () => {
    const scene = new Scene()
    scene.intents = [settling(1, 3), settling(2, 3, { id: 'other' })]
    const { credits } = scene.apply({ entries: [A], takes: [{ need: [[0, 4]], n: 1, remember: REMEMBER }] })
    expect(credits?.takes[0]).toMatchObject({ state: 'open', charged: [4] })
    expect(scene.intents).toEqual([settling(2, 3, { id: 'other' })])
    scene.sweep()
    expect([scene.figures(), scene.intents]).toEqual([[4, 0, 6], []])
    expect(scene.dropped).toEqual([
      { ...settling(1, 3), reason: 'unknown_id' },
      { ...settling(2, 3, { id: 'other' }), reason: 'unknown_id' },
    ])
  })

  test('T1 21: one that was applied, or that repeats a settlement, is not reported as dropped', () => {
    const scene = new Scene()
    scene.reserve([A], {})
    scene.intents = [settling(1, 3), settling(2, 0)]
    scene.sweep(['r'])
    expect([scene.intents, scene.dropped]).toEqual([[], []])
  })

  test('T1 21: one for another budget under the same id, or under another id of the same budget, is for another reservation', () => {
    const scene = new Scene()
    scene.reserve([asking('b', { policy: seats(10) })], {})
    scene.reserve([A], {}, { id: 's' })
    scene.intents = [settling(1, 3, { key: 'b' }), settling(2, 1, { id: 's' })]
    const extend = { op: 'extend', key: 'a', id: 'r', units: 5, ttlMs: 1_000 } as const
    const made = scene.apply({
      entries: [A],
      takes: [{ need: [[0, 4]], n: 1, remember: REMEMBER }],
      changes: [extend],
    })
    expect(made.credits).toMatchObject({ takes: { 0: { state: 'open' } }, changes: [{ kind: 'unknown' }] })
    expect(scene.apply({ changes: [extend] }).credits?.changes).toMatchObject([{ kind: 'extended', units: 5 }])
    expect([scene.figures('a'), scene.figures('b'), scene.intents.length]).toEqual([[9, 0, 1], [4, 0, 6], 2])
    scene.apply({
      changes: [
        { ...extend, key: 'b' },
        { ...extend, id: 's' },
      ],
    })
    expect([scene.figures('a'), scene.figures('b'), scene.intents]).toEqual([[5, 1, 4], [0, 3, 7], []])
  })

  test('V3: of a waterfall it is named by any of its budgets; of several budgets each is settled by itself', () => {
    const scene = new Scene()
    scene.reserve([A, B], {
      need: [
        [0, 12],
        [1, 12],
      ],
      first: true,
    })
    scene.reserve([A, B], { need: [[1, 3]] }, { id: 's' })
    scene.intents = [settling(1, 11, { key: 'b' })]
    scene.sweep(['r'])
    expect([scene.figures('a'), scene.figures('b')]).toEqual([
      [0, 10, 0],
      [3, 1, 6],
    ])
  })

  test('F3: while the store is frozen, it gives units back and takes none', () => {
    const scene = new Scene()
    scene.reserve([A], {})
    scene.intents = [settling(1, 9)]
    const { credits } = scene.apply(
      { changes: [{ op: 'settle', key: 'a', id: 'r', units: 9 }] },
      scene.books.now + 1_000,
    )
    expect(credits?.changes).toEqual([{ kind: 'settled', settled: 4, uncovered: 5, repeated: true }])
  })

  test('S6: it stays while a row of its reservation does not balance', () => {
    const scene = new Scene()
    scene.reserve([A], {})
    scene.intents = [settling(1, 3)]
    scene.books.damage('a', { reserved: 1, used: 3 })
    const { credits } = scene.apply({ changes: [{ op: 'settle', key: 'a', id: 'r', units: 1 }] })
    expect([credits?.changes, scene.intents]).toMatchObject([[{ kind: 'damaged' }], [{ number: 1 }]])
    scene.sweep(['r'])
    expect(scene.intents).toMatchObject([{ number: 1 }])
  })
})

describe('T1: a mint in a transaction of the user', () => {
  test('L3, T1 22: an id counts once, in one sweep and in the next; other units under it change nothing', () => {
    const scene = new Scene()
    scene.apply({ entries: [A] })
    scene.intents = [minting(1, 'x', 5), minting(2, 'x', 5), minting(3, 'x', 6), minting(4, 'y', 2)]
    scene.sweep()
    expect([scene.figures(), scene.intents]).toEqual([[0, 0, 17], []])
    scene.intents = [minting(5, 'x', 5)]
    scene.sweep()
    const { entries } = scene.apply({ entries: [asking('a', { mint: { id: 'y', units: 2 } })] })
    expect([scene.intents, entries]).toMatchObject([[], [{ minted: 17, mint: 'repeated' }]])
    expect(scene.dropped).toMatchObject([{ number: 3, op: 'mint', key: 'a', id: 'x', units: 6, reason: 'id_conflict' }])
  })

  test('S6, T1 22: one that would take minted beyond 2^53 - 1 is removed, and reported', () => {
    const scene = new Scene()
    scene.apply({ entries: [A] })
    scene.intents = [minting(1, 'x', Number.MAX_SAFE_INTEGER), minting(2, 'y', 1)]
    scene.sweep()
    expect([scene.figures(), scene.intents]).toEqual([[0, 0, 11], []])
    expect(scene.dropped).toMatchObject([{ number: 1, reason: 'units_overflow' }])
  })

  test('T1 22: it waits until there is a row', () => {
    const scene = new Scene()
    scene.intents = [minting(1, 'x', 5)]
    scene.sweep()
    expect(scene.intents).toHaveLength(1)
    scene.apply({ entries: [A] })
    scene.sweep()
    expect([scene.figures(), scene.intents]).toEqual([[0, 0, 15], []])
  })
})
